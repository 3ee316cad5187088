"""What is asked of registries, and what their refusals mean; skopeo is a stand-in that answers from files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from planning.registry import Served, Unanswered, ask

REPOSITORY = "registry.example.org/elab/hub"
AMD64, ARM64 = "linux/amd64", "linux/arm64"
STAND_IN = """#!/bin/sh
for asked; do :; done
name=$(printf %s "${{asked#docker://}}" | tr / _)
case " $* " in *" --config "*) name="$name.config" ;; esac
[ -f "{folder}/$name" ] && exec cat "{folder}/$name"
printf '%s\\n' 'time="2026-11-25T01:32:29Z" level=fatal msg="{refusal}"' >&2
exit 1
"""
UNKNOWN = "reading manifest 1 in registry.example.org/elab/hub: manifest unknown: manifest unknown"


class Machine:
    """Its skopeo knows what was put, and refuses all else with these words."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refuses(UNKNOWN)

    def refuses(self, words: str) -> None:
        logged = f'Error parsing image name \\"docker://{REPOSITORY}:1\\": {words}'
        program = self.folder / "skopeo"
        program.write_text(STAND_IN.format(folder=self.folder, refusal=logged))
        program.chmod(0o755)

    def has(self, end: str, answer: object) -> str:
        """An answer for the repository with this tag or digest, `@` for its own digest; its digest."""
        text = json.dumps(answer)
        digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        (self.folder / f"{REPOSITORY}{f'@{digest}' if end == '@' else end}".replace("/", "_")).write_text(text)
        return digest


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return found


def manifest(config: int, **layers: int) -> dict[str, Any]:
    return {
        "config": {"digest": "sha256:c", "size": config},
        "layers": [{"digest": f"sha256:{name}", "size": size} for name, size in layers.items()],
    }


def entry(digest: str, os: str, architecture: str, **more: str) -> dict[str, Any]:
    return {"digest": digest, "platform": {"os": os, "architecture": architecture, **more}}


def index(machine: Machine) -> dict[str, Any]:
    amd64, arm64 = machine.has("@", manifest(10, a=100)), machine.has("@", manifest(20, b=300, d=4000))
    second = machine.has("@", manifest(1, z=1))
    attestation = machine.has("@", manifest(2, attested=5))
    return {
        "manifests": [
            entry(attestation, "unknown", "unknown"),
            entry(amd64, "linux", "amd64"),
            entry(arm64, "linux", "arm64", variant="v8"),
            entry(second, "linux", "arm64", variant="v9"),
        ]
    }


def refusal(machine: Machine, *platforms: str, tag: str = "1", digest: str = "") -> Unanswered:
    with pytest.raises(Unanswered) as found:
        ask(REPOSITORY, tag, digest, platforms or (AMD64,))
    return found.value


def test_of_an_index_each_platform_is_measured_by_its_own_first_image(machine: Machine) -> None:
    digest = machine.has(":1", index(machine))
    assert ask(REPOSITORY, "1", "", (AMD64, ARM64)) == Served(
        digest=digest,
        tagged=digest,
        blobs={
            AMD64: {"sha256:c": 10, "sha256:a": 100},
            ARM64: {"sha256:c": 20, "sha256:b": 300, "sha256:d": 4000},
        },
    )


def test_a_platform_that_the_image_lacks_is_refused_with_those_that_it_has(machine: Machine) -> None:
    machine.has(":1", index(machine))
    assert refusal(machine, AMD64, "linux/s390x").found == "nothing for linux/s390x, only linux/amd64, linux/arm64"


def test_an_image_of_one_platform_says_in_its_configuration_which(machine: Machine) -> None:
    digest = machine.has(":1", manifest(7, a=70))
    machine.has(f"@{digest}.config", {"os": "linux", "architecture": "arm64"})
    assert ask(REPOSITORY, "1", "", (ARM64,)).blobs == {ARM64: {"sha256:c": 7, "sha256:a": 70}}
    assert refusal(machine, AMD64).found == "nothing for linux/amd64, only linux/arm64"


def test_what_is_pinned_is_measured_and_what_the_tag_means_now_is_told(machine: Machine) -> None:
    old, new = machine.has("@", index(machine)), machine.has(":1", manifest(7, a=70))
    found = ask(REPOSITORY, "1", old, (AMD64,))
    assert (found.digest, found.tagged, found.blobs[AMD64]["sha256:a"]) == (old, new, 100)


@pytest.mark.parametrize("tag", ["1", ""])
def test_what_has_no_tag_any_more_is_served_by_its_digest(machine: Machine, tag: str) -> None:
    pinned = machine.has("@", index(machine))
    found = ask(REPOSITORY, tag, pinned, (AMD64,))
    assert (found.digest, found.tagged) == (pinned, None)


def test_a_digest_that_the_registry_lost_is_missing_though_the_tag_is_there(machine: Machine) -> None:
    machine.has(":1", index(machine))
    assert refusal(machine, digest=f"sha256:{'0' * 64}").missing


@pytest.mark.parametrize(
    ("answer", "found"),
    [([], "no manifest"), ({"manifests": [entry("sha256:" + "1" * 64, "linux", "amd64")]}, "manifest unknown")],
)
def test_what_is_no_manifest_or_leads_nowhere_is_refused(machine: Machine, answer: object, found: str) -> None:
    machine.has(":1", answer)
    assert found in refusal(machine).found


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        (UNKNOWN, "correct its name or version"),
        ("name unknown: repository name not known to registry", "correct its name or version"),
        # Docker Hub, of what is not there or not public.
        (
            "errors:\\ndenied: requested access to the resource is denied\\nunauthorized: authentication required",
            "log in: skopeo login registry.example.org;",
        ),
        ("unauthorized: access to the requested resource is not authorized", "log in: skopeo login"),
        ("invalid status code from registry 403 (Forbidden)", "log in: skopeo login"),
        ("toomanyrequests: You have reached your pull rate limit", "wait, or log in"),
        (
            'Get \\"https://r/v2/\\": x509: certificate signed by unknown authority',
            "/etc/containers/certs.d/registry.example.org/ca.crt",
        ),
        ('Get \\"https://r/v2/\\": http: server gave HTTP response to HTTPS client', "is insecure"),
        ('Get \\"https://r/v2/\\": dial tcp: lookup r on 10.0.0.1:53: no such host', "this machine reaches it"),
        ('Get \\"https://r/v2/\\": context deadline exceeded', "this machine reaches it"),
    ],
)
def test_a_refusal_is_one_line_in_the_registrys_words_with_what_to_do(machine: Machine, words: str, fix: str) -> None:
    machine.refuses(words)
    found = refusal(machine)
    assert fix in found.fix
    assert found.found == words.replace("\\n", " ").replace('\\"', '"')
    assert found.missing == ("correct" in fix)
