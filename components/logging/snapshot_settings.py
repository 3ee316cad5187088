"""Settings of snapshots: a copy of the logs in object storage, which outlives the cluster."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from stackfile.ports import PortNumber
from stackfile.quantities import Duration
from stackfile.references import Cidr, HostName
from stackfile.section import Section


class Repository(Section):
    """What every kind of object storage has in common."""

    path: str = Field(default="elab", pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")
    """The folder in the bucket that is this elab's alone."""
    schedule: str = Field(default="0 30 1 * * ?", min_length=1)
    """When, in Elasticsearch's cron form: seconds first, in UTC. Once a day at least: an alert fires when there is none
    for two days and a half."""
    retention: Duration = Duration("30d")
    """How long a snapshot is kept after it was made. Each holds all lines of its night: in these copies a line stays so
    much longer than `logging.retention`."""
    cidrs: tuple[Cidr, ...] = Field(min_length=1)
    """Where the storage is: network policies let Elasticsearch out to nothing else."""
    port: PortNumber = 443


class S3(Repository):
    """Amazon S3, or Ceph's object gateway and whatever else speaks its protocol."""

    kind: Literal["s3"]
    bucket: str = Field(min_length=3, max_length=63)
    endpoint: HostName | None = None
    """The host of a storage that is not Amazon's; it is asked by https, and for buckets as the first part of a path. An
    authority of your own that signs for it belongs into `network.ca_certificates`."""
    region: str | None = None


class Gcs(Repository):
    """Google Cloud Storage."""

    kind: Literal["gcs"]
    bucket: str = Field(min_length=3, max_length=63)


class Azure(Repository):
    """Azure Blob Storage."""

    kind: Literal["azure"]
    container: str = Field(min_length=3, max_length=63)


AnySnapshots = S3 | Gcs | Azure
SnapshotSettings = Annotated[AnySnapshots, Field(discriminator="kind")]

KEYSTORE: Mapping[str, Mapping[str, str]] = {
    "s3": {
        "snapshot_s3_access_key": "s3.client.default.access_key",
        "snapshot_s3_secret_key": "s3.client.default.secret_key",
    },
    "gcs": {"snapshot_gcs_credentials": "gcs.client.default.credentials_file"},
    "azure": {
        "snapshot_azure_account": "azure.client.default.account",
        "snapshot_azure_key": "azure.client.default.key",
    },
}
"""Each kind's credentials: secrets of the stack, and the secure settings of Elasticsearch that they become."""


def secrets_of(settings: AnySnapshots | None) -> Iterator[str]:
    """The secrets that a repository needs."""
    if settings is not None:
        yield from KEYSTORE[settings.kind]


def repository(settings: AnySnapshots) -> dict[str, object]:
    """The repository as Elasticsearch takes it; no secret is in it."""
    place = {"container": settings.container} if isinstance(settings, Azure) else {"bucket": settings.bucket}
    return {"type": settings.kind, "settings": {**place, "base_path": settings.path}}


def client(settings: AnySnapshots | None) -> dict[str, str]:
    """What Elasticsearch's nodes must know of the storage."""
    if not isinstance(settings, S3):
        return {}
    named = {"region": settings.region} if settings.region is not None else {}
    if settings.endpoint is not None:
        # A storage of one's own seldom has a name for each bucket in the DNS.
        named |= {"endpoint": f"https://{settings.endpoint}:{settings.port}", "path_style_access": "true"}
    return {f"s3.client.default.{key}": value for key, value in named.items()}
