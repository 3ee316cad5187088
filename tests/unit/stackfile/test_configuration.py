"""The way from configuration to settings, where no CLI runs."""

from collections.abc import Mapping
from pathlib import Path

import pulumi
import pytest
from pulumi.runtime import settings as runtime

from stackfile.configuration import configured, file_of_running_stack, plain_data
from stackfile.loader import load_stack
from stackfile.problems import Problem, StackError

CONFIG = {
    "elab:instance": "elab",
    "elab:hub": '{"replicas":1}',
    "elab:pools": '["a"]',
    "elab:unset": "",
    "elab:password": "hunter2",
    "pulumi:disable-default-providers": '["*"]',
}


def test_data_holds_neither_secrets_nor_unset_keys_nor_other_namespaces() -> None:
    data = plain_data(CONFIG, "elab", {"password"})
    assert data == {"instance": "elab", "hub": {"replicas": 1}, "pools": ["a"]}


@pytest.mark.parametrize("text", ["{context: prod}", "[elab", "{"])
def test_braces_around_what_is_no_json_are_text_which_a_section_refuses_by_name(text: str) -> None:
    assert plain_data({"elab:cluster": text}, "elab", ()) == {"cluster": text}


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: elab\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  elab:hub:\n    size: 1e3\n")
    monkeypatch.setattr(runtime.SETTINGS, "root_directory", str(tmp_path))
    monkeypatch.setattr(runtime.SETTINGS, "stack", "dev")
    return tmp_path


def test_a_running_program_refuses_what_a_plan_refuses(running: Path) -> None:
    assert pulumi.get_root_directory() == str(running)
    with pytest.raises(StackError, match=r"Pulumi\.dev\.yaml:3 hub\.size"):
        file_of_running_stack()


def test_a_running_program_goes_on_where_its_stack_has_no_file(running: Path) -> None:
    (running / "Pulumi.dev.yaml").unlink()
    assert file_of_running_stack() is None


def test_problems_of_settings_are_located_where_a_file_is_known(running: Path) -> None:
    (running / "Pulumi.dev.yaml").write_text("config:\n  elab:hub:\n    size: 7\n")
    file = load_stack(running, "dev")

    def read(data: Mapping[str, object]) -> None:
        raise StackError([Problem(where="hub.size", found=str(data), allowed="", fix="")])

    with pytest.raises(StackError, match=r"\nPulumi\.dev\.yaml:3 hub\.size\n"):
        configured(read, file.config, project="elab", secrets=(), file=file)
    with pytest.raises(StackError, match=r"\nhub\.size\n"):
        configured(read, file.config, project="elab", secrets=(), file=None)
