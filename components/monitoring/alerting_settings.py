"""Settings of alerting: who is told, by which way, and what else watches the watcher."""

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field

from components.monitoring.targets_settings import HostPort
from stackfile.ports import PortNumber
from stackfile.problems import Problem
from stackfile.quantities import Duration
from stackfile.references import Cidr, Name, Url, parts_of
from stackfile.scalars import Scalar
from stackfile.secrets import holds_key
from stackfile.section import Section

NOBODY, HEARTBEAT = "nobody", "heartbeat"
"""Receivers of elab's own in Alertmanager's configuration."""
Severity = Literal["critical", "warning", "info"]


class MailAddress(Scalar):
    """A mail address."""

    allowed: ClassVar[str] = "a mail address"
    example: ClassVar[str] = "platform@example.org"
    pattern: ClassVar[str | None] = r"^[^@\s,]+@[^@\s,]+$"


class Matcher(Scalar):
    """One matcher of Alertmanager's: a label, an operator and a value in quotation marks."""

    allowed: ClassVar[str] = "a label, one of = != =~ !~, and a value in double quotation marks"
    example: ClassVar[str] = 'namespace="elab-hub"'
    _form: ClassVar[re.Pattern[str]] = re.compile(
        r'\s*(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)\s*(?P<operator>=~|!~|!=|=)\s*"(?P<value>(?:[^"\\\n]|\\.)*)"\s*'
    )
    _escaped: ClassVar[re.Pattern[str]] = re.compile(r'\\(["\\n])')
    _literal: ClassVar[re.Pattern[str]] = re.compile(r"\\[^1-9]|\[\^?\]?[^\]]*\]")
    """An escaped character, and a class of characters: what stands there means itself."""
    _not_go: ClassVar[re.Pattern[str]] = re.compile(r"\(\?(?!:|P<|[imsU-]+[:)])[^\w)]{0,2}|[*+?}]\+|\\[1-9]")
    """What Python knows and Go does not: looking around, groups by number, and repetitions that give nothing back."""

    @classmethod
    def check(cls, text: str) -> None:
        found = cls._form.fullmatch(text)
        if not found:
            raise ValueError
        if "~" in found["operator"]:
            value = cls._escaped.sub(lambda one: "\n" if one[1] == "n" else one[1], found["value"])
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"mend the regular expression: {error.msg}") from None
            other = cls._not_go.search(cls._literal.sub("x", value))
            if other:
                raise ValueError(
                    f"write it without {other[0]}, which Alertmanager's regular expressions (RE2) don't know"
                )


class WebhookUrl(Url):
    """An address that takes alerts, and that whoever knows it may know."""

    allowed: ClassVar[str] = "an http:// or https:// address without a password, a query, or a key in its path"
    example: ClassVar[str] = "https://alerts.example.org/elab"

    @classmethod
    def check(cls, text: str) -> None:
        parts = parts_of(text)
        if parts.hostname and parts.hostname.startswith("hooks.slack"):
            raise ValueError("write a receiver of kind slack, whose address is the secret elab:alert_slack_url")
        if parts.query or parts.fragment or holds_key(parts.path):
            raise ValueError(
                "leave url out, and set the whole address as the secret elab:alert_webhook_url (`pulumi config set "
                "--secret`): it holds a key, which would be shown in clear"
            )
        super().check(text)


class EmailReceiver(Section):
    """People who are told by mail."""

    kind: Literal["email"]
    name: Name
    to: tuple[MailAddress, ...] = Field(min_length=1)


class WebhookReceiver(Section):
    """A program that is sent alerts as JSON."""

    kind: Literal["webhook"]
    name: Name
    url: WebhookUrl | None = None
    """None: a secret, where the address itself opens the door."""
    kept_in: Literal["alert_webhook_url", "alert_webhook_url_2", "alert_webhook_url_3"] = "alert_webhook_url"
    """The secret in which the address is kept, if no `url` is given: one of its own for each receiver."""

    def problems(self) -> Iterator[Problem]:
        if self.url is not None and "kept_in" in self.model_fields_set:
            yield Problem(
                where="kept_in",
                found=f"{self.kept_in}, beside a url",
                allowed="one address",
                fix="leave out url, or kept_in",
            )


class SlackReceiver(Section):
    """A channel of Slack, or of what speaks like it."""

    kind: Literal["slack"]
    name: Name
    channel: str = Field(min_length=1)
    kept_in: Literal["alert_slack_url", "alert_slack_url_2", "alert_slack_url_3"] = "alert_slack_url"
    """The secret in which the address is kept. An address of a Slack app leads to the channel that it was made for,
    whatever `channel` says; others, and Mattermost's, lead several receivers to a channel each."""


class PagerDutyReceiver(Section):
    """A service of PagerDuty (Events API v2)."""

    kind: Literal["pagerduty"]
    name: Name
    kept_in: Literal["alert_pagerduty_key", "alert_pagerduty_key_2", "alert_pagerduty_key_3"] = "alert_pagerduty_key"
    """The secret in which the service's key is kept: one of its own for each receiver."""


