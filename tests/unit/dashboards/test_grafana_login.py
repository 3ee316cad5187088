"""Who may log in to Grafana is who administers the hub: the same servers, the same checks, the same groups."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
from ldap3 import MOCK_SYNC, SUBTREE, Connection, Server
from ldap3.strategy.mockSync import MockSyncStrategy
from ldap3.utils.conv import escape_filter_chars

from components.hub.directory import DirectorySettings
from components.monitoring.grafana_login import group_searches, ldap_toml, mappings
from components.monitoring.grafana_settings import GrafanaSettings
from stackfile.problems import StackError
from tests.harness.authorities import ONE
from tests.harness.platform import objects, platform, resource, settings, with_secrets

ADMINS = {"directory.groups.admins": ["cn=admins,ou=groups,dc=example,dc=org"]}
BASE = "ou=groups,dc=example,dc=org"


def directory(**changes: object) -> DirectorySettings:
    found = {f"directory.{key.replace('__', '.')}": value for key, value in changes.items()}
    made = settings({**ADMINS, **found}).directory
    assert made is not None
    return made


def servers(asked: DirectorySettings, ca_file: str | None = None, *, viewers: bool = False) -> list[dict[str, Any]]:
    return tomllib.loads(ldap_toml(GrafanaSettings(viewers=viewers), asked, ca_file))["servers"]


def filtered(by: str) -> DirectorySettings:
    return directory(groups__filter=by)


def test_servers_are_those_of_the_hub_with_tls_as_each_speaks_it() -> None:
    found = [
        (one["host"], one["port"], one["use_ssl"], one["start_tls"], one["ssl_skip_verify"])
        for one in servers(filtered("(member={dn})"))
    ]
    assert found == [
        ("ldap1.example.org", 636, True, False, False),
        ("ldap2.example.org", 1389, True, True, False),
    ]


def test_replicas_are_one_entry_so_that_one_wrong_password_is_one_failed_bind() -> None:
    asked = directory(servers=["ldaps://a.example.org", "ldaps://b.example.org"], groups__filter="(member={dn})")
    assert [one["host"] for one in servers(asked)] == ["a.example.org b.example.org"]


def test_a_test_directory_without_tls_is_asked_without() -> None:
    asked = directory(servers=["ldap://a.example.org"], tls="unencrypted", groups__filter="(member={dn})")
    (found,) = servers(asked, "/etc/grafana/directory.crt")
    assert (found["use_ssl"], found["start_tls"], "root_ca_cert" in found) == (False, False, False)


def test_the_bind_password_is_a_variable_and_an_anonymous_bind_has_none() -> None:
    for found in servers(directory()):
        assert found["bind_dn"] == "cn=elab,ou=services,dc=example,dc=org"
        assert found["bind_password"] == "${ELAB_LDAP_BIND_PASSWORD}"
    for found in servers(directory(bind_dn=None)):
        assert {"bind_dn", "bind_password"}.isdisjoint(found)


def test_people_are_found_as_the_hub_finds_them() -> None:
    people = {"base": "ou=staff,dc=example,dc=org", "filter": "(sAMAccountName={username})"}
    asked = directory(people={**people, "username_attribute": "sAMAccountName"})
    for found in servers(asked):
        assert found["search_base_dns"] == [people["base"]]
        assert found["search_filter"] == "(sAMAccountName=%s)"
        assert found["attributes"] == {"username": "sAMAccountName"}


def roles(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["group_dn"], one["org_role"]) for one in found["group_mappings"]]


def test_administrators_administer_and_nobody_else_gets_in_unless_the_settings_say_so() -> None:
    admins = ("cn=admins,ou=groups,dc=example,dc=org", "Admin")
    allowed = ("cn=researchers,ou=groups,dc=example,dc=org", "Viewer")
    assert {tuple(roles(one)) for one in servers(directory())} == {(admins,)}
    # The first that fits counts: an administrator who is allowed too stays one.
    assert {tuple(roles(one)) for one in servers(directory(), viewers=True)} == {(admins, allowed)}


def test_without_any_group_the_directory_lets_nobody_in() -> None:
    """Grafana would let in everybody whom the directory knows."""
    recording = platform()
    assert mappings(settings().monitoring.grafana, directory(groups__admins=[])) == []
    (container,) = objects(recording, "Deployment")["elab-monitoring/grafana"]["spec"]["template"]["spec"]["containers"]
    variables = {one["name"]: one.get("value") for one in container["env"]}
    assert variables["GF_AUTH_LDAP_ENABLED"] == "false"
    assert "ELAB_LDAP_BIND_PASSWORD" not in variables
    assert "elab-monitoring/grafana-ldap-bind" not in objects(recording, "Secret")
    assert "ldap.toml" not in objects(recording, "ConfigMap")["elab-monitoring/grafana-config"]["data"]


def test_with_one_its_members_log_in() -> None:
    recording = platform(ADMINS)
    (container,) = objects(recording, "Deployment")["elab-monitoring/grafana"]["spec"]["template"]["spec"]["containers"]
    assert {one["name"]: one.get("value") for one in container["env"]}["GF_AUTH_LDAP_ENABLED"] == "true"


def _expanded(text: str, environment: Mapping[str, str]) -> str:
    """Text as Grafana reads it (`setting.ExpandVar`): variables first, then files, in whatever that has left."""
    text = re.sub(r"\$(?:|__env)\{([^}]+)\}", lambda found: environment.get(found[1], ""), text)
    return re.sub(r"\$__file\{([^}]+)\}", "a file's content", text)


@pytest.mark.parametrize(
    "password", ['pa"ss', "pa\\ss", "pa\\tss", "pä'''ss 🔑", "a\nb", "${HOME}", "$__file{/etc/passwd}"]
)
def test_it_binds_with_the_very_password_of_the_hub(password: str) -> None:
    """A file that can't be read lets nobody in; a password that was misread locks the hub's account."""
    recording = with_secrets({"ldap_bind_password": password}, ADMINS)
    data = objects(recording, "ConfigMap")["elab-monitoring/grafana-config"]["data"]
    secret = resource(recording, "Secret", "elab-monitoring/grafana-ldap-bind")
    assert {path[0] for path in secret.secret_paths} == {"stringData"}
    environment = {"ELAB_LDAP_BIND_PASSWORD": secret.inputs["stringData"]["value"], "HOME": "/home"}
    read = tomllib.loads(_expanded(data["ldap.toml"], environment))
    assert {one["bind_password"] for one in read["servers"]} == {password}


@pytest.mark.parametrize("whose", ["directory.ca_certificates", "network"])
def test_the_authorities_lie_where_ldap_toml_says(whose: str) -> None:
    recording = platform({**ADMINS, whose: ONE if whose != "network" else {"ca_certificates": ONE}})
    data = objects(recording, "ConfigMap")["elab-monitoring/grafana-config"]["data"]
    paths = {one["root_ca_cert"] for one in tomllib.loads(data["ldap.toml"])["servers"]}
    assert paths == {"/etc/grafana/directory.crt"}
    assert data["directory.crt"] == ONE


def test_without_authorities_the_images_own_are_trusted() -> None:
    assert not [one for one in servers(directory()) if "root_ca_cert" in one]


@pytest.mark.parametrize(
    ("by", "searches"),
    [
        ("(member={dn})", [("(member=%s)", "dn")]),
        ("(memberUid={username})", [("(memberUid=%s)", "uid")]),
        ("(&(objectClass=group)(member={dn}))", [("(&(objectClass=group)(member=%s))", "dn")]),
        ("(|(member={dn})(memberUid={username}))", [("(member=%s)", "dn"), ("(memberUid=%s)", "uid")]),
        (
            "(|(member={dn})(uniqueMember={dn})(memberUid={username}))",
            [("(|(member=%s)(uniqueMember=%s))", "dn"), ("(memberUid=%s)", "uid")],
        ),
        (
            "(|(&(objectClass=a)(member={dn}))(memberUid={username}))",
            [("(&(objectClass=a)(member=%s))", "dn"), ("(memberUid=%s)", "uid")],
        ),
    ],
)
def test_a_filter_becomes_searches_for_one_attribute_each(by: str, searches: list[tuple[str, str]]) -> None:
    assert group_searches(filtered(by)) == searches


@pytest.mark.parametrize(
    "by",
    [
        "(&(member={dn})(memberUid={username}))",
        "(!(|(member={dn})(memberUid={username})))",
        "(|(&(member={dn})(memberUid={username}))(owner={dn}))",
        "(|(member={dn})(memberUid={username})(cn=everybody))",
    ],
)
def test_a_filter_that_is_no_such_or_is_refused_with_the_way_out(by: str) -> None:
    with pytest.raises(StackError) as refused:
        filtered(by)
    (problem,) = refused.value.problems
    assert (problem.where, problem.found) == ("directory.groups.filter", by)


@pytest.mark.parametrize(
    "by",
    [
        "(|(member={dn})(uniqueMember={dn})(memberUid={username}))",
        "(|(&(objectClass=groupOfNames)(member={dn}))(memberUid={username}))",
    ],
)
@pytest.mark.parametrize("person", ["ada", "bob", "eve"])
def test_grafana_finds_the_groups_that_the_hub_finds(by: str, person: str) -> None:
    dn = f"uid={person},ou=people,dc=example,dc=org"
    connection = Connection(Server("mock"), client_strategy=MOCK_SYNC)
    strategy = connection.strategy
    assert isinstance(strategy, MockSyncStrategy)
    groups = {
        "names": {"objectClass": "groupOfNames", "member": ["uid=ada,ou=people,dc=example,dc=org"]},
        "posix": {"objectClass": "posixGroup", "memberUid": ["ada", "bob"]},
        "unique": {"objectClass": "groupOfUniqueNames", "uniqueMember": ["uid=bob,ou=people,dc=example,dc=org"]},
    }
    for name, attributes in groups.items():
        strategy.add_entry(f"cn={name},{BASE}", {"cn": name, **attributes})
    connection.bind()

    def found(text: str) -> set[str]:
        connection.search(BASE, text, search_scope=SUBTREE, attributes=["cn"])
        return {entry["dn"] for entry in connection.response or ()}

    hub = found(by.replace("{dn}", escape_filter_chars(dn)).replace("{username}", person))
    values = {"dn": escape_filter_chars(dn), "uid": person}
    grafana = {
        group
        for search, attribute in group_searches(filtered(by))
        for group in found(search.replace("%s", values[attribute]))
    }
    assert grafana == hub
    assert bool(hub) == (person != "eve")
