"""Settings of snapshots: copies of the logs in an object store."""

from pydantic import Field

from stackfile.quantities import Duration
from stackfile.references import Cidr, Url
from stackfile.section import Section


class S3Snapshots(Section):
    """A bucket of anything that speaks S3: Ceph's object gateway, AWS, MinIO.

    Its keys are the secrets `elab:snapshot_access_key` and `elab:snapshot_secret_key`.
    """

    endpoint: Url
    """The store's address, for example https://s3.example.org."""
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    region: str | None = Field(default=None, min_length=1)
    """None: the store's own default."""
    path: str = Field(default="elab", pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")
    """The folder within the bucket."""
    schedule: str = Field(default="0 30 1 * * ?", min_length=1)
    """When, in Elasticsearch's cron form: seconds first, in UTC."""
    retention: Duration = Duration("30d")
    """How long a copy is kept."""
    cidrs: tuple[Cidr, ...] = Field(min_length=1)
    """The store's addresses, which Elasticsearch may then reach."""
