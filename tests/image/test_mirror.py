"""A stack's images from real registries: sizes and digests are asked for, and the script fills a mirror, by skopeo."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from planning import plan as plans
from planning.__main__ import main
from planning.downloads import Downloads, downloads
from planning.images import StackImage, inventory
from planning.mirror import script
from planning.plan import Plan
from stackfile.quantities import shown_bytes
from tests.harness.platform import settings
from tests.harness.stacks import PROJECT, plan
from tests.image.registries import Layout, Registry, digest, home, layer, layout, running

HUB = "quay.io/jupyterhub/k8s-hub:4.4.0"
PROXY = "quay.io/jupyterhub/configurable-http-proxy:5.2.0"
GRAFANA = "docker.io/grafana/grafana:13.2.0"
NOTEBOOK = "registry.example.org/elab/notebook:1"
AMD64, ARM64 = "linux/amd64", "linux/arm64"
SHARED = layer("of", "many", "images")


@dataclass(frozen=True)
class World:
    """One registry that has all images of prod, each below the name of the registry that it really lies in."""

    registry: Registry
    images: Mapping[str, Layout]
    hosts: frozenset[str]

    def home(self, folder: Path, *others: Registry, **places: str) -> Path:
        """Where skopeo finds it in place of the world's registries."""
        found = {host: f"{self.registry.address}/{host}" for host in self.hosts} | places
        return home(folder, (self.registry, *others), found)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Its images share a layer; the hub's has two platforms, and the proxy's is of Docker's own older format."""
    folder = tmp_path_factory.mktemp("world")
    references = [one.source for one in inventory(plan("prod")) if one.source]
    with running(folder / "registry") as registry:
        own = home(folder / "home", [registry])
        images = {}
        for reference in references:
            layers = {AMD64: [SHARED, layer(reference)]}
            if reference == HUB:
                layers[ARM64] = [layer(reference, "arm64")]
            images[reference] = layout(folder / "layouts" / re.sub("[/:]", "_", reference), layers)
            options = ["--format=v2s2"] if reference == PROXY else []
            images[reference].push(own, f"{registry.address}/{reference}", *options)
        yield World(registry, images, frozenset(reference.partition("/")[0] for reference in references))


@pytest.fixture
def mirror(tmp_path: Path) -> Generator[Registry]:
    with running(tmp_path / "mirror") as registry:
        yield registry


def ran(text: str, home: Path) -> subprocess.CompletedProcess[str]:
    """The script, unchanged, by the shell."""
    environment = os.environ | {"HOME": str(home)}
    return subprocess.run(["sh", "-c", text], env=environment, capture_output=True, text=True, timeout=60)


def project(folder: Path, images: Mapping[str, Any]) -> Path:
    """The project with another `elab:images` in prod's file."""
    folder.mkdir()
    for path in PROJECT.iterdir():
        (folder / path.name).symlink_to(path)
    own = folder / "Pulumi.prod.yaml"
    own.unlink()
    # JSON is YAML too.
    text = (PROJECT / own.name).read_text().replace("config:\n", f"config:\n  elab:images: {json.dumps(images)}\n")
    own.write_text(text)
    return folder


