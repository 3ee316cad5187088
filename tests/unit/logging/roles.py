"""The roles that programs have, as Elasticsearch reads them."""

from collections.abc import Mapping
from typing import Any

import yaml

from components.logging.agents import FILES
from components.logging.credentials import USERS


def roles() -> Mapping[str, Any]:
    """Every role of `roles.yml`, by name."""
    return yaml.load((FILES / "elasticsearch/roles.yml").read_text(), yaml.CSafeLoader)


def role(user: str) -> Mapping[str, Any]:
    """What a program's user may do."""
    return roles()[USERS[user]]
