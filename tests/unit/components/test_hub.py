"""The hub: its rights, its one replica, its database, and its secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import stack
from planning.recording import Recording, strings_in
from tests.harness.authorities import ONE, TWO
from tests.harness.platform import (
    ENTRIES,
    SECRET_VALUES,
    container,
    objects,
    platform,
    pod,
    settings,
    unmonitored,
    with_secrets,
)

POSTGRESQL = {"hub.database": {"kind": "postgresql"}}
ANONYMOUS = {"directory.bind_dn": None}


def rules(body: Mapping[str, Any]) -> list[tuple[list[str], list[str], list[str]]]:
    return [(rule.get("apiGroups", []), rule.get("resources", []), rule["verbs"]) for rule in body["rules"]]


def test_the_hub_may_handle_servers_and_disks_and_see_events_and_nothing_else() -> None:
    assert rules(objects(unmonitored(), "Role")["elab-users/hub"]) == [
        ([""], ["pods", "persistentvolumeclaims"], ["get", "list", "watch", "create", "delete"]),
        ([""], ["events"], ["get", "list", "watch"]),
    ]


def test_the_hub_has_that_role_alone_and_only_where_people_work() -> None:
    recording = unmonitored()
    bound = {
        identity: body["roleRef"]["name"]
        for kind in ("RoleBinding", "ClusterRoleBinding")
        for identity, body in objects(recording, kind).items()
        if {"kind": "ServiceAccount", "name": "hub", "namespace": "elab-hub"} in body["subjects"]
    }
    assert bound == {"elab-users/hub": "hub"}


def test_nobody_may_read_secrets() -> None:
    for kind in ("Role", "ClusterRole"):
        for identity, body in objects(platform(), kind).items():
            named = {name for _, resources, _ in rules(body) for name in resources}
            assert named.isdisjoint({"secrets", "*"}), identity


def test_two_hubs_never_run_at_once() -> None:
    """They would write to one database, and each would undo the other's routes."""
    spec = objects(unmonitored(), "Deployment")["elab-hub/hub"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_the_hub_is_made_before_whatever_else_runs() -> None:
    """It takes longest to start, and nobody can log in before it has."""
    children = [made.name for made in platform().resources if made.parent.endswith("::hub")]
    waiting = [name for name in children if "priorit" not in name]
    assert waiting[:2] == ["hub-keys", "hub-hub"]


def environment(recording: Recording) -> dict[str, Any]:
    return {
        one["name"]: one.get("value", one.get("valueFrom")) for one in container(recording, "deployment-hub")["env"]
    }


def test_each_of_the_hubs_keys_comes_from_a_secret_of_its_own() -> None:
    references = {
        name: source["secretKeyRef"]["name"]
        for name, source in environment(unmonitored(POSTGRESQL)).items()
        if isinstance(source, dict)
    }
    assert references == {
        "CONFIGPROXY_AUTH_TOKEN": "proxy-token",
        "JPY_COOKIE_SECRET": "hub-cookie-secret",
        "JUPYTERHUB_CRYPT_KEY": "hub-crypt-key",
        "ELAB_TOKEN_CULLER": "hub-token-culler",
        "ELAB_TOKEN_METRICS": "hub-token-metrics",
        "ELAB_LDAP_BIND_PASSWORD": "hub-ldap-bind",
        "ELAB_DATABASE_URL": "hub-database-url",
    }
    of_the_hub = {name for name in objects(unmonitored(POSTGRESQL), "Secret") if name.startswith("elab-hub/")}
    assert {f"elab-hub/{name}" for name in references.values()} == of_the_hub


def test_every_key_is_random_and_another() -> None:
    keys = [
        text
        for identity, body in objects(unmonitored(), "Secret").items()
        if identity.startswith("elab-hub/") and identity != "elab-hub/hub-ldap-bind"
        for text in strings_in(body["stringData"])
    ]
    assert len(keys) == len(set(keys)) == 5
    assert {len(bytes.fromhex(key)) for key in keys} == {32}


@pytest.mark.parametrize("changes", [{}, POSTGRESQL], ids=["sqlite", "postgresql"])
def test_no_secret_stands_outside_a_secret(changes: dict[str, Any]) -> None:
    recording = platform(changes)
    secrets = {text for body in objects(recording, "Secret").values() for text in strings_in(body["stringData"])}
    assert SECRET_VALUES["ldap_bind_password"] in secrets
    for one in recording.kubernetes():
        if one.inputs["kind"] != "Secret":
            assert [text for text in strings_in(one.inputs) if any(secret in text for secret in secrets)] == [], one.urn


def test_what_is_in_a_secret_is_secret_to_the_engine_too() -> None:
    for one in platform(POSTGRESQL).kubernetes():
        if one.inputs["kind"] == "Secret":
            assert {path[0] for path in one.secret_paths} == {"stringData"}, one.urn


def test_a_directory_that_is_asked_anonymously_needs_no_password() -> None:
    recording = unmonitored(ANONYMOUS)
    assert "elab-hub/hub-ldap-bind" not in objects(recording, "Secret")
    assert "ELAB_LDAP_BIND_PASSWORD" not in environment(recording)


def test_a_new_secret_of_the_owner_rolls_the_hub_and_shows_nothing_of_itself() -> None:
    hashes = set()
    for password in ("first", "second"):
        recording = with_secrets({"ldap_bind_password": password})
        template = objects(recording, "Deployment")["elab-hub/hub"]["spec"]["template"]
        found = template["metadata"]["annotations"]["elab.dev/secrets-hash"]
        assert password not in found
        hashes.add(found)
    assert len(hashes) == 2


def test_a_new_secret_of_another_room_leaves_the_hub_alone() -> None:
    hook = {"receivers": [{"name": "hook", "kind": "webhook"}], "severities": {"critical": ["hook"]}}
    changes = {"monitoring": {"alerting": hook, "grafana": {"enabled": False}}}
    hub = [
        objects(with_secrets({"alert_webhook_url": url}, changes), "Deployment")["elab-hub/hub"]
        for url in ("https://one.example.org", "https://two.example.org")
    ]
    assert hub[0] == hub[1]


def test_sqlite_lies_on_a_claim_of_the_size_that_the_stack_says() -> None:
    recording = unmonitored({"hub.database": {"kind": "sqlite", "size": "3Gi"}})
    claim = objects(recording, "PersistentVolumeClaim")["elab-hub/hub-db"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "3Gi"
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert mounted(recording)["/srv/jupyterhub"] == {"persistentVolumeClaim": {"claimName": "hub-db"}}


def test_postgresql_needs_no_claim() -> None:
    recording = unmonitored(POSTGRESQL)
    assert "elab-hub/hub-db" not in objects(recording, "PersistentVolumeClaim")
    assert "emptyDir" in mounted(recording)["/srv/jupyterhub"]


@pytest.mark.parametrize(
    ("entry", "secret"),
    [
        ({"entry.tls": {"kind": "secret", "name": "jupyter-tls"}}, "jupyter-tls"),
        ({"entry.tls": {"kind": "cert-manager", "cluster_issuer": "institution"}}, None),
        (ENTRIES["gateway"], None),
    ],
    ids=["secret", "cert-manager", "gateway"],
)
def test_of_a_certificate_of_the_institutions_own_the_hub_sees_the_public_part_and_never_the_key(
    entry: dict[str, Any], secret: str | None
) -> None:
    recording = unmonitored(entry)
    found = mounted(recording).get("/usr/local/etc/elab-certificate")
    assert (values(recording)["hub"]["certificate"] is None) is (secret is None) is (found is None)
    if found is not None:
        assert found["secret"] == {
            "secretName": secret,
            "items": [{"key": "tls.crt", "path": "tls.crt"}],
            "optional": True,
        }
        told = values(recording)["hub"]["certificate"]
        assert told == {"secret": secret, "file": "/usr/local/etc/elab-certificate/tls.crt", "served": None}


def mounted(recording: Recording) -> dict[str, dict[str, Any]]:
    """What lies at each path of the hub's container."""
    spec = pod(recording, "deployment-hub").spec
    volumes = {
        volume["name"]: {key: value for key, value in volume.items() if key != "name"} for volume in spec["volumes"]
    }
    return {
        mount["mountPath"]: volumes[mount["name"]] for mount in container(recording, "deployment-hub")["volumeMounts"]
    }


def values(recording: Recording) -> dict[str, Any]:
    return json.loads(objects(recording, "ConfigMap")["elab-hub/hub-values"]["data"]["values.json"])


def test_a_stacks_own_piece_of_configuration_is_mounted_where_the_values_say() -> None:
    recording = unmonitored({"hub.extra_config": "tests/harness/extra_config.py"})
    named = values(recording)["hub"]["extra_config"]
    folder, _, file = named.rpartition("/")
    source = mounted(recording)[folder]["configMap"]["name"]
    assert "c.JupyterHub.template_vars" in objects(recording, "ConfigMap")[f"elab-hub/{source}"]["data"][file]


def test_without_one_nothing_is_mounted_for_it() -> None:
    assert "elab-hub/hub-extra" not in objects(unmonitored(), "ConfigMap")
    assert values(unmonitored())["hub"]["extra_config"] is None


@pytest.mark.parametrize(
    ("text", "fix"),
    [(b"# Gr\xfc\xdfe", "save it as UTF-8 text"), (b"x = 1\x00", "correct"), (b"x = (", "correct line 1")],
)
def test_a_piece_of_configuration_that_is_no_python_is_told_with_the_way_out(
    text: bytes, fix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    (tmp_path / "own.py").write_bytes(text)
    _, (problem,) = stack.extra_config(settings({"hub.extra_config": "own.py"}))
    assert problem.where == "hub.extra_config"
    assert problem.fix.startswith(fix)
    assert "None" not in problem.fix


def test_authorities_of_directory_and_network_are_mounted_where_they_are_named() -> None:
    directory, network = ONE, TWO
    recording = unmonitored({"directory.ca_certificates": directory, "network": {"ca_certificates": network}})
    trust = objects(recording, "ConfigMap")["elab-hub/hub-trust"]["data"]
    for path, text in (
        (values(recording)["directory"]["ca_file"], directory),
        (environment(recording)["SSL_CERT_FILE"], network),
    ):
        folder, _, file = path.rpartition("/")
        assert mounted(recording)[folder]["configMap"]["name"] == "hub-trust"
        assert trust[file] == text


def test_a_corporate_proxy_is_passed_by_for_whatever_is_in_the_cluster() -> None:
    proxy = {
        "https_proxy": "http://proxy.example.org:3128",
        "proxy_cidrs": ["10.70.0.1/32"],
        "no_proxy": [".example.org"],
    }
    found = environment(unmonitored({"network": proxy}))
    assert found["https_proxy"] == found["HTTPS_PROXY"] == "http://proxy.example.org:3128"
    assert {".svc", "10.96.0.0/12", "10.244.0.0/16", ".example.org", "127.0.0.1"} <= set(found["no_proxy"].split(","))
    assert "http_proxy" not in found


def test_the_hub_has_its_notebook_image_from_the_image_unit() -> None:
    assert environment(unmonitored())["ELAB_NOTEBOOK_IMAGE"] == "quay.io/jupyter/datascience-notebook:2025-03-14"
