"""Certificates of two authorities whose keys nobody has, for settings that take some: what can't be read is refused."""

from pathlib import Path
from typing import Final

ONE: Final = Path(__file__).with_name("one.pem").read_text()
TWO: Final = Path(__file__).with_name("two.pem").read_text()
