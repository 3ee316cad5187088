"""A language host for Python that can do one thing: run a policy pack, as an engine asks one to that finds a host.

It stands where the official one would, on PATH; the engine then tells the pack of its stack by calls alone.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """What the engine asks of a language."""

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Run the pack's folder by the Python of its virtual environment, and pass on what it prints."""
        folder = Path(request.info.root_directory)
        python = folder / str(request.info.options["virtualenv"]) / "bin/python"
        environment = dict(each.split("=", 1) for each in request.env)
        if "PULUMI_CONFIG" in environment:
            raise ValueError("the engine gave variables: this is the other way to start a pack")
        process = subprocess.Popen(
            [python, folder, *request.args], cwd=request.pwd, env=environment, stdout=subprocess.PIPE, bufsize=0
        )
        context.add_callback(process.kill)
        assert process.stdout
        for line in process.stdout:
            yield language_pb2.RunPluginResponse(stdout=line)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())


def install(folder: Path) -> None:
    """Put the host into a folder, by the name that the engine looks for."""
    program = folder / "pulumi-language-python"
    root = Path(__file__).parents[2]
    program.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {sys.executable} -m tests.cli.language_host "$@"\n')
    program.chmod(0o755)


def main() -> None:
    """Serve on loopback until the engine ends it."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.wait_for_termination()


if __name__ == "__main__":
    main()
