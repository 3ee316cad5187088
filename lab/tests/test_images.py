"""Images: their names, what makes them stale, and what an archive holds."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from lab.labkit import build, containerd, images, oci, settings


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("alpine", "docker.io/library/alpine:latest"),
        ("jupyter/base:1", "docker.io/jupyter/base:1"),
        ("lab.local/hub:1", "lab.local/hub:1"),
        ("localhost:5000/hub", "localhost:5000/hub:latest"),
        ("registry.k8s.io/pause@sha256:aa", "registry.k8s.io/pause@sha256:aa"),
    ],
)
def test_references_become_what_containerd_calls_them(given: str, full: str) -> None:
    assert containerd.normalized(given) == full


def test_every_recipe_names_what_exists() -> None:
    for name in images.names():
        recipe = images.recipe(name)
        assert set(recipe) <= {"parent", "reference", "suite", "packages", "dpkg_options", "programs", "config"}
        assert recipe.get("parent", "base") in images.names()
        assert recipe["reference"] == f"lab.local/{name}:1"


def test_every_program_of_a_recipe_is_one_that_the_lab_builds() -> None:
    built = {program for one in build.of_images() for program in one.programs}
    copied = {program for name in images.names() for program in images.recipe(name).get("programs", {})}
    assert copied <= built


def test_an_image_has_just_its_own_programs_built_and_only_what_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "BIN", tmp_path)
    asked: list[str] = []

    def made(one: build.GoBuild, *, rebuild: bool) -> bool:
        asked.append(one.name)
        (tmp_path / one.programs[0]).touch()
        one.record.write_text(one.fingerprint())
        return not rebuild

    monkeypatch.setattr(build, "_go_build", made)
    build.ensure(["prometheus", "promtool"])
    build.ensure(["prometheus"])
    assert sorted(asked) == ["prometheus", "promtool"]


def test_python_images_name_every_version() -> None:
    for file in images.RECIPES.glob("*/requirements.txt"):
        lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
        assert lines
        assert all(line.count("==") == 1 for line in lines)
        assert "--no-deps" in file.with_name("install.sh").read_text()


def test_an_images_parent_makes_it_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "RECIPES", tmp_path)
    for name, recipe in (("below", {}), ("above", {"parent": "below"})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "image.json").write_text(json.dumps(recipe))
    images.recipe.cache_clear()
    before = images.fingerprint("above")
    (tmp_path / "below/install.sh").write_text("true\n")
    after = images.fingerprint("above")
    images.recipe.cache_clear()
    assert before != after


def test_an_archives_digests_are_those_of_its_contents(tmp_path: Path) -> None:
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/hello").write_text("world")
    layer = oci.pack(tmp_path / "root", "test", tmp_path / "layer.tar")
    image, out = oci.Image(layers=[layer], config={"Cmd": ["true"]}), io.BytesIO()
    image.write("lab.local/test:1", out)
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        blobs = {member.name: archive.extractfile(member) for member in archive if member.name.startswith("blobs/")}
        contents = {name: file.read() for name, file in blobs.items() if file}
    assert f"blobs/{image.digest.replace(':', '/')}" in contents
    assert len(contents) == 3
    for name, content in contents.items():
        assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    less = io.BytesIO()
    image.write("lab.local/test:1", less, known=[layer.digest])
    assert len(less.getvalue()) < len(out.getvalue())


def test_a_layout_has_the_archives_files_and_no_second_copy_of_a_layer(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    layer = oci.pack(tmp_path / "root", "test", tmp_path / "layer.tar")
    image, out = oci.Image(layers=[layer], config={"Cmd": ["true"]}), io.BytesIO()
    image.write("lab.local/test:1", out)
    image.lay_out("lab.local/test:1", tmp_path / "layout")
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            assert (tmp_path / "layout" / member.name).read_bytes() == content.read()
    assert (tmp_path / "layout" / oci.blob(layer.digest)).samefile(layer.file)
