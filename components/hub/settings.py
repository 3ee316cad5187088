"""Settings of the hub, its proxy, its database and its housekeeping."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from stackfile.ports import PortNumber
from stackfile.problems import Problem
from stackfile.quantities import DiskSize, Duration
from stackfile.references import Cidr, Image, Name
from stackfile.resources import Resources, resources
from stackfile.scalars import Scalar
from stackfile.section import Section


class Sqlite(Section):
    """The hub's database as a file on a claim of its own."""

    kind: Literal["sqlite"] = "sqlite"
    size: DiskSize = DiskSize("1Gi")


class PostgreSql(Section):
    """The hub's database in a PostgreSQL server of the institution; its URL is the secret `elab:hub_database_url`."""

    kind: Literal["postgresql"]
    port: PortNumber = 5432
    """The port that the server itself listens on, which need not be a Service's."""
    cidrs: tuple[Cidr, ...] = ()
    """The server's addresses, for the hub's network policy; none: any address at its port."""
    namespace: Name | None = None
    """The server's namespace, where it runs in this cluster; then `cidrs` is not used."""


Database = Annotated[Sqlite | PostgreSql, Field(discriminator="kind")]


class LoginName(Scalar):
    """The name by which a person logs in; the hub's database takes 255 characters."""

    allowed: ClassVar[str] = "a person's login name, 1 to 255 characters without spaces and slashes"
    example: ClassVar[str] = "alice"
    pattern: ClassVar[str | None] = r"^[^\s/]{1,255}$"


class HubSettings(Section):
    """JupyterHub itself."""

    image: Image = Image("quay.io/jupyterhub/k8s-hub:4.4.0")
    # Berkeley's hubs stayed below 1000m and 4Gi over six months; 100 people on mybinder's took 260 MB at peak.
    resources: Resources = resources(cpu=("200m", "2"), memory=("512Mi", "1Gi"))
    database: Database = Sqlite()
    announcement: str = Field(default="", max_length=500)
    """A sentence on the hub's pages, such as the next maintenance window."""
    admin_users: tuple[LoginName, ...] = ()
    """Login names that administer the hub besides the directory's admin groups."""
    concurrent_spawns: int = Field(default=64, ge=1, le=1000)
    """How many servers may be starting at once; more people are asked to try again a little later."""
    extra_config: str | None = None
    """A Python file beside the stack file, run at the end of the hub's configuration."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class ProxySettings(Section):
    """The proxy that leads each request to the hub or to a person's server."""

    image: Image = Image("quay.io/jupyterhub/configurable-http-proxy:5.2.0")
    # Berkeley's proxies took 100 to 600 Mi over six months.
    resources: Resources = resources(cpu=("100m", "1"), memory=("192Mi", "768Mi"))


class CullingSettings(Section):
    """When a server that nobody uses is stopped and its resources are given back."""

    timeout: Duration = Duration("1h")
    """Without a request, a busy kernel, or a process at work for so long, a server is stopped."""
    every: Duration = Duration("2m")
    """How often servers are looked at."""
    max_age: Duration | None = None
    """A server older than this is stopped even at work, after a warning; none: it may work as long as it likes."""
    warning: Duration = Duration("30m")
    """How long before its maximum age a person is warned."""
    kernel_timeout: Duration | None = None
    """A kernel idle for so long is ended in a server that lives on; none: kernels live as long as the server."""

    def problems(self) -> Iterator[Problem]:
        if self.every.seconds > self.timeout.seconds:
            yield _longer("every", self.every, "timeout", self.timeout, at_least=False)
        if self.max_age and self.max_age.seconds <= self.timeout.seconds:
            yield _longer("max_age", self.max_age, "timeout", self.timeout, at_least=True)
        if self.max_age and self.warning.seconds >= self.max_age.seconds:
            yield _longer("warning", self.warning, "max_age", self.max_age, at_least=False)
        if self.kernel_timeout and self.kernel_timeout.seconds <= self.timeout.seconds:
            # The end of a kernel counts as activity, so an earlier one would put the server's own end off.
            yield _longer("kernel_timeout", self.kernel_timeout, "timeout", self.timeout, at_least=True)


class PullerSettings(Section):
    """The continuous image puller: every node has the images of its pool's profiles before anyone asks for them."""

    enabled: bool = True
    pause_image: Image = Image("registry.k8s.io/pause:3.10.1")
    resources: Resources = resources(cpu=("1m", "100m"), memory=("16Mi", "64Mi"))


def _longer(where: str, value: Duration, other: str, bound: Duration, *, at_least: bool) -> Problem:
    relation = "longer" if at_least else "shorter"
    return Problem(
        where=where,
        found=value,
        allowed=f"{relation} than {other}, which is {bound}",
        fix=f"make {where} {relation} than {bound}, or change {other}",
    )
