"""Rules over the resources of a stack: what `make plan`, the pull request's comment and the tests have to say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from components.entry_settings import GatewayEntry
from components.notebook_image import BuiltImage
from settings import Settings
from settings_checks import images_of

from .exemptions import Exemption
from .rules import RULES
from .rules.allowed import lists
from .rules.containers import qualified
from .rules.model import Context, Level, Resource, Rule
from .settings import HOURS_A_MONTH


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A rule that does not hold."""

    rule: Rule
    level: Level
    where: str
    """A resource's key, or `stack`."""
    what: str
    urn: str = ""
    exempted: Exemption | None = None

    @property
    def message(self) -> str:
        """All that there is to say, in one paragraph."""
        return f"{self.where}: {self.what}. {self.rule.reason} Fix: {self.rule.fix}"


def nodes_cost(settings: Settings) -> Decimal | None:
    """What all pools at their largest cost a month, in the currency of their prices; None where one has no price."""
    prices = [(pool.nodes.max, pool.price_per_hour) for pool in settings.node_pools]
    if any(price is None for _, price in prices):
        return None
    return sum((count * Decimal(str(price)) * HOURS_A_MONTH for count, price in prices), Decimal(0))


def context(settings: Settings, *, planned: bool = False) -> Context:
    """What rules need to know of a stack; `planned`: what an up would refuse anyway is told by the plan itself.

    Raises:
        StackError: where policy/allowed.yaml is no good, before a rule stumbles over it in the midst of a preview.
    """
    lists()
    image = settings.notebook_image
    own = image.repository if isinstance(image, BuiltImage) else image.image.repository
    unpinned = [one for one in images_of(settings) if not one.digest and one not in settings.images.digests]
    return Context(
        instance=str(settings.instance),
        environment=settings.environment,
        registries=tuple(
            dict.fromkeys((*settings.policies.registries, qualified(str(own)), *settings.images.mirrors.values()))
        ),
        memory_ratio=settings.policies.memory_ratio,
        monthly_cost=settings.policies.monthly_cost,
        nodes_cost=nodes_cost(settings),
        listener_tls=not isinstance(settings.entry, GatewayEntry) or settings.entry.listener_tls,
        ports={"monitoring.node_exporter.port": settings.monitoring.node_exporter.port},
        pending=frozenset(settings.images.reference(one) for one in unpinned) if planned else frozenset(),
    )


def planned_pods(bodies: Iterable[Mapping[str, Any]]) -> Iterator[Resource]:
    """The pods and claims that KubeSpawner will make, as resources of nobody's state."""
    for body in bodies:
        token = f"kubernetes:{body['apiVersion']}:{body['kind']}"
        yield Resource(urn="", type=token, inputs=body, protect=None)


def judge(
    resources: Sequence[Resource], context: Context, exemptions: Sequence[Exemption], stack: str
) -> Iterator[Violation]:
    """Everything that does not hold, what is exempted included."""
    for rule in RULES:
        level = rule.level(context.environment)
        if level == "disabled":
            continue
        for fault in rule.faults(resources, context):
            excuse = next((one for one in exemptions if one.covers(rule.name, fault.where, stack)), None)
            yield Violation(
                rule=rule,
                level=level,
                where=fault.where,
                what=fault.what,
                urn=fault.resource.urn if fault.resource else "",
                exempted=excuse,
            )
