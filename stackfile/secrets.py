"""How a secret in clear is told from other text: by its name, or by its own form."""

from __future__ import annotations

import base64
import binascii
import functools
import itertools
import re
from collections.abc import Iterator, Sequence

_SECRET_NAME = re.compile(
    r"(?:PASSWORDS?|PASSWD|PASSPHRASE|TOKEN|SECRET|_(?:PASS|PWD|PAT)|(?<![A-Z0-9])CREDENTIALS?"
    r"|(?:API|ACCESS|PRIVATE|SECRET|(?:EN)?CRYPT(?:ION)?|SIGNING|MASTER)[_.-]?KEY)(?:_?[0-9]+)?$",
    re.IGNORECASE,
)
"""Names whose value must come from a Secret; `…_FILE` and `…_PATH` name a place instead, and `…_TOKENS` is mostly a
number of them."""
_OTHER_KEY = re.compile(r"(?<!PUBLIC[_.-])(?<!PUB[_.-])(?<![A-Z0-9])KEY$", re.IGNORECASE)
"""Names of keys of any kind, of which most sort or find something: their values tell."""
_PLAIN = r"(?:[+-]?[0-9]{1,5}(?:\.[0-9]{1,5})?|true|false|null|none|yes|no|on|off)"
"""Counts and switches, which are no secrets whatever their name; six digits in a row are somebody's password."""
_REFERENCE = re.compile(rf"{_PLAIN}|\$\([\w.-]+\)|\$\{{[\w.-]+\}}", re.IGNORECASE)
_PLACE = re.compile(r"(?:/[\w.@-]+)+/?")

_RUN = re.compile(r"[A-Za-z0-9_-]{20,}")
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SPOKEN = re.compile(r"(?:(?:[A-Z][a-z]{2,})+|[a-z]+|[A-Z]+)[0-9]*|[0-9]*")
"""What people call things: words, and the number behind them."""

_WORDS = (
    r"(?:passw(?:or)?d|passphrase|token|api[_-]?key|private[_-]?key|encryption[_-]?key"
    r"|secret[_-]?access[_-]?key|secret[_-]?key|credentials?"
    r"|(?:client|app|shared|consumer|cookie|session|hmac|webhook|oauth)[_-]?secret)"
)
_NAME = rf"[\w.-]*?{_WORDS}"
_HINT = re.compile(rf"""{_WORDS}["']?\s*[:=]""")
"""Where to look closer, in lower case: the forms below are slow, and most texts are long and hold nothing."""
# What begins so is a place, a reference, or computed where it is read.
_NO_VALUE = r"(?![$%/{}\[<(*\\]|(?:file|env|https?):)"
_QUOTED = re.compile(
    rf"""(?i)(?<![\w.-])["']?(?P<name>{_NAME})["']?\s*[:=]\s*(?P<quote>["']{{3}}|["']){_NO_VALUE}"""
    rf"""(?!{_PLAIN}(?P=quote))[^"'\n]{{3,}}(?P=quote)"""
)
_WORD = rf"""{_NO_VALUE}(?!{_PLAIN}(?:[\s"',;&}}\]]|$))[^\s"',;&(){{}}\[\]$]{{3,}}"""
_BARE = re.compile(
    rf"""(?im)(?:^|[\s;,&])["']?(?P<name>{_NAME})["']?\s*=\s*{_WORD}(?=[\s;,&]|$)"""
    rf"""|(?:^[ \t-]*|[{{,]\s*)["']?(?P<key>{_NAME})["']?:[ \t]+{_WORD}(?=[ \t]*[,}}#\n]|[ \t]*$)"""
)
_FLAG = re.compile(rf"(?i)--?(?P<name>{_NAME})")
_PROGRAM = re.compile(r"\.(py|js|lua|ts|go|rb|R)$")
"""Files where a bare word after `=` is another name, not a text."""

