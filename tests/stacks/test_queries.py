"""What the committed stacks' panels and alerts ask for is what their own scrape jobs yield."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from planning.manifests import Manifest
from planning.promql import judge
from planning.vocabulary import findings, known_of, monitored
from tests.harness.stacks import STACKS, plan


def _changed(stack: str, name: str, old: str, new: str) -> tuple[Manifest, ...]:
    """The plan's objects with one file of a ConfigMap changed."""

    def body(manifest: Manifest) -> Mapping[str, Any]:
        text = (manifest.body.get("data") or {}).get(name, "") if manifest.kind == "ConfigMap" else ""
        if old not in text:
            return manifest.body
        return {**manifest.body, "data": {**manifest.body["data"], name: text.replace(old, new)}}

    return tuple(Manifest(urn=manifest.urn, body=body(manifest)) for manifest in plan(stack).manifests)


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        ("hub.json", "jupyterhub_running_servers", "jupyterhub_running_server", "yielded by no scrape job"),
        ("hub.yaml", 'elab_namespace{room="hub"}', 'elab_namespace{rooms="hub"}', "has no label rooms"),
        ("apiserver.yaml", "apiserver_client_certificate_expiration_seconds", "nothing", "drops it"),
        ("hosts.json", "node_memory_MemTotal_bytes", "node_memory_total", "yielded by no scrape job"),
    ],
)
def test_a_slip_in_a_panel_a_rule_or_a_scrape_job_is_an_error(file: str, old: str, new: str, what: str) -> None:
    found = list(findings(_changed("prod", file, old, new)))
    assert found
    assert {finding.level for finding in found} == {"error"}
    assert all(what in finding.what for finding in found)


@pytest.mark.parametrize("stack", STACKS)
def test_an_alert_says_of_which_cluster_it_is(stack: str) -> None:
    """By a label of its own; where it stands for what is absent, Prometheus' external labels say so."""
    found = monitored(plan(stack).manifests)
    known = known_of(found)
    alerts = [rule for rule in found.rules if rule.alert and "absent(" not in rule.expr and rule.alert != "Watchdog"]
    assert len(alerts) > 30
    assert [rule.where for rule in alerts if "cluster" not in judge(rule.expr, known).labels] == []


@pytest.mark.parametrize("stack", STACKS)
def test_rules_for_systems_that_a_stack_does_not_watch_are_left_out(stack: str) -> None:
    found = monitored(plan(stack).manifests)
    jobs = {config["job_name"] for config in found.scrape_configs}
    files = {rule.file.removesuffix(".yaml") for rule in found.rules}
    assert files & {"ceph", "openstack", "cert-manager"} == jobs & {"ceph", "openstack", "cert-manager"}
