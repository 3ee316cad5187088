"""Plugins called as the engine calls them, and the lab that the tests run against."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc

from lab.plugins.standins.values import Value, Values

RIG = Path(__file__).resolve().parent.parent.parent
Kubectl = Callable[..., str]
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def struct(values: Values) -> struct_pb2.Struct:
    return json_format.ParseDict(values, struct_pb2.Struct())


def plain(message: struct_pb2.Struct) -> Values:
    """The message as Python, secrets bare."""

    def bare(value: Value) -> Value:
        if isinstance(value, dict):
            return bare(value["value"]) if value.get(SIGNATURE) == SECRET else {k: bare(v) for k, v in value.items()}
        return [bare(item) for item in value] if isinstance(value, list) else value

    return bare(json_format.MessageToDict(message))


def is_secret(message: struct_pb2.Struct, name: str) -> bool:
    """Whether the engine is told to store this property encrypted."""
    value = json_format.MessageToDict(message)[name]
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


class Plugin:
    """A plugin's process, and its calls."""

    def __init__(self, name: str, config: Values | None = None) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [RIG / f"plugins/bin/pulumi-resource-{name}"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LAB_PLUGIN_PYTHON": sys.executable},
        )
        self.calls = provider_pb2_grpc.ResourceProviderStub(
            grpc.insecure_channel(f"127.0.0.1:{int(self._stdout().readline())}")
        )
        self.calls.Configure(pb.ConfigureRequest(args=struct(config or {})))

    def _stdout(self) -> IO[str]:
        assert self.process.stdout
        return self.process.stdout

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(10) == 0

    def what(self, type_: str, name: str) -> Values:
        return {"type": f"{self.name}:{type_}", "name": name, "urn": f"urn:pulumi:s::p::{self.name}:{type_}::{name}"}

    def check(self, type_: str, name: str, news: Values, olds: Values | None = None) -> tuple[Values, dict[str, str]]:
        reply = self.calls.Check(
            pb.CheckRequest(**self.what(type_, name), news=struct(news), olds=struct(olds or {}), randomSeed=b"seed")
        )
        return plain(reply.inputs), {failure.property: failure.reason for failure in reply.failures}

    def diff(
        self, type_: str, name: str, old: Values, new: Values, state: Values | None = None, id_: str = "x"
    ) -> pb.DiffResponse:
        return self.calls.Diff(
            pb.DiffRequest(
                **self.what(type_, name), id=id_, old_inputs=struct(old), olds=struct(state or old), news=struct(new)
            )
        )

    def create(
        self, type_: str, name: str, inputs: Values, preview: bool = False, timeout: float = 0
    ) -> tuple[str, struct_pb2.Struct]:
        reply = self.calls.Create(
            pb.CreateRequest(**self.what(type_, name), properties=struct(inputs), preview=preview, timeout=timeout)
        )
        return reply.id, reply.properties

    def update(
        self, type_: str, name: str, id_: str, old: Values, new: Values, state: struct_pb2.Struct, preview: bool = False
    ) -> struct_pb2.Struct:
        reply = self.calls.Update(
            pb.UpdateRequest(
                **self.what(type_, name), id=id_, old_inputs=struct(old), news=struct(new), olds=state, preview=preview
            )
        )
        return reply.properties

    def read(
        self, type_: str, name: str, id_: str, inputs: Values | None = None, state: struct_pb2.Struct | None = None
    ) -> pb.ReadResponse:
        return self.calls.Read(
            pb.ReadRequest(**self.what(type_, name), id=id_, inputs=struct(inputs or {}), properties=state)
        )

    def delete(
        self,
        type_: str,
        name: str,
        id_: str,
        state: struct_pb2.Struct,
        inputs: Values | None = None,
        timeout: float = 60,
    ) -> None:
        self.calls.Delete(
            pb.DeleteRequest(
                **self.what(type_, name), id=id_, properties=state, timeout=timeout, old_inputs=struct(inputs or {})
            )
        )


@dataclass(frozen=True, kw_only=True)
class Lab:
    """The lab with this LAB_HOME."""

    home: Path

    def run(self, *args: str | Path, text: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LAB_HOME": str(self.home), **env}
        command = [sys.executable, RIG / "lab", *args]
        return subprocess.run(command, capture_output=True, text=True, input=text, env=environment)

    def kubectl(self, *args: str, text: str | None = None) -> str:
        done = self.run("kubectl", *args, text=text)
        assert done.returncode == 0, done.stderr
        return done.stdout
