"""The engine that a stand-in plugin serves, as far as the plugin speaks to it."""

from contextlib import suppress

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

OPTIONS = [("grpc.max_receive_message_length", 400 * 2**20), ("grpc.max_send_message_length", 400 * 2**20)]
"""Of every channel: a state may be large."""


class Engine:
    """The engine's log, as far as it is there (it is not when a test calls the plugin)."""

    def __init__(self, address: str | None) -> None:
        self.stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address, OPTIONS)) if address else None

    def log(
        self,
        urn: str,
        message: str,
        severity: engine_pb2.LogSeverity.ValueType = engine_pb2.INFO,
        passing: bool = False,
    ) -> None:
        """Show a message beside the resource; a passing one is gone with the next."""
        if self.stub:
            with suppress(grpc.RpcError):
                self.stub.Log(engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=passing))

    def progress(self, urn: str, message: str) -> None:
        """Show what is going on."""
        self.log(urn, message, passing=True)

    def warn(self, urn: str, message: str) -> None:
        """Show a warning."""
        self.log(urn, message, engine_pb2.WARNING)
