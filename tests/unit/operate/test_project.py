"""The lab's copy of the project: made from the repository's stack file, which stays as it is."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from operate import directory, project, rig
from operate.directory import ACCOUNTS, Directory
from operate.steps import OperationError
from stackfile.loader import load_stack

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nlab\n-----END CERTIFICATE-----\n"
PEOPLE = Directory(passwords={"alice": "a word"}, ca=CERTIFICATE, certificate="", key="")
SALT = "v1:salt:of-the-stack"
SECURE = {"secure": "v1:encrypted"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lab's state in a folder of the test's own, and a cluster that is not asked."""
    monkeypatch.setattr(rig, "HOME", tmp_path)
    monkeypatch.setattr(rig, "kubeconfig", lambda: "/lab/kubeconfig")
    return tmp_path


def read(folder: Path) -> dict[str, Any]:
    return yaml.safe_load((folder / "Pulumi.local.yaml").read_text())


def as_the_cli_leaves_it(folder: Path) -> None:
    """What `pulumi config set --secret` writes."""
    found = read(folder)
    found["encryptionsalt"] = SALT
    found["config"]["elab:ldap_bind_password"] = SECURE
    (folder / "Pulumi.local.yaml").write_text(yaml.safe_dump(found))


def test_this_machines_cluster_and_directory_are_filled_in() -> None:
    config = read(project.write("local", PEOPLE))["config"]
    assert config["elab:cluster"] == {"context": "lab", "identifier": "lab", "kubeconfig": "/lab/kubeconfig"}
    assert config["elab:directory"]["ca_certificates"] == CERTIFICATE


def test_salt_and_secrets_of_an_earlier_run_stay() -> None:
    as_the_cli_leaves_it(project.write("local", PEOPLE))
    found = read(project.write("local", PEOPLE))
    assert found["encryptionsalt"] == SALT
    assert found["config"]["elab:ldap_bind_password"] == SECURE


def test_settings_of_an_earlier_run_do_not_stay() -> None:
    folder = project.write("local", PEOPLE, change=lambda config: config.update({"elab:culling": {"timeout": "1m"}}))
    assert read(folder)["config"]["elab:culling"] == {"timeout": "1m"}
    assert "elab:culling" not in read(project.write("local", PEOPLE))["config"]


def test_a_run_that_is_killed_while_writing_loses_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project.write("local", PEOPLE)
    as_the_cli_leaves_it(folder)

    def killed(path: Path, text: str) -> int:
        if path.name.startswith("Pulumi.local"):
            path.write_bytes(b"")
            raise KeyboardInterrupt
        return len(text)

    monkeypatch.setattr(Path, "write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        project.write("local", PEOPLE)
    assert read(folder)["encryptionsalt"] == SALT


def test_the_repositorys_own_files_stay_as_they_are() -> None:
    before = {path.name: path.read_bytes() for path in rig.ROOT.glob("Pulumi*.yaml")}
    as_the_cli_leaves_it(project.write("local", PEOPLE))
    project.write("local", PEOPLE, change=lambda config: config.update({"elab:instance": "second"}))
    assert {path.name: path.read_bytes() for path in rig.ROOT.glob("Pulumi*.yaml")} == before


def test_the_copy_runs_the_repositorys_program_by_a_file_that_it_accepts() -> None:
    folder = project.write("local", PEOPLE)
    as_the_cli_leaves_it(folder)
    assert yaml.safe_load((folder / "Pulumi.yaml").read_text())["main"] == str(rig.ROOT)
    file = load_stack(folder, "local")
    assert file.secret_keys == {"elab:ldap_bind_password"}
    assert file.config["elab:instance"] == "elab"


def test_another_stack_can_be_made_of_the_same_file() -> None:
    folder = project.write("second", PEOPLE, template="local")
    assert (folder / "Pulumi.second.yaml").exists()
    assert folder != project.folder_of("local")


def test_a_secret_is_handed_over_by_standard_input_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told: list[tuple[list[str], str | None]] = []

    def noted(command: list[object], *, text: str | None = None) -> str:
        told.append(([str(part) for part in command], text))
        return ""

    monkeypatch.setattr(rig, "output", noted)
    project.set_secret(tmp_path, "local", "ldap_bind_password", "a secret word")
    ((command, text),) = told
    assert text == "a secret word"
    assert "--secret" in command
    assert [part for part in command if "secret word" in part] == []


@pytest.fixture
def kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(directory, "_KEPT", home / "lab" / "directory.json")
    return home / "lab" / "directory.json"


def test_the_demo_accounts_keep_their_passwords_from_run_to_run(kept: Path) -> None:
    first = directory.kept()
    assert directory.kept() == first
    assert set(first.passwords) == {"elab", *ACCOUNTS}
    assert len(set(first.passwords.values())) == len(first.passwords)


def test_the_demo_passwords_are_readable_by_their_owner_alone(kept: Path) -> None:
    directory.kept()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"passwords": {}'])
def test_accounts_that_can_not_be_read_are_named_with_the_way_out(text: str, kept: Path) -> None:
    kept.parent.mkdir()
    kept.write_text(text)
    with pytest.raises(OperationError, match=rf"can't be read from {kept}\nfound: .*\nallowed: .*\nfix: rm {kept}"):
        directory.kept()


def test_a_directory_knows_every_account_that_is_announced() -> None:
    found = directory.new()
    content = directory.people(found)
    for name in ACCOUNTS:
        assert f"uid={name}," in content
        assert found.passwords[name] in content
    assert "$" not in content
