"""A faulty application is told by file and field, with the way out; all faults of all applications at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from elab_apps.__main__ import main
from elab_apps.applications import chosen, load
from elab_apps.problems import ApplicationsError

from .folders import IMAGE, add, release

FILE = "apps/hello/app.yaml"
WITH_RELEASE = {"version": "1.0", "downloads": [release()]}

FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "missing-name": ({"remove": ("name",)}, f"{FILE}: name", "add name"),
    "missing-description": ({"remove": ("description",)}, f"{FILE}: description", "add description"),
    "missing-title": ({"remove": ("title",)}, f"{FILE}: title", "add title"),
    "missing-memory": ({"remove": ("memory",)}, f"{FILE}: memory", "add memory"),
    "missing-timeout": ({"remove": ("timeout",)}, f"{FILE}: timeout", "add timeout"),
    "unknown": ({"timeuot": 20}, f"{FILE}: timeuot", "write timeout"),
    "unknown-package": ({"packages": {"pyhton": ["a==1"]}}, f"{FILE}: packages.pyhton", "write python"),
    "no-quantity": ({"memory": "1 GB"}, f"{FILE}: memory", "with Ki, Mi or Gi"),
    "too-short": ({"timeout": 5}, f"{FILE}: timeout", "10 to 600"),
    "text-for-a-number": ({"timeout": "20"}, f"{FILE}: timeout", "10 to 600"),
    "privileged-port": ({"port": 80, "command": ["hello"]}, f"{FILE}: port", "1024 to 65535"),
    "ports-own": ({"port": 8888, "command": ["hello"]}, f"{FILE}: port", "port: any"),
    "unpinned": ({"packages": {"python": ["marimo"]}}, f"{FILE}: packages.python.0", "pinned with =="),
    "number-in-environment": ({"environment": {"LIMIT": 3}}, f"{FILE}: environment.LIMIT", "values are text"),
    "other-name": ({"name": "hallo"}, f"{FILE}: name", '"hello", its folder'),
    "no-start": ({"remove": ("command", "port")}, f"{FILE}: command", "exactly one of the two"),
    "two-starts": (
        {"entry_point": "hello", "packages": {"jupyter": ["hello==1"]}},
        f"{FILE}: command",
        "exactly one of the two",
    ),
    "entry-point-without-package": (
        {"remove": ("command", "port"), "entry_point": "hello"},
        f"{FILE}: packages.jupyter",
        "add it, pinned",
    ),
    "nowhere": ({"remove": ("port",), "command": ["hello"]}, f"{FILE}: port", "exactly one of the two"),
    "two-places": ({"unix_socket": True}, f"{FILE}: port", "exactly one of the two"),
    "port-not-told": ({"command": ["hello"]}, f"{FILE}: command", "{port}"),
    "socket-not-told": ({"remove": ("port",), "unix_socket": True, "command": ["h"]}, f"{FILE}: command", "{unix_soc"),
    "unknown-template": ({"command": ["hello", "{port}", "{prefix}"]}, f"{FILE}: command.2", "{base_url}"),
    "no-expression": ({"idle_requests": ["events/("]}, f"{FILE}: idle_requests.0", "a regular expression"),
    "no-install-script": (WITH_RELEASE, f"{FILE}: downloads", "an install.sh"),
    "no-checksum": (
        {"downloads": [{key: value for key, value in release().items() if key != "checksum"}]},
        f"{FILE}: downloads.0.checksum",
        "sha256sum",
    ),
    "short-checksum": ({"downloads": [release(checksum="sha256:12")]}, f"{FILE}: downloads.0.checksum", "sha256: and"),
    "another-scheme": ({"downloads": [release(url="ftp://a/b")]}, f"{FILE}: downloads.0.url", "an http(s) address"),
    "outside": ({"downloads": [release(url="a/../../b")]}, f"{FILE}: downloads.0.url", "within the image's folder"),
    "of-the-machine": ({"downloads": [release(url="/etc/hosts")]}, f"{FILE}: downloads.0.url", "within the image's"),
    "number-as-version": ({"version": 3.7}, f"{FILE}: version", "in quotes"),
}


def faults(context: Path, downloads: Path | None = None) -> list[str]:
    with pytest.raises(ApplicationsError) as error:
        load(context, downloads)
    return [str(problem) for problem in error.value.problems]


def test_the_projects_own_applications_have_no_fault() -> None:
    assert [application.name for application in load(IMAGE)] == ["marimo", "openrefine", "rstudio"]


def test_an_application_without_a_fault_is_read(tmp_path: Path) -> None:
    add(tmp_path, port=4000, environment={"A": "{base_url}"})
    (application,) = load(tmp_path)
    assert (application.port, application.command, application.environment) == (
        4000,
        ("hello", "--port={port}"),
        {"A": "{base_url}"},
    )


@pytest.mark.parametrize(("fields", "where", "says"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_once_with_its_place_and_the_way_out(
    fields: dict[str, Any], where: str, says: str, tmp_path: Path
) -> None:
    add(tmp_path, **fields)
    (problem,) = faults(tmp_path)
    assert problem.startswith(f"{where}\n")
    assert says in problem


def test_no_application_takes_a_path_of_jupyters_own(tmp_path: Path) -> None:
    add(tmp_path, "lab")
    (problem,) = faults(tmp_path)
    assert problem.startswith("apps/lab/app.yaml: name\n")


def test_every_fault_of_every_application_is_told_at_once(tmp_path: Path) -> None:
    add(tmp_path, "first", timeout=1, memory="x")
    add(tmp_path, "second", colour="red")
    assert [problem.partition("\n")[0] for problem in faults(tmp_path)] == [
        "apps/first/app.yaml: memory",
        "apps/first/app.yaml: timeout",
        "apps/second/app.yaml: colour",
    ]


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("title", {"title": "Hello"}),
        ("port", {"port": 4000}),
        (
            "entry_point",
            {"entry_point": "hello", "packages": {"jupyter": ["hello==1"]}, "remove": ("command", "port")},
        ),
    ],
)
def test_two_applications_share_no_title_port_or_entry_point(
    field: str, fields: dict[str, Any], tmp_path: Path
) -> None:
    add(tmp_path, "first", **fields)
    add(tmp_path, "second", **fields)
    (problem,) = faults(tmp_path)
    assert problem.startswith(f"apps/second/app.yaml: {field}\n")
    assert "apps/first/app.yaml" in problem


def test_two_applications_may_each_take_any_free_port(tmp_path: Path) -> None:
    add(tmp_path, "first")
    add(tmp_path, "second")
    assert len(load(tmp_path)) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a list", "keys and values"),
        ("name: [", "no YAML at line 1"),
        ("", "keys and values"),
        ("name: hello\nname: again", "no YAML at line 2: name stands there twice"),
        ("title: Caf\udce9", "no UTF-8 at byte 10"),
    ],
)
def test_a_file_that_is_no_application_is_told(text: str, says: str, tmp_path: Path) -> None:
    (add(tmp_path) / "app.yaml").write_bytes(text.encode(errors="surrogateescape"))
    (problem,) = faults(tmp_path)
    assert problem.startswith(f"{FILE}\n")
    assert says in problem


def test_a_folder_without_its_file_or_its_icon_is_told(tmp_path: Path) -> None:
    (add(tmp_path, "bare") / "app.yaml").unlink()
    (add(tmp_path, "plain") / "icon.svg").unlink()
    assert [problem.partition("\n")[0] for problem in faults(tmp_path)] == [
        "apps/bare/app.yaml",
        "apps/plain/icon.svg",
    ]


def test_what_editors_and_python_leave_is_no_application(tmp_path: Path) -> None:
    add(tmp_path)
    for name in (".ipynb_checkpoints", "__pycache__"):
        (tmp_path / "apps" / name).mkdir()
    assert len(load(tmp_path)) == 1


def test_an_images_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    (problem,) = faults(tmp_path / "elsewhere")
    assert problem.startswith(f"{tmp_path}/elsewhere\n")


def with_release(context: Path, **fields: object) -> None:
    folder = add(context, version="1.0", downloads=[release(**fields)])
    (folder / "install.sh").touch()


def test_other_downloads_take_the_place_of_an_applications_own(tmp_path: Path) -> None:
    with_release(tmp_path)
    other = tmp_path / "mirror.yaml"
    other.write_text(
        f"hello: {{version: '2.0', downloads: [{release(url='https://mirror.example.org/{version}.gz')}]}}"
    )
    (application,) = load(tmp_path, other)
    assert [download.url for download in application.downloads] == ["https://mirror.example.org/2.0.gz"]
    assert load(tmp_path)[0].downloads[0].url == "https://example.org/hello-1.0.tar.gz"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("hallo: {downloads: []}", "mirror.yaml: hallo"),
        ("hello: {downloads: [{file: a}]}", "mirror.yaml: hello.downloads.0.checksum"),
        ("hello: {version: '1'}", "mirror.yaml: hello.downloads"),
        ("hello: {title: Other, downloads: []}", "mirror.yaml: hello.title"),
    ],
)
def test_a_fault_of_other_downloads_is_told_by_their_file(text: str, where: str, tmp_path: Path) -> None:
    with_release(tmp_path)
    (tmp_path / "mirror.yaml").write_text(text)
    assert where in [problem.partition("\n")[0] for problem in faults(tmp_path, tmp_path / "mirror.yaml")]


@pytest.mark.parametrize(
    ("content", "field", "says"),
    [(None, "url", "which is not in the image's folder"), (b"another", "checksum", "ask the publisher")],
    ids=["absent", "another"],
)
def test_a_release_in_the_folder_that_is_absent_or_another_is_told_before_anything_is_built(
    content: bytes | None, field: str, says: str, tmp_path: Path
) -> None:
    with_release(tmp_path, url="releases/hello.gz")
    if content:
        (tmp_path / "releases").mkdir()
        (tmp_path / "releases/hello.gz").write_bytes(content)
    (problem,) = faults(tmp_path)
    assert problem.startswith(f"{FILE}: downloads.0.{field}\n")
    assert says in problem
    other = tmp_path / "mirror.yaml"
    other.write_text(f"hello: {{downloads: [{release(url='releases/hello.gz')}]}}")
    (problem,) = faults(tmp_path, other)
    assert problem.startswith(f"mirror.yaml: hello.downloads.0.{field}\n")


def test_a_file_of_downloads_that_is_not_there_is_told(tmp_path: Path) -> None:
    with_release(tmp_path)
    (problem,) = faults(tmp_path, tmp_path / "mirror.yaml")
    assert "correct the argument DOWNLOADS" in problem


def test_a_release_is_chosen_by_distribution_and_architecture() -> None:
    rstudio = [application for application in load(IMAGE) if application.name == "rstudio"]
    (noble,) = chosen(rstudio, "amd64", "noble")["rstudio"]
    (focal,) = chosen(rstudio, "amd64", "focal")["rstudio"]
    assert "/jammy/" in noble.url
    assert "/focal/" in focal.url
    assert noble.checksum != focal.checksum


@pytest.mark.parametrize(("architecture", "codename"), [("arm64", "noble"), ("amd64", "trixie"), ("arm64", None)])
def test_a_machine_that_no_release_is_made_for_is_told_before_anything_is_built(
    architecture: str, codename: str | None
) -> None:
    with pytest.raises(ApplicationsError) as error:
        chosen(load(IMAGE), architecture, codename)
    (problem,) = error.value.problems
    assert problem.where == "apps/rstudio/app.yaml: downloads"
    assert "amd64 on jammy, noble" in problem.allowed


def test_the_command_says_what_is_wrong_in_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(tmp_path, timeout=1)
    assert main(["check", "--context", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("\nerror: the applications have 1 problem\n\napps/hello/app.yaml: timeout\n")
    assert "Traceback" not in said.err