_FORMS = (
    (("-----begin ",), re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (
        ("://",),
        re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'<>$*{]*:[^\s/@\"'<>$*{]{3,}@"),
        "an address with a password",
    ),
    (
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
        re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,}|glpat-[\w-]{20,})"),
        "a token of a code host",
    ),
    (
        ("xox", "sk_live_", "aiza"),
        re.compile(r"\b(xox[abprs]-[\w-]{10,}|sk_live_\w{16,}|AIza[\w-]{35})"),
        "a token of a service",
    ),
    (("eyj",), re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"), "a signed token"),
    (
        ("author",),
        re.compile(r"(?i)\bauthorization[\"']?\s*[:=]\s*[\"']?(bearer|basic)\s+[\w+/=.-]{8,}"),
        "an authorization",
    ),
)
"""What a text in lower case holds where it is worth a closer look, the form, and what is said of it."""


def is_secret(name: str, value: str) -> bool:
    """Whether a variable or an entry of this name carries a secret: not a place, a reference, a number or a switch."""
    if not value or _REFERENCE.fullmatch(value) or (_PLACE.fullmatch(value) and not holds_key(value)):
        return False
    if _SECRET_NAME.search(name):
        return True
    return _OTHER_KEY.search(name) is not None and " " not in value.strip() and holds_key(value)


def holds_key(text: str) -> bool:
    """Whether some of a path or a word is a key by its looks: long, and drawn rather than spoken."""
    return without_keys(text) != text


def without_keys(text: str) -> str:
    """A path, with … for what looks like a key in it."""
    return _RUN.sub(lambda run: "…" if _drawn(run[0]) else run[0], text)


def _drawn(run: str) -> bool:
    words = re.split("[-_]+", run)
    mixed = any(len(word) >= 20 and len(re.findall("(?<=[A-Za-z])[0-9]", word)) >= 3 for word in words)
    kinds = all(re.search(kind, run) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return mixed or _UUID.search(run) is not None or (kinds and not all(map(_SPOKEN.fullmatch, words)))


def in_clear(path: str, text: str) -> tuple[str, ...]:
    """What a text at this path holds that belongs in a Secret, without the secret itself."""
    return _in_clear(text, _PROGRAM.search(path) is not None)


@functools.lru_cache(maxsize=4096)
def _in_clear(text: str, is_program: bool) -> tuple[str, ...]:
    """Kept, since a plan asks about many a text at several places, and about one stack as about the next."""
    return tuple(_found(text, is_program))


def _found(text: str, is_program: bool) -> Iterator[str]:
    lowered = text.lower()
    for marks, form, what in _FORMS:
        if any(mark in lowered for mark in marks) and form.search(text):
            yield what
    patterns = (_QUOTED,) if is_program else (_QUOTED, _BARE)
    lines = dict.fromkeys(_line(text, hint.start()) for hint in _HINT.finditer(lowered))
    if len(lowered) != len(text):
        # Letters that are longer in lower case have moved what follows them.
        lines = {text: None}
    found = (each.groupdict() for line in lines for pattern in patterns for each in pattern.finditer(line))
    names = dict.fromkeys(each["name"] or each.get("key", "") for each in found)
    yield from (f"the value of {name.lstrip('-')}" for name in names)


def _line(text: str, at: int) -> str:
    end = text.find("\n", at)
    return text[text.rfind("\n", 0, at) + 1 : end if end >= 0 else len(text)]


def in_words(words: Sequence[str]) -> Iterator[str]:
    """Secrets that follow their option as a word of their own; `--option=value` is a text like any other."""
    for option, value in itertools.pairwise(words):
        found = _FLAG.fullmatch(option)
        if found and re.match(rf"(?i){_NO_VALUE}(?!{_PLAIN}$)[^-]", value):
            yield f"the value of {found['name']}"


def decoded(text: str) -> str:
    """The text that base64 stands for; empty where it stands for something else."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
