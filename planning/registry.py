"""What registries serve, asked by skopeo, which knows logins and authorities as other tools of containers do."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SECONDS = 30
"""How long one question may take, tries again included."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """One image as its registry has it now."""

    digest: str
    """Of what the cluster pulls: of the index where there is one."""
    tagged: str | None
    """What the tag means now; None where there is none, or none any more."""
    blobs: Mapping[str, Mapping[str, int]]
    """What a node of each platform downloads: the compressed size in bytes of each layer and of the configuration, by
    digest, so that what several images share can be told."""


class Unanswered(Exception):
    """The registry did not say what was asked."""

    def __init__(self, found: str, fix: str, *, missing: bool = False) -> None:
        super().__init__(found)
        self.found, self.fix, self.missing = found, fix, missing
        """`missing`: it was reached, and has no such image."""


def ask(repository: str, tag: str, digest: str, platforms: Sequence[str]) -> Served:
    """What a registry has of an image, by its digest where one is known.

    Raises:
        Unanswered: with the reason and the fix.
    """
    try:
        now = _skopeo(f"{repository}:{tag}") if tag else None
    except Unanswered as error:
        # A version that was withdrawn is still served by its digest, and that is what nodes pull.
        if not (digest and error.missing):
            raise
        now = None
    tagged = _digest(now) if now is not None else None
    pulled = now if now is not None and digest in ("", tagged) else _skopeo(f"{repository}@{digest}")
    return Served(digest=digest or str(tagged), tagged=tagged, blobs=_blobs(repository, pulled, platforms))


def _blobs(repository: str, pulled: bytes, platforms: Sequence[str]) -> dict[str, dict[str, int]]:
    manifest = _read(pulled)
    if "manifests" in manifest:
        offered = {_platform(one.get("platform", {})): one["digest"] for one in reversed(manifest["manifests"])}
    else:
        digest = _digest(pulled)
        offered = {_platform(_read(_skopeo(f"{repository}@{digest}", "--config"))): digest}
    found = {}
    for platform in platforms:
        if platform not in offered:
            # Attestations stand in an index as images of an unknown platform.
            others = ", ".join(sorted(set(offered) - {"unknown/unknown"}))
            raise Unanswered(
                f"nothing for {platform}, only {others}", "name an image that is made for the pool's nodes"
            )
        of_platform = _read(_skopeo(f"{repository}@{offered[platform]}")) if "manifests" in manifest else manifest
        if "layers" not in of_platform:
            raise Unanswered("a manifest that names no sizes", "push the image anew, by a builder of these days")
        found[platform] = {one["digest"]: one["size"] for one in (of_platform["config"], *of_platform["layers"])}
    return found


def _platform(named: Mapping[str, str]) -> str:
    """An index and a configuration call it the same. The variant is left out: the first of several is taken."""
    return f"{named.get('os', 'unknown')}/{named.get('architecture', 'unknown')}"


def _digest(manifest: bytes) -> str:
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


def _read(answer: bytes) -> dict[str, Any]:
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unanswered("an answer that is no manifest", "look what answers in the registry's place, such as a proxy")
    return found


def _skopeo(reference: str, *options: str) -> bytes:
    command = ["skopeo", f"--command-timeout={SECONDS}s", "inspect", "--raw", *options, f"docker://{reference}"]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS + 10)
    except subprocess.TimeoutExpired:
        raise Unanswered(f"no answer within {SECONDS} s", _UNREACHED) from None
    if done.returncode:
        raise _unanswered(done.stderr.decode(errors="replace"), reference.partition("/")[0])
    return done.stdout


_UNREACHED = "see that its name is right and that this machine reaches it (HTTPS_PROXY), or set images.mirrors"
_FAULTS = (
    (
        r"manifest unknown|name unknown|name invalid|not found",
        "correct its name or version: the registry has no such image",
    ),
    (r"toomanyrequests|rate limit|429 ", "wait, or log in so that more may be asked: skopeo login {host}"),
    (
        r"unauthorized|authentication required|denied|forbidden",
        "log in: skopeo login {host}; if you have, the image isn't there, or not for you",
    ),
    (r"x509|certificate", "put the authority's certificate into /etc/containers/certs.d/{host}/ca.crt"),
    (r"HTTP response to HTTPS", "give the registry TLS, or say in registries.conf that {host} is insecure"),
    (r"", _UNREACHED),
)
"""What skopeo's words mean, and what to do; it has one exit status for all (containers/skopeo issue 2589)."""
_MISSING = _FAULTS[0][1]


def _unanswered(said: str, host: str) -> Unanswered:
    line = (said.strip().splitlines() or ["it failed without a word"])[-1]
    if logged := re.search(r'msg="((?:[^"\\]|\\.)*)"', line):
        line = re.sub(r"\\(.)", lambda found: " " if found[1] in "nt" else found[1], logged[1])
    line = re.sub(r'^Error parsing image name "[^"]*": ', "", line)
    fix = next(fix for pattern, fix in _FAULTS if re.search(pattern, line, re.IGNORECASE))
    return Unanswered(line, fix.format(host=host), missing=fix == _MISSING)