def asked(plan: Plan, found: Sequence[StackImage], home: Path) -> Downloads:
    """What the registries say of a stack's images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        return downloads(plan, found)


def section(text: str, image: str) -> str:
    """What is said of one image."""
    return re.split(r"\n(?=  \S|\S|$)", text.partition(f"\n  {image}")[2])[0]


def to_paste(text: str) -> dict[str, Any]:
    return yaml.safe_load(text.partition("lacks, as they are served now\n")[2])["elab:images"]


def test_sizes_and_digests_are_what_the_registry_serves(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(PROJECT)
    monkeypatch.setenv("HOME", str(world.home(tmp_path / "home")))
    status = main(["images", "--stack", "prod", "--sizes"])
    text = capsys.readouterr().out
    assert status == 0, text
    for reference, image in world.images.items():
        if reference != PROXY:  # which skopeo has written anew
            assert f"{shown_bytes(image.sizes[AMD64])} for {AMD64}, in 2 layers" in section(text, reference)
            assert to_paste(text)["digests"][reference] == image.digest
    assert set(to_paste(text)["digests"]) == set(world.images)
    assert ARM64 not in text, "prod has no such node"
    together = sum(image.sizes[AMD64] - len(SHARED) for image in world.images.values()) + len(SHARED)
    said = re.search(rf"^All images of the cluster for {AMD64}: (.*)$", text, re.MULTILINE)
    assert said
    assert said[1] in {shown_bytes(together + more) for more in range(-400, 400)}, "but for the proxy's format"


def test_prod_is_mirrored_with_every_digest_and_then_needs_nothing_else(
    world: World, mirror: Registry, tmp_path: Path
) -> None:
    outside = world.home(tmp_path / "outside", mirror)
    prod, images = plan("prod"), inventory(plan("prod"))
    made = script(images, prod.subject.settings, f"{mirror.address}/all")
    done = ran(made, outside)
    assert done.returncode == 0, done.stderr
    for reference in world.images:
        there = digest(outside, f"{mirror.address}/all/{reference}")
        assert there == digest(outside, f"{world.registry.address}/{reference}"), reference

    taken = len(mirror.uploads)
    assert taken >= len(world.images)
    assert ran(made, outside).returncode == 0
    assert len(mirror.uploads) == taken, "nothing is left to copy"

    text = "\n".join(asked(prod, images, outside).text())
    printed = yaml.safe_load("\n".join(line[4:] for line in made.splitlines() if line.startswith("#   ")))
    folder = project(tmp_path / "mirrored", printed["elab:images"] | to_paste(text))
    mirrored = plans.make(folder, "prod")
    inside = home(tmp_path / "inside", [mirror])
    assert len(mirrored.images) == len(world.images)
    for reference in mirrored.images:
        assert reference.startswith(f"{mirror.address}/all/")
        name, _, pinned = reference.partition("@")
        assert digest(inside, name) == pinned
        assert digest(inside, f"{name.rpartition(':')[0]}@{pinned}") == pinned
    said = asked(mirrored, inventory(mirrored), inside)
    assert not said.faults
    assert "lacks" not in "\n".join(said.text()), "every digest is set"


def test_each_image_that_could_not_be_asked_for_says_why_and_the_others_are_told(world: World, tmp_path: Path) -> None:
    with running(tmp_path / "closed", login=True) as closed, running(tmp_path / "empty") as empty:
        places = {"docker.elastic.co": closed.address, "registry.k8s.io": empty.address}
        places["docker.io"] = "127.0.0.1:1"
        own = world.home(tmp_path / "home", closed, empty, **places)
        said = asked(plan("prod"), inventory(plan("prod")), own)
    assert len(said.faults) == 7
    text = "\n".join(said.text())
    kibana = section(text, "docker.elastic.co/kibana/kibana:9.5.1")
    assert "authentication required" in kibana
    assert "fix: log in: skopeo login docker.elastic.co" in kibana
    assert "fix: correct its name or version" in section(text, "registry.k8s.io/pause:3.10.1")
    assert "connection refused" in section(text, GRAFANA)
    assert "this machine reaches it" in section(text, GRAFANA)
    assert f" for {AMD64}, in 2 layers" in section(text, HUB)
    assert text.count("error: ") == text.count("fix: ") + 1 == 8
    assert text.endswith("error: 7 of 16 images could not be asked for; see above")
    assert set(to_paste(text.partition("\n\nerror")[0])["digests"]) == {
        reference for reference in world.images if not reference.startswith(tuple(places))
    }


def test_a_tag_that_was_moved_is_told_and_what_the_stack_pulls_is_measured(world: World, tmp_path: Path) -> None:
    with running(tmp_path / "moving") as moving:
        own = world.home(tmp_path / "home", moving, **{"docker.io": moving.address})
        versions = [
            layout(tmp_path / name, {AMD64: [layer(name * times)]}) for name, times in (("old", 900), ("new", 1))
        ]
        for version in versions:
            version.push(own, GRAFANA.replace("docker.io", moving.address))
        old, new = versions
        pinned = {GRAFANA: old.digest, HUB: world.images[HUB].digest}
        found = [replace(one, digest=pinned.get(str(one.source), "")) for one in inventory(plan("prod"))]
        said = asked(plan("prod"), found, own)
    assert not said.faults
    text = "\n".join(said.text())
    (told,) = re.findall(r"than the stack says\n((?:  .*\n)*)", text)
    assert told.split() == [
        *(GRAFANA, "the", "stack's", "digest:", old.digest),
        *("the", "tag's", "now:", new.digest),
    ]
    assert f"{shown_bytes(old.sizes[AMD64])} for {AMD64}" in section(text, GRAFANA)
    assert not pinned.keys() & to_paste(text)["digests"].keys()


def small(folder: Path, own: Path, upstream: Registry) -> dict[str, Layout]:
    """Three images in a registry, of which the second is named by digest alone."""
    names = {"up.example.org/a:1": "a", "up.example.org/b": "b", "up.example.org/c:1": "c"}
    images = {}
    for name, word in names.items():
        layers = {AMD64: [SHARED, layer(word)], ARM64: [layer(word, "arm64")]}
        images[name] = layout(folder / word, layers)
        images[name].push(own, name.replace("up.example.org", upstream.address) + (":x" if word == "b" else ""))
    return images


def stack_images(images: Mapping[str, Layout]) -> list[StackImage]:
    """The inventory of a stack that uses them, all by digest but the first."""
    made = []
    for index, (name, image) in enumerate(images.items()):
        source = name if ":" in name else f"{name}@{image.digest}"
        pinned = image.digest if index else ""
        made.append(StackImage(reference=source, source=source, digest=pinned, users=("a test",)))
    return made


def test_what_fails_is_named_the_rest_is_copied_and_the_next_run_copies_only_what_is_missing(
    mirror: Registry, tmp_path: Path
) -> None:
    with running(tmp_path / "upstream") as upstream:
        own = home(tmp_path / "home", [upstream, mirror], {"up.example.org": upstream.address})
        images = small(tmp_path / "layouts", own, upstream)
        a, b, c = images.values()
        made = script(stack_images(images), settings(), mirror.address)
        torn, gone = upstream.blob(a.layers[-2]), upstream.blob(c.digest)
        kept = {path: path.read_bytes() for path in (torn, gone)}
        for path in kept:
            path.unlink()
        done = ran(made, own)
        assert done.returncode == 1
        assert "not copied, for the reasons above:\n  up.example.org/a:1\n  up.example.org/c@sha256:" in done.stderr
        tag = f"by-digest-{b.digest.partition(':')[2][:12]}"
        assert digest(own, f"{mirror.address}/up.example.org/b:{tag}") == b.digest
        before = mirror.uploads
        assert "up.example.org/a" in before, "a copy that broke off half-way"

        for path, content in kept.items():
            path.write_bytes(content)
        # And the mirror has lost a layer that it had.
        mirror.blob(b.layers[1]).unlink()
        done = ran(made, own)
        assert done.returncode == 0, done.stderr
        again = mirror.uploads[len(before) :]
        assert again.count("up.example.org/a") < len(a.layers) + 3, "what was there was not sent again"
        assert again.count("up.example.org/b") == 1
        for name, image in images.items():
            assert digest(own, f"{mirror.address}/{name.partition(':')[0]}@{image.digest}") == image.digest
            for one in image.layers:
                assert mirror.blob(one).exists()


def test_a_mirror_that_is_carried_across_fills_the_one_inside_by_the_same_script(
    mirror: Registry, tmp_path: Path
) -> None:
    with running(tmp_path / "upstream") as upstream, running(tmp_path / "carrier") as carrier:
        own = home(tmp_path / "home", [upstream, carrier], {"up.example.org": upstream.address})
        images = small(tmp_path / "layouts", own, upstream)
        assert ran(script(stack_images(images), settings(), carrier.address), own).returncode == 0
    shutil.copytree(carrier.folder, tmp_path / "carried/data")
    with running(tmp_path / "carried") as carried:
        inside = home(tmp_path / "inside", [carried, mirror], {"up.example.org": f"{carried.address}/up.example.org"})
        done = ran(script(stack_images(images), settings(), mirror.address), inside)
        assert done.returncode == 0, done.stderr
        for name, image in images.items():
            assert digest(inside, f"{mirror.address}/{name.partition(':')[0]}@{image.digest}") == image.digest
