"""The rules as policies of Pulumi's CrossGuard: for `pulumi preview --policy-pack policy`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import grpc
import pulumi
from pulumi.runtime import proto
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.policy import _PolicyAnalyzerServicer
from pulumi_policy.proxy import UnknownValueError

from components.notebook_image import BuiltImage
from planning.people import people
from settings import SECRETS, Settings, read
from stackfile.configuration import configured, received
from stackfile.problems import StackError

from .exemptions import load
from .judge import context, planned_pods
from .rules import RULES
from .rules.model import Context, Fault, Resource, Rule

NAME = "elab"
_PROJECT = "elab"
_STACK = "pulumi:pulumi:Stack"
_DIGEST = f"sha256:{'0' * 64}"
"""Stands for that of an image which is built and pushed by the very `up` that is previewed."""


class Pack:
    """One policy a rule, at the levels of the stack that the engine has told of."""

    def __init__(self) -> None:
        """Without a configuration (the pack is only asked what it holds) levels are those of prod.

        Raises:
            StackError: with what is wrong with the stack's settings, or with an exemption.
        """
        self._excused = load(datetime.now(UTC).date())
        self.policies = [self._policy(rule) for rule in RULES]
        self.take_configuration()

    def take_configuration(self) -> None:
        """Take what the engine has told by now, which may be nothing yet."""
        settings = _settings()
        self._context = context(settings) if settings else None
        self._servers = _servers(settings) if settings else ()
        environment = settings.environment if settings else "prod"
        for rule, policy in zip(RULES, self.policies, strict=True):
            policy.enforcement_level = EnforcementLevel(rule.level(environment))

    def _policy(self, rule: Rule) -> Policy:
        words = f"{rule.reason} Fix: {rule.fix}"
        if rule.one:
            check = self._of_resource(rule)
            return ResourceValidationPolicy(rule.name, words, check, remediation_steps=rule.fix)
        return StackValidationPolicy(rule.name, words, self._of_stack(rule), remediation_steps=rule.fix)

    def _of_resource(self, rule: Rule) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            seen = (_resource(args.urn, args.resource_type, args, rule),)
            # What KubeSpawner will make is nobody's resource: it is judged with the stack itself, before all others.
            for one in (*seen, *(self._servers if args.resource_type == _STACK else ())):
                for fault in rule.faults([one], self._told()):
                    if not self._is_excused(rule, fault):
                        report(f"{one.key}: {fault.what}", args.urn)

        return validate

    def _of_stack(self, rule: Rule) -> Callable[[StackValidationArgs, ReportViolation], None]:
        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            seen = [_resource(each.urn, each.resource_type, each, rule) for each in args.resources]
            for fault in rule.faults([*seen, *self._servers], self._told()):
                if not self._is_excused(rule, fault):
                    urn = fault.resource.urn if fault.resource else ""
                    report(f"{fault.where}: {fault.what}", urn or None)

        return validate

    def _told(self) -> Context:
        if self._context is None:
            raise ValueError("the stack's configuration did not reach the policy pack; run it by pulumi preview or up")
        return self._context

    def _is_excused(self, rule: Rule, fault: Fault) -> bool:
        return any(one.covers(rule.name, fault.where, pulumi.get_stack()) for one in self._excused)


def listen(pack: Pack) -> None:
    """Let the pack hear of its stack from an engine that tells it by a call alone.

    One that starts the pack by a language host gives it no variables (NewPolicyAnalyzer of Pulumi's Go SDK 3.272), and
    the Python SDK keeps nothing of the call but the stack's tags.
    """
    kept = _PolicyAnalyzerServicer.ConfigureStack

    def configure(
        self: _PolicyAnalyzerServicer,
        request: proto.AnalyzerStackConfigureRequest,
        _context: grpc.ServicerContext,
    ) -> proto.AnalyzerStackConfigureResponse:
        os.environ |= {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_PROJECT": request.project,
            "PULUMI_STACK": request.stack,
            "PULUMI_ORGANIZATION": request.organization,
            "PULUMI_DRY_RUN": str(request.dry_run).lower(),
        }
        try:
            pack.take_configuration()
        except StackError as error:
            _context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"policy pack {NAME}: {error}")
        return kept(self, request, _context)

    _PolicyAnalyzerServicer.ConfigureStack = configure


def _settings() -> Settings | None:
    config = received()
    if not any(key.startswith(f"{_PROJECT}:") for key in config):
        return None
    return configured(read, config, project=_PROJECT, secrets=SECRETS, file=None)


def _servers(settings: Settings) -> tuple[Resource, ...]:
    """The pods and claims of people, as KubeSpawner will make them."""
    image = settings.notebook_image
    if isinstance(image, BuiltImage):
        reference = f"{image.repository}@{_DIGEST}"
    else:
        reference = settings.images.reference(image.image)
    return tuple(planned_pods(manifest.body for manifest in people(settings, reference).manifests))


def _resource(urn: str, token: str, seen: ResourceValidationArgs | PolicyResource, rule: Rule) -> Resource:
    inputs = _known(seen.props) if rule.texts else seen.props
    return Resource(urn=urn, type=token, inputs=inputs, protect=seen.opts.protect)


def _known(value: Any) -> Any:  # noqa: ANN401  any JSON value
    """A value without what a preview does not know yet, which raises as soon as it is looked at."""
    if isinstance(value, Mapping):
        return dict(_pairs(value, value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [item for _, item in _pairs(value, range(len(value)))]
    return value


def _pairs(value: Any, places: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    for place in places:
        try:
            yield place, _known(value[place])
        except UnknownValueError:
            continue
