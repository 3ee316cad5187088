"""Logging in to Grafana by the hub's directory: `ldap.toml` from the same settings."""

import math
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomli_w

from components.hub.directory import DirectorySettings
from components.monitoring.grafana_settings import GrafanaSettings
from stackfile.problems import Problem

SKELETON = Path(__file__).parent / "files" / "grafana" / "ldap.toml"
_DN, _NAME = "{dn}", "{username}"


def mappings(settings: GrafanaSettings, directory: DirectorySettings) -> list[dict[str, Any]]:
    """Which group gets which role in Grafana; the first that fits counts. Empty: nobody logs in by the directory."""
    roles = [(group, "Admin") for group in directory.groups.admins]
    if settings.viewers:
        roles += [(group, "Viewer") for group in directory.groups.allowed]
    return [{"group_dn": str(group), "org_role": role} for group, role in roles]


def ldap_toml(settings: GrafanaSettings, directory: DirectorySettings, ca_file: str | None) -> str:
    """Grafana's `ldap.toml`, without the bind account's password; `ca_file` is where the pod has the authorities."""
    (common,) = tomllib.loads(SKELETON.read_text(encoding="utf-8"))["servers"]
    if directory.bind_dn is None:
        del common["bind_password"]
    else:
        common["bind_dn"] = str(directory.bind_dn)
    if ca_file is not None and directory.tls == "verified":
        common["root_ca_cert"] = ca_file
    attribute = directory.people.username_attribute
    common |= {
        "timeout": math.ceil(directory.connect_timeout.seconds),
        "search_base_dns": [str(directory.people.base)],
        "search_filter": directory.people.filter.replace(_NAME, "%s"),
        "group_search_base_dns": [str(directory.groups.base)],
        # The group's DN itself is what `group_mappings` are compared with: no member_of.
        "attributes": {"username": attribute},
        "group_mappings": mappings(settings, directory),
    }
    servers = [
        {
            **common,
            "host": " ".join(hosts),
            "port": port,
            "use_ssl": directory.tls == "verified",
            "start_tls": directory.tls == "verified" and not encrypted,
            "group_search_filter": search,
            "group_search_filter_user_attribute": user_attribute,
        }
        for (port, encrypted), hosts in _by_port(directory).items()
        for search, user_attribute in group_searches(directory)
    ]
    return tomli_w.dumps({"servers": servers})


def within_quotes(password: str) -> str:
    """A password as it must stand between the quotation marks of `ldap.toml`.

    Grafana replaces `${…}` in the file's text, also what a password holds of the kind, and reads TOML after that: all
    but letters and digits are escaped.
    """
    return "".join(one if one.isascii() and one.isalnum() else f"\\U{ord(one):08X}" for one in password)


def group_searches(directory: DirectorySettings) -> list[tuple[str, str]]:
    """The group filter as Grafana takes it: searches with `%s` for one attribute of the person each.

    The hub fills in a person's DN and name at once; Grafana one of both, so that an OR of both becomes two searches.

    Raises:
        ValueError: if the filter is no such OR.
    """
    attributes = {_DN: "dn", _NAME: directory.people.username_attribute}
    text = str(directory.groups.filter)
    used = [placeholder for placeholder in attributes if placeholder in text]
    if len(used) == 1:
        return [(text.replace(used[0], "%s"), attributes[used[0]])]
    parts = defaultdict(list)
    for part in _parts_of_or(text):
        (placeholder,) = (one for one in attributes if one in part)
        parts[placeholder].append(part.replace(placeholder, "%s"))
    return [(_or(found), attributes[placeholder]) for placeholder, found in parts.items()]


def login_problems(settings: GrafanaSettings, directory: DirectorySettings) -> Iterator[Problem]:
    """What of the directory's settings Grafana can't follow; ``where`` is relative to the stack's settings."""
    if not mappings(settings, directory):
        return
    try:
        group_searches(directory)
    except ValueError:
        yield Problem(
            where="directory.groups.filter",
            found=str(directory.groups.filter),
            allowed="for Grafana's login {dn} alone, {username} alone, or an OR whose parts have one of them each",
            fix="write it as (|(member={dn})(memberUid={username})), or set monitoring.grafana.enabled to false",
        )


def _by_port(directory: DirectorySettings) -> dict[tuple[int, bool], list[str]]:
    """The servers' hosts by port and kind of encryption: Grafana asks hosts of one entry in turn, until one answers.

    Servers in entries of their own would each be asked when a password is wrong, and lock people out.
    """
    found = defaultdict(list)
    for server in directory.servers:
        found[server.port, server.encrypted].append(server.host)
    return found


def _parts_of_or(text: str) -> list[str]:
    """The parts of ``(|(…)(…))``; a parenthesis within a value is written \\28 or \\29, so counting them is enough."""
    if not text.startswith("(|("):
        raise ValueError(text)
    parts, depth, begun = [], 0, 2
    for at, letter in enumerate(text[2:-1], start=2):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            parts.append(text[begun : at + 1])
            begun = at + 1
    return parts


def _or(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"(|{''.join(parts)})"
