"""Between Pulumi's wire format (protobuf Structs with marked secrets and unknowns) and plain Python values."""

from __future__ import annotations

from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

from .recording import UNKNOWN, Json, Path


def plain(struct: struct_pb2.Struct) -> tuple[dict[str, Any], frozenset[Path]]:
    """A Struct as a dict with sorted keys, and the paths of what was marked secret.

    Whole numbers become ints: on the wire all numbers are floats.
    """
    secrets: set[Path] = set()
    value = {name: _plain(struct.fields[name], (name,), secrets) for name in sorted(struct.fields)}
    return value, frozenset(secrets)


def _plain(value: struct_pb2.Value, path: Path, secrets: set[Path]) -> Json:
    match value.WhichOneof("kind"):
        case "struct_value":
            fields = value.struct_value.fields
            signature = fields[rpc._special_sig_key].string_value if rpc._special_sig_key in fields else None
            if signature == rpc._special_secret_sig:
                secrets.add(path)
                return _plain(fields["value"], path, secrets)
            if signature == rpc._special_resource_sig:
                return fields["urn"].string_value
            names = sorted(name for name in fields if name != rpc._special_sig_key)
            return {name: _plain(fields[name], (*path, name), secrets) for name in names}
        case "list_value":
            return [_plain(item, (*path, index), secrets) for index, item in enumerate(value.list_value.values)]
        case "string_value":
            return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number == int(number) else number
        case "bool_value":
            return value.bool_value
    return None


def wire(value: Json | struct_pb2.Value) -> struct_pb2.Value:
    """A plain value (or an already wired one) as a protobuf Value; None becomes null."""
    if isinstance(value, struct_pb2.Value):
        return value
    if isinstance(value, dict):
        return struct_pb2.Value(struct_value=struct_pb2.Struct(fields={key: wire(item) for key, item in value.items()}))
    if isinstance(value, list | tuple):
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[wire(item) for item in value]))
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    raise TypeError(f"a resource's output can't be a {type(value).__name__}")


def secret(value: struct_pb2.Value) -> struct_pb2.Value:
    """The value marked secret (unchanged if it is already)."""
    fields = value.struct_value.fields
    if rpc._special_sig_key in fields and fields[rpc._special_sig_key].string_value == rpc._special_secret_sig:
        return value
    return wire({rpc._special_sig_key: rpc._special_secret_sig, "value": value})
