"""Who may call what: a user's roles, as Elasticsearch's role API describes them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

_CLUSTER = {
    r"(info|security\.(authenticate|has_privileges))": (),
    r"(cluster\.(health|get_settings)|nodes\..*|license\.get|xpack\.info)": ("monitor",),
    r"cluster\.put_settings": ("manage",),
    r"(cluster\.\w+_component_template|indices\.\w+_index_template)": ("manage_index_templates",),
    r"ingest\.get_pipeline": ("read_pipeline", "manage_pipeline", "manage_ingest_pipelines"),
    r"ingest\..*": ("manage_pipeline", "manage_ingest_pipelines"),
    r"ilm\.get_lifecycle": ("read_ilm", "manage_ilm"),
    r"ilm\.put_lifecycle": ("manage_ilm",),
    r"slm\.get_lifecycle": ("read_slm", "manage_slm"),
    r"slm\..*": ("manage_slm",),
    r"snapshot\.get_repository": ("monitor_snapshot", "create_snapshot"),
    r"snapshot\..*": ("manage",),
    r"security\.get_.*": ("read_security", "manage_security"),
    r"security\..*": ("manage_security",),
}
"""Privileges of the cluster, any of which allows the call (the reference's page on security privileges)."""
_INDEX = {
    "search": ("read",),
    "count": ("read",),
    "cat.indices": ("monitor",),
    "indices.get_data_stream": ("view_index_metadata", "manage_follow_index", "monitor"),
    "indices.get_data_lifecycle": ("view_index_metadata", "manage_data_stream_lifecycle"),
    "indices.get_data_stream_options": ("view_index_metadata",),
    "indices.put_data_lifecycle": ("manage_data_stream_lifecycle",),
    "indices.put_data_stream_options": ("manage_failure_store",),
    "indices.delete_data_stream": ("delete_index",),
    "indices.create_data_stream": ("create_index",),
    "indices.refresh": ("maintenance",),
    "indices.rollover": (),
    "indices.put_settings": (),
}
CREATE, AUTO_CREATE = ("create_doc", "create", "index", "write"), ("auto_configure", "create_index")
"""To write a document into a data stream, and to make the stream by it."""
_NOT_BY_MANAGE = ("manage_security", "read_security", "create_snapshot")


@dataclass(frozen=True, kw_only=True)
class User:
    """A name's password and rights."""

    password: str
    cluster: Sequence[str] = ()
    indices: Sequence[Mapping[str, Any]] = field(default=())
    """`{"names": [...], "privileges": [...]}` each."""

    @classmethod
    def of(cls, password: str, *roles: Mapping[str, Any]) -> "User":
        """A user with roles in the form of the role API (and of roles.yml)."""
        cluster = [one for role in roles for one in role.get("cluster", ())]
        return cls(password=password, cluster=cluster, indices=[i for role in roles for i in role.get("indices", ())])

    def may_index(self, name: str, wanted: Sequence[str]) -> bool:
        """Whether a data stream or index of this name (or pattern) allows any of these.

        What a stream refused is behind a privilege of its own: `read` is for its data alone.
        """
        name, _, selector = name.partition("::")
        if selector == "failures":
            wanted = [{"read": "read_failure_store"}.get(one, one) for one in wanted]
        for grant in self.indices:
            names = [grant["names"]] if isinstance(grant["names"], str) else grant["names"]
            held = set(grant["privileges"])
            if any(fnmatchcase(name, pattern) for pattern in names) and held & {"all", *wanted}:
                return True
            managed = "manage" in held and not set(wanted) & {"read", "read_failure_store", *CREATE}
            if managed and any(fnmatchcase(name, pattern) for pattern in names):
                return True
        return False

    def may(self, call: str, target: str | None) -> bool:
        """Whether the user may make this call; of a bulk, each item is asked for."""
        if call == "bulk" or ("all" in self.cluster and call not in _INDEX):
            return True
        if call in _INDEX:
            return all(self.may_index(one, _INDEX[call]) for one in (target or "*").split(","))
        for pattern, wanted in _CLUSTER.items():
            if re.fullmatch(pattern, call):
                held = {"monitor"} if any(one.startswith(("monitor", "manage")) for one in self.cluster) else set()
                if "manage" in self.cluster:
                    held |= {one for one in wanted if one not in _NOT_BY_MANAGE} | {"manage"}
                if call in ("info", "security.authenticate", "security.has_privileges"):
                    return True
                return bool(set(wanted) & (held | set(self.cluster)))
        return False


SUPERUSER: Mapping[str, Any] = {
    "cluster": ["all"],
    "indices": [{"names": ["*"], "privileges": ["all"]}],
}
"""What the role of that name allows."""
