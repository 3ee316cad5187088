"""The programs' own configuration files: read from `files/`, and written with what the stack adds."""

from pathlib import Path
from typing import Any

import yaml

FILES = Path(__file__).parent / "files"


class _Dumper(yaml.CSafeDumper):
    """Safe YAML that writes the settings' own kinds of text as text, and everything in full."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  none is wanted
        return True


_Dumper.add_multi_representer(str, lambda dumper, text: dumper.represent_str(str(text)))


def read(path: str) -> Any:  # noqa: ANN401  whatever the file holds
    """A file of `files/`, as data."""
    return yaml.load((FILES / path).read_text(), yaml.CSafeLoader)


def text(data: object) -> str:
    """Data as the program reads it."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)
