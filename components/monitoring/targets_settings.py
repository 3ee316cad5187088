"""Settings of what is scraped or sent to outside the platform."""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from stackfile.problems import Problem
from stackfile.quantities import Duration
from stackfile.references import Cidr, HostName, Name, Url
from stackfile.scalars import Scalar
from stackfile.section import Section


class HostPort(Scalar):
    """A program that listens: ``host:port``, with IPv6 addresses in brackets."""

    allowed: ClassVar[str] = "host:port, without scheme or path"
    example: ClassVar[str] = "10.20.3.11:9283"
    _form: ClassVar[re.Pattern[str]] = re.compile(r"(?P<host>[^\s:/\[\]]+|\[[0-9a-fA-F:]+\]):(?P<port>[0-9]{1,5})")

    @classmethod
    def check(cls, text: str) -> None:
        found = cls._form.fullmatch(text)
        if not found or not 1 <= int(found["port"]) <= 65535:
            raise ValueError
        if cls(text).address is None:
            HostName.check(found["host"])

    @property
    def address(self) -> Cidr | None:
        """The host as a range of one address; None where it is a name."""
        host = self.rpartition(":")[0].strip("[]")
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return None
        return Cidr(f"{address}/{address.max_prefixlen}")

    @property
    def port(self) -> int:
        """The port."""
        return int(self.rpartition(":")[2])


def ranges(targets: Sequence[HostPort], cidrs: tuple[Cidr, ...]) -> tuple[Cidr, ...]:
    """Where these targets are: the ranges that the settings name, and every target that is an address itself."""
    return tuple(dict.fromkeys((*cidrs, *(found for target in targets if (found := target.address) is not None))))


def interval_problems(interval: Duration) -> Iterator[Problem]:
    """An interval at which panels and rules would have gaps."""
    if not 5 <= interval.seconds <= 120:
        yield Problem(
            where="scrape_interval",
            found=interval,
            allowed="5s to 2m: queries look back five minutes, and rates need two samples",
            fix="write for example 30s",
        )


def _unreachable(targets: Sequence[HostPort], cidrs: tuple[Cidr, ...], namespace: Name | None) -> Iterator[Problem]:
    names = [target for target in targets if target.address is None]
    if names and not cidrs and namespace is None:
        yield Problem(
            where="cidrs",
            found=f'nothing, with "{names[0]}"',
            allowed="the addresses behind names, since network policies know no names",
            fix="list them as cidrs, or write addresses instead of names",
        )


class CephTargets(Section):
    """The Ceph that is watched: by its addresses, or by the namespace where Rook runs it."""

    namespace: Name | None = None
    """Rook's namespace in this cluster; managers and exporters are found there."""
    managers: tuple[HostPort, ...] = ()
    """Each manager with its module `prometheus`, port 9283; only the active one answers with metrics."""
    exporters: tuple[HostPort, ...] = ()
    """Each host's ceph-exporter, port 9926: figures of single daemons since Ceph 18."""
    cidrs: tuple[Cidr, ...] = ()
    """The addresses behind those that are names."""
    scrape_interval: Duration = Duration("15s")
    """As `mgr/prometheus/scrape_interval`: the module makes its figures so often."""

    def problems(self) -> Iterator[Problem]:
        if (self.namespace is None) == (not self.managers):
            yield Problem(
                where="managers",
                found="both a namespace and addresses" if self.managers else "neither a namespace nor addresses",
                allowed="one of the two",
                fix="name Rook's namespace, or list the managers, for example [10.20.3.11:9283, 10.20.3.12:9283]",
            )
        yield from _unreachable((*self.managers, *self.exporters), self.cidrs, self.namespace)
        yield from interval_problems(self.scrape_interval)


class OpenStackTargets(Section):
    """The OpenStack that is watched, by its openstack-exporter."""

    exporters: tuple[HostPort, ...] = Field(min_length=1)
    """Run each with `--cache --disable-slow-metrics`: it else asks all of OpenStack at every scrape."""
    namespace: Name | None = None
    """The exporter's namespace, where it runs in this cluster; then `cidrs` is not used."""
    cidrs: tuple[Cidr, ...] = ()
    """The addresses behind those that are names."""
    scrape_interval: Duration = Duration("2m")

    def problems(self) -> Iterator[Problem]:
        yield from _unreachable(self.exporters, self.cidrs, self.namespace)
        yield from interval_problems(self.scrape_interval)


class RemoteWrite(Section):
    """A store of other clusters' metrics too, that takes Prometheus' remote write."""

    url: Url
    username: str | None = None
    """Its password is `elab:remote_write_password`; none: no login."""
    cidrs: tuple[Cidr, ...] = Field(min_length=1)
    """The store's addresses."""

    def problems(self) -> Iterator[Problem]:
        if self.username is not None and not self.url.startswith("https://"):
            yield Problem(
                where="url",
                found=f'"{self.url}", with a login',
                allowed="an https:// address, since the password would travel in clear",
                fix="write https://, or leave the username out",
            )
