"""The recording monitor and engine: what a Pulumi program talks to instead of the CLI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import alias_pb2, engine_pb2, resource_pb2

from . import wire
from .fakes import outputs_of
from .recording import STACK_REFERENCE, STACK_TYPE, Message, Recorded, strings_in, value_at


class DuplicateUrnError(Exception):
    """Two resources of one type, name and parent: the engine would refuse the second."""


class UnexpectedInvokeError(Exception):
    """The program asked a provider or the cluster a question, which a plan can't answer."""


class UnexpectedReferenceError(Exception):
    """The program asked for another stack's outputs, and the plan knows none of them."""


class _NoMocks(Mocks):
    """The recorder answers everything itself; stock mocks must never be reached."""

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise UnexpectedInvokeError(args.token)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise NotImplementedError(args.typ)


class RecordingMonitor(MockMonitor):
    """Records every request with all its options, and answers as the providers would.

    The stock monitor hides protect, parent and dependencies, drops grandparents from URNs and overwrites duplicates.
    """

    def __init__(self, *, project: str, stack: str, preview: bool, references: Mapping[str, Mapping[str, Any]]) -> None:
        """`references`: the outputs of other stacks, by their names."""
        super().__init__(_NoMocks())
        self._references = references
        self._preview = preview
        self._prefix = f"urn:pulumi:{stack}::{project}::"
        self.recorded: dict[str, Recorded] = {}
        self.registered_outputs: dict[str, Mapping[str, Any]] = {}
        self.secret_outputs: dict[str, frozenset[str]] = {}
        self.secrets: set[str] = set()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The engine's URN: all ancestors' types but the stack's, joined by `$`."""
        parent_type = parent.split("::")[2] if parent else ""
        if parent_type and parent_type != STACK_TYPE:
            type_ = f"{parent_type}${type_}"
        return f"{self._prefix}{type_}::{name}"

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        urn = self.make_urn(request.parent, request.type, request.name)
        inputs, secret_paths = wire.plain(request.object)
        self._keep(
            Recorded(
                urn=urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                custom=request.custom,
                inputs=inputs,
                secret_paths=secret_paths,
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                dependencies=tuple(sorted(request.dependencies)),
                aliases=(*request.aliasURNs, *(_alias(alias) for alias in request.aliases)),
                ignore_changes=tuple(request.ignoreChanges),
                replace_on_changes=tuple(request.replaceOnChanges),
                delete_before_replace=request.deleteBeforeReplace,
                provider=request.provider,
                import_id=request.importId,
                timeouts={
                    verb: getattr(request.customTimeouts, verb)
                    for verb in ("create", "update", "delete")
                    if getattr(request.customTimeouts, verb)
                },
            )
        )
        for path in secret_paths:
            self.secrets.update(strings_in(value_at(inputs, path)))
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        identity, added = outputs_of(request.type, request.name, urn, inputs)
        if self._preview:
            # As in a real preview: no ids, and what a provider makes up (random values, digests) is left out.
            identity, added = "", {name: value for name, value in added.items() if name in inputs or name == "metadata"}
        return resource_pb2.RegisterResourceResponse(
            urn=urn,
            id=identity,
            object=self._state(request.object, added, frozenset(request.additionalSecretOutputs)),
        )

    def _state(
        self, inputs: struct_pb2.Struct, added: Mapping[str, Any], secret_names: frozenset[str]
    ) -> struct_pb2.Struct:
        fields = dict(inputs.fields) | {name: wire.wire(value) for name, value in added.items()}
        for name in secret_names & fields.keys():
            self.secrets.update(strings_in(wire.plain(struct_pb2.Struct(fields={name: fields[name]}))[0]))
            fields[name] = wire.secret(fields[name])
        return struct_pb2.Struct(fields=fields)

    def _keep(self, resource: Recorded) -> None:
        if resource.urn in self.recorded:
            raise DuplicateUrnError(f"two resources have the URN {resource.urn}: give one another name")
        self.recorded[resource.urn] = resource

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:
        urn = self.make_urn(request.parent, request.type, request.name)
        inputs, secret_paths = wire.plain(request.properties)
        self._keep(
            Recorded(
                urn=urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                custom=True,
                inputs=inputs,
                secret_paths=secret_paths,
                dependencies=tuple(sorted(request.dependencies)),
                provider=request.provider,
                import_id=request.id,
                read=True,
            )
        )
        if request.type == STACK_REFERENCE:
            return resource_pb2.ReadResourceResponse(urn=urn, properties=self._reference(request))
        return resource_pb2.ReadResourceResponse(urn=urn, properties=request.properties)

    def _reference(self, request: resource_pb2.ReadResourceRequest) -> struct_pb2.Struct:
        """Another stack's outputs, as the engine would read them from its state."""
        name = request.properties.fields["name"].string_value
        try:
            outputs = self._references[name]
        except KeyError:
            raise UnexpectedReferenceError(f"the outputs of stack {name} are asked for, and nobody gave them") from None
        secrets = [output for output, value in outputs.items() if not isinstance(value, str)]
        for output in secrets:
            self.secrets.update(strings_in(outputs[output]))
        shown = {
            output: wire.secret(wire.wire(value)) if output in secrets else value for output, value in outputs.items()
        }
        return struct_pb2.Struct(
            fields={
                "name": wire.wire(name),
                "outputs": wire.wire(shown),
                "secretOutputNames": wire.wire(secrets),
            }
        )

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:
        raise UnexpectedInvokeError(f"{request.tok} is asked while planning, where no provider answers")

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> empty_pb2.Empty:
        outputs, secret_paths = wire.plain(request.outputs)
        self.registered_outputs[request.urn] = outputs
        self.secret_outputs[request.urn] = frozenset(str(path[0]) for path in secret_paths)
        for path in secret_paths:
            self.secrets.update(strings_in(value_at(outputs, path)))
        return empty_pb2.Empty()


class RecordingEngine:
    """Keeps what the program logs, less the SDK's own debug lines."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def Log(self, request: engine_pb2.LogRequest) -> empty_pb2.Empty:
        severity = engine_pb2.LogSeverity.Name(request.severity).lower()
        if severity != "debug":
            self.messages.append(Message(severity=severity, text=request.message, urn=request.urn))
        return empty_pb2.Empty()


def _alias(alias: alias_pb2.Alias) -> str:
    if alias.WhichOneof("alias") == "urn":
        return alias.urn
    spec = alias.spec
    parts = {
        "name": spec.name,
        "type": spec.type,
        "stack": spec.stack,
        "project": spec.project,
        "parent": spec.parentUrn or ("none" if spec.noParent else ""),
    }
    return ",".join(f"{part}={value}" for part, value in parts.items() if value)
