"""How a secret in clear is told from other text: by its name, or by its own form."""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Iterator, Sequence

SECRET_NAME = re.compile(
    r"(PASSWORDS?|PASSWD|PASSPHRASE|_(PASS|PWD|PAT)|TOKENS?|SECRETS?|(?<!PUBLIC)(?<!PUBLIC_)KEYS?|CREDENTIALS?)$",
    re.IGNORECASE,
)
"""Names of variables whose value must come from a Secret; `…_FILE` and `…_PATH` name a place instead, and a public key
is no secret."""

_WORDS = (
    r"(?:passw(?:or)?d|passphrase|token|api[_-]?key|private[_-]?key|encryption[_-]?key"
    r"|secret[_-]?access[_-]?key|secret[_-]?key|credentials?"
    r"|(?:client|app|shared|consumer|cookie|session|hmac|webhook|oauth)[_-]?secret)"
)
_NAME = rf"[\w.-]*?{_WORDS}"
_HINT = re.compile(rf"""{_WORDS}["']?\s*[:=]""")
"""Where to look closer, in lower case: the forms below are slow, and most texts are long and hold nothing."""
# What begins so is a place, a reference, or computed where it is read.
_NO_VALUE = r"(?![$%/{}\[<(*\\]|(?:true|false|null|none|yes|no)(?:[\s\"',;&}\]]|$)|(?:file|env|https?):)"
_QUOTED = re.compile(
    rf"""(?i)(?<![\w.-])["']?(?P<name>{_NAME})["']?\s*[:=]\s*(?P<quote>["']{{3}}|["']){_NO_VALUE}[^"'\n]{{3,}}(?P=quote)"""
)
_WORD = rf"""{_NO_VALUE}[^\s"',;&(){{}}\[\]$]{{3,}}"""
_BARE = re.compile(
    rf"""(?im)(?:^|[\s;,&])["']?(?P<name>{_NAME})["']?\s*=\s*{_WORD}(?=[\s;,&]|$)"""
    rf"""|(?:^[ \t-]*|[{{,]\s*)["']?(?P<key>{_NAME})["']?:[ \t]+{_WORD}(?=[ \t]*[,}}#\n]|[ \t]*$)"""
)
_FLAG = re.compile(rf"(?i)--?(?P<name>{_NAME})")
_PROGRAM = re.compile(r"\.(py|js|lua|ts|go|rb|R)$")
"""Files where a bare word after `=` is another name, not a text."""

_FORMS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'<>$*{]+:[^\s/@\"'<>$*{]{3,}@"), "an address with a password"),
    (re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,}|glpat-[\w-]{20,})"), "a token of a code host"),
    (re.compile(r"\b(xox[abprs]-[\w-]{10,}|sk_live_\w{16,}|AIza[\w-]{35})"), "a token of a service"),
    (re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"), "a signed token"),
    (re.compile(r"(?i)\bauthorization[\"']?\s*[:=]\s*[\"']?(bearer|basic)\s+[\w+/=.-]{8,}"), "an authorization"),
)


def in_clear(path: str, text: str) -> Iterator[str]:
    """What a text at this path holds that belongs in a Secret, without the secret itself."""
    for pattern, what in _FORMS:
        if pattern.search(text):
            yield what
    patterns = (_QUOTED,) if _PROGRAM.search(path) else (_QUOTED, _BARE)
    lowered = text.lower()
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
        if found and re.match(rf"(?i){_NO_VALUE}[^-]", value):
            yield f"the value of {found['name']}"


def decoded(text: str) -> str:
    """The text that base64 stands for; empty where it stands for something else."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