Receiver = Annotated[EmailReceiver | WebhookReceiver | SlackReceiver | PagerDutyReceiver, Field(discriminator="kind")]
AnyReceiver = EmailReceiver | WebhookReceiver | SlackReceiver | PagerDutyReceiver


class Smtp(Section):
    """The server that takes mails."""

    server: HostPort
    sender: MailAddress
    username: str | None = None
    """Its password is `elab:alert_smtp_password`; none: no login."""
    require_tls: bool = True

    def problems(self) -> Iterator[Problem]:
        if self.username is not None and not self.require_tls:
            yield Problem(
                where="require_tls",
                found="false, with a login",
                allowed="true, since the password would travel in clear",
                fix="leave require_tls out, or the username",
            )


class Route(Section):
    """Alerts of some kind that go elsewhere than their severity says."""

    matchers: tuple[Matcher, ...] = Field(min_length=1)
    """All of them must hold, for example `namespace="elab-hub"`."""
    receivers: tuple[Name, ...] = Field(min_length=1)


class Heartbeat(Section):
    """A watcher outside, told as long as all is well: it raises the alarm when Prometheus or Alertmanager is silent."""

    interval: Duration = Duration("5m")
    """How often it is told; its address is `elab:alert_heartbeat_url`."""

    def problems(self) -> Iterator[Problem]:
        if self.interval.seconds < 60:
            yield Problem(
                where="interval",
                found=self.interval,
                allowed="at least 1m: Alertmanager looks once a minute whether the watcher is to be told",
                fix="write for example 5m",
            )


class AlertingSettings(Section):
    """Who is told of alerts."""

    receivers: tuple[Receiver, ...] = ()
    """Those who can be told."""
    severities: dict[Severity, tuple[Name, ...]] = {}
    """Who is told of alerts of each severity, by receivers' names; of those not listed nobody is told."""
    routes: tuple[Route, ...] = ()
    """Exceptions, the first that fits holds."""
    smtp: Smtp | None = None
    """Needed for receivers by mail."""
    heartbeat: Heartbeat | None = None
    cidrs: tuple[Cidr, ...] = ()
    """Where receivers are, for Alertmanager's network policy; none: any address at their ports."""
    ports: tuple[PortNumber, ...] = ()
    """Ports of addresses that are secrets, where they have others than 443: a policy is no secret."""
    namespaces: tuple[Name, ...] = ()
    """Where receivers are that run in this cluster. One with a Service's name there (hook.alerts.svc) is reached at any
    port, and opens no way out."""
    group_wait: Duration = Duration("30s")
    """How long a first alert waits for others of its kind."""
    group_interval: Duration = Duration("5m")
    """How long news of a group of alerts waits after the last message."""
    repeat_interval: Duration = Duration("12h")
    """After how long an alert that goes on is told again."""

    def problems(self) -> Iterator[Problem]:
        names = [str(receiver.name) for receiver in self.receivers]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield Problem(
                where="receivers",
                found=f'the name "{name}" {names.count(name)} times',
                allowed="every name once",
                fix="give each receiver a name of its own",
            )
        for index, name in enumerate(names):
            if name in (NOBODY, HEARTBEAT):
                yield Problem(
                    where=f"receivers.{index}.name",
                    found=f'"{name}"',
                    allowed="a name other than nobody and heartbeat, which are elab's own",
                    fix="call it by who is told, for example operators",
                )
        yield from self._shared_secrets()
        for where, wanted in self._named():
            for name in wanted:
                if name not in names:
                    yield Problem(
                        where=where,
                        found=f'"{name}"',
                        allowed=", ".join(names) or "nobody, since monitoring.alerting.receivers is empty",
                        fix=f"add a receiver {name} under monitoring.alerting.receivers, or name one that is there",
                    )
        if self.smtp is None:
            for index, receiver in enumerate(self.receivers):
                if isinstance(receiver, EmailReceiver):
                    yield Problem(
                        where=f"receivers.{index}.kind",
                        found="email, with no mail server",
                        allowed="email where monitoring.alerting.smtp is set",
                        fix="add smtp: {server: <host:port>, sender: <address>}",
                    )

    def _shared_secrets(self) -> Iterator[Problem]:
        """Receivers that could not be told apart: alerts for one would go to the other."""
        owners: dict[str, Name] = {}
        for index, receiver in enumerate(self.receivers):
            if isinstance(receiver, PagerDutyReceiver) or (isinstance(receiver, WebhookReceiver) and not receiver.url):
                owner = owners.setdefault(receiver.kept_in, receiver.name)
                if owner != receiver.name:
                    known = get_args(type(receiver).model_fields["kept_in"].annotation)
                    yield Problem(
                        where=f"receivers.{index}.kept_in",
                        found=f"{receiver.kept_in}, as {owner} has: what is for {receiver.name} would go there",
                        allowed="a secret of its own for each receiver",
                        fix=f"write another one ({', '.join(known)}), or name {owner} wherever {receiver.name} is told",
                    )

    def _named(self) -> Iterator[tuple[str, tuple[Name, ...]]]:
        for severity, receivers in self.severities.items():
            yield f"severities.{severity}", receivers
        for index, route in enumerate(self.routes):
            yield f"routes.{index}.receivers", route.receivers
