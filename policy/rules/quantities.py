"""Kubernetes quantities as the API server reads them: in more forms than settings have (`stackfile.quantities`)."""

from __future__ import annotations

import re
from decimal import Decimal

_BINARY = {f"{letter}i": Decimal(2) ** (10 * (index + 1)) for index, letter in enumerate("KMGTPE")}
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL = {unit: Decimal(10) ** power for unit, power in _POWERS.items()}
_UNITS = {"": Decimal(1), **_BINARY, **_DECIMAL}
# Of digits and exponent no more than any quantity needs: a number that fills the memory is none.
_FORM = re.compile(r"([+-]?(?:\d{1,64}(?:\.\d{0,64})?|\.\d{1,64}))([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,3})?")


def quantity(value: object) -> Decimal | None:
    """The number of cores or bytes that a value states (`1e9`, `128974848000m`, `0.5Gi`); None where it is none."""
    found = _FORM.fullmatch(str(value).strip())
    if found is None:
        return None
    number, unit = found[1], found[2] or ""
    if unit in _UNITS:
        return Decimal(number) * _UNITS[unit]
    return Decimal(number + unit)
