"""Times as Elasticsearch writes them."""

import re

from tests.harness.elastic.streams import Refusal

_DURATION = re.compile(r"(-1|\d+(nanos|micros|ms|s|m|h|d))")
_UNITS = {"nanos": 1e-9, "micros": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(duration: str) -> float:
    """A time value in seconds."""
    if not _DURATION.fullmatch(duration):
        raise Refusal(400, "parse_exception", f"failed to parse setting with value [{duration}] as a time value")
    digits = re.match(r"-?\d+", duration)
    assert digits
    return float(digits[0]) * _UNITS.get(duration[digits.end() :], 1)
