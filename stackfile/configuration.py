"""From the configuration that the engine hands to a program, or the loader reads, to a stack's settings."""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeVar

import pulumi
from pulumi.runtime import config as runtime_config

from stackfile.loader import StackFile, load_stack, stack_file_name
from stackfile.problems import StackError

SettingsT = TypeVar("SettingsT")


def received() -> dict[str, str]:
    """All configuration of the running program: the CLI's language host has it in the environment, an inline program
    and a recorder in the runtime. `pulumi.Config` can't list keys, and an unknown key is to be refused.
    """
    return {**pulumi.runtime.get_config_env(), **runtime_config.CONFIG.get()}


def file_of_running_stack() -> StackFile | None:
    """The file of the stack that the CLI runs, refused as a plan would refuse it.

    The CLI hands on values that it has read: that one was ambiguous, or a secret stands there in clear, can't be seen
    in them. None where there is no file: then the configuration came another way (`--config-file`).

    Raises:
        StackError: with all problems of Pulumi.yaml and of the stack's file.
    """
    directory, stack = pulumi.get_root_directory(), pulumi.get_stack()
    if not directory or not (Path(directory) / stack_file_name(stack)).is_file():
        return None
    return load_stack(Path(directory), stack)


def plain_data(config: Mapping[str, str], project: str, secrets: Collection[str]) -> dict[str, object]:
    """The plain data of the project's keys, without secrets and without keys that are empty, which are unset ones."""
    found: dict[str, object] = {}
    for full, text in config.items():
        namespace, _, name = full.partition(":")
        if namespace == project and name not in secrets and text:
            found[name] = _value(text)
    return found


def _value(text: str) -> object:
    """A mapping or list is handed on as JSON; braces around anything else are text, which its section then refuses."""
    try:
        return json.loads(text) if text.startswith(("{", "[")) else text
    except ValueError:
        return text


def configured(
    read: Callable[[Mapping[str, object]], SettingsT],
    config: Mapping[str, str],
    *,
    project: str,
    secrets: Collection[str],
    file: StackFile | None,
) -> SettingsT:
    """The settings that `read` makes of a configuration.

    Raises:
        StackError: with every problem, located in the file where there is one.
    """
    try:
        return read(plain_data(config, project, secrets))
    except StackError as error:
        raise (file.located(error) if file else error) from None
