"""What a build makes of the applications' files, and what it refuses."""

import json
import shutil
import ssl
import tarfile
from pathlib import Path
from typing import Any

import pytest

from lab.labkit import notebook, oci, settings

FAULTY = "lab.local/faulty:1"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
TOOL = "#!/bin/sh\nexec sleep infinity\n"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """The image's folder with one small application only, so that a build is short."""
    folder = tmp_path / "notebook-image"
    shutil.copytree(notebook.CONTEXT, folder, ignore=shutil.ignore_patterns("__pycache__", "apps"))
    own = folder / "apps/tiny"
    own.mkdir(parents=True)
    shutil.copy(notebook.CONTEXT / "apps/rstudio/icon.svg", own)
    (own / "tool").write_text(TOOL)
    (own / "install.sh").write_text('install -m 0755 "$ELAB_DOWNLOADS/tool" "$ELAB_APP/bin/tool"\n')
    return folder


def _application(context: Path, **change: Any) -> None:  # noqa: ANN401  fields of app.yaml
    application = {
        "name": "tiny",
        "title": "Tiny",
        "description": "Does nothing.",
        "memory": "64Mi",
        "timeout": 10,
        "command": ["tool", "{port}"],
        "port": "any",
    }
    # JSON is YAML too.
    (context / "apps/tiny/app.yaml").write_text(json.dumps(application | change))


def _download(checksum: str) -> dict[str, str]:
    return {"file": "tool", "url": "apps/tiny/tool", "checksum": checksum, "source": "this test"}


def _refusal(context: Path) -> str:
    """What the build says at its end; nothing was made."""
    with pytest.raises(SystemExit) as refused:
        notebook.build(context, FAULTY)
    text = str(refused.value)
    assert "Traceback" not in text
    assert text.count("the applications have 1 problem") == 1
    assert not notebook.built(FAULTY).exists()
    return text


def test_a_release_with_another_checksum_stops_the_build(context: Path) -> None:
    checksum = f"sha256:{'0' * 64}"
    _application(context, downloads=[_download(checksum)])
    text = _refusal(context)
    assert "apps/tiny/app.yaml: downloads.0.checksum" in text
    assert checksum in text


def test_a_command_that_is_not_in_the_image_stops_the_build(context: Path) -> None:
    _application(context, command=["no-such-program", "{port}"])
    (context / "apps/tiny/install.sh").unlink()
    text = _refusal(context)
    assert "apps/tiny/app.yaml: command.0" in text
    assert '"no-such-program", which is not in the image' in text


@pytest.fixture(scope="module")
def image() -> oci.Image:
    """The image as `make up` builds it; nothing to do where that has been."""
    return notebook.build()


def test_nothing_of_the_machine_that_built_it_is_in_the_image(image: oci.Image) -> None:
    named = {variable.partition("=")[0] for variable in image.config["Env"]}
    assert not {name for name in named if "proxy" in name.lower() or name.startswith(("PIP_", "SSL_"))}
    with tarfile.open(image.layers[-1].file) as layer:
        # buildah leaves empty ones where it mounts the machine's.
        filled = {member.name for member in layer if member.isfile() and member.size}
        java = layer.extractfile("etc/ssl/certs/java/cacerts")
        assert java is not None
        trusted = java.read()
    left = ("etc/ssl/certs/ca-certificates.crt", "etc/resolv.conf", "etc/hosts", "root/", "var/cache/elab/", "run/")
    assert not [path for path in filled if path.startswith(left)]
    # Java keeps a copy of every authority that it found while it was installed.
    machine = _authorities(AUTHORITIES)
    base = _authorities(settings.IMAGES / "base/rootfs" / AUTHORITIES.relative_to("/"))
    assert any(authority in trusted for authority in base), "as they are looked for, they can be found"
    assert not [authority for authority in machine - base if authority in trusted]


def _authorities(bundle: Path) -> set[bytes]:
    end = "-----END CERTIFICATE-----\n"
    found = bundle.read_text().split(end)
    return {ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN") :] + end) for text in found if "-----BEGIN" in text}


def test_the_image_has_every_application_with_its_icon_and_runs_as_nobody_special(image: oci.Image) -> None:
    with tarfile.open(image.layers[-1].file) as layer:
        written = layer.extractfile("opt/elab/applications.json")
        assert written is not None
        applications = json.loads(written.read())
        paths = set(layer.getnames())
    assert {one["name"] for one in applications} == {path.name for path in (notebook.CONTEXT / "apps").iterdir()}
    assert {one["icon"].lstrip("/") for one in applications} <= paths
    assert image.config["User"] == "1000"
    assert image.config["Entrypoint"] == ["tini", "-g", "--", "start.sh"]


def test_an_unchanged_folder_is_not_built_again_and_a_changed_one_is(context: Path) -> None:
    _application(context)
    before = notebook.fingerprint(context)
    assert notebook.fingerprint(context) == before
    _application(context, timeout=11)
    assert notebook.fingerprint(context) != before
