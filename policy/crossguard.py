"""The rules as policies of Pulumi's CrossGuard: for `pulumi preview --policy-pack policy`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from settings import SECRETS, Settings, read
from stackfile.configuration import configured, received

from .exemptions import Exemption, load
from .judge import context
from .rules import RULES
from .rules.model import Context, Resource, Rule

NAME = "elab"
_PROJECT = "elab"


def policies() -> Iterator[Policy]:
    """One policy a rule. The engine hands over the stack's configuration before it asks for them.

    Without a configuration (the pack is only asked what it holds) levels are those of prod.
    """
    settings = _settings()
    excused = load(datetime.now(UTC).date())
    for rule in RULES:
        level = EnforcementLevel(rule.level(settings.environment if settings else "prod"))
        yield from _policies(rule, level, settings, excused)


def _settings() -> Settings | None:
    config = received()
    if not any(key.startswith(f"{_PROJECT}:") for key in config):
        return None
    return configured(read, config, project=_PROJECT, secrets=SECRETS, file=None)


def _policies(
    rule: Rule, level: EnforcementLevel, settings: Settings | None, excused: tuple[Exemption, ...]
) -> Iterator[Policy]:
    words = f"{rule.reason} Fix: {rule.fix}"
    if rule.one:
        one = rule.one

        def resource(args: ResourceValidationArgs, report: ReportViolation) -> None:
            found = Resource(urn=args.urn, type=args.resource_type, inputs=args.props, protect=args.opts.protect)
            for what in one(found, _context(settings)):
                if not _excused(excused, rule, found):
                    report(f"{found.key}: {what}", args.urn)

        yield ResourceValidationPolicy(
            name=rule.name,
            description=words,
            validate=resource,
            enforcement_level=level,
            remediation_steps=rule.fix,
        )
    if rule.all:
        together = rule.all

        def stack(args: StackValidationArgs, report: ReportViolation) -> None:
            found = [
                Resource(urn=each.urn, type=each.resource_type, inputs=each.props, protect=each.opts.protect)
                for each in args.resources
            ]
            for fault in together(found, _context(settings)):
                if fault.resource is None:
                    report(fault.what, None)
                elif not _excused(excused, rule, fault.resource):
                    report(f"{fault.resource.key}: {fault.what}", fault.resource.urn)

        yield StackValidationPolicy(
            name=rule.name,
            description=words,
            validate=stack,
            enforcement_level=level,
            remediation_steps=rule.fix,
        )


def _context(settings: Settings | None) -> Context:
    if settings is None:
        raise ValueError("the stack's configuration did not reach the policy pack; run it by pulumi preview or up")
    return context(settings)


def _excused(excused: tuple[Exemption, ...], rule: Rule, resource: Resource) -> bool:
    return any(one.covers(rule.name, resource.key, pulumi.get_stack()) for one in excused)
