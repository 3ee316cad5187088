"""The directory client against a real LDAP talk on loopback: TLS, time-outs, the pool, groups, passwords."""

import logging
import ssl
import time
from collections.abc import Callable
from typing import Any

import pytest
from elab_directory import REST, AmbiguousEntryError, Directory, DirectoryUnavailableError, Person, WrongPasswordError

from .ldap_server import BUSY, REFERRAL, SUCCESS, UNWILLING, Entries, Plan, serve

READER = "cn=reader,dc=example,dc=org"
ALICE = "uid=Alice,ou=people,dc=example,dc=org"
ALLOWED = "cn=Researchers,ou=groups,dc=Example,dc=org"
ADMINS = "cn=admins,ou=groups,dc=example,dc=org"


def people() -> Entries:
    return {
        READER: {"cn": ["reader"], "userPassword": ["reader-password"]},
        ALICE: {"uid": ["Alice"], "userPassword": ["alice-password"]},
        "uid=bob,ou=people,dc=example,dc=org": {"uid": ["bob"], "userPassword": ["bob-password"]},
        # The settings write this DN with other capitals.
        "cn=researchers,ou=groups,dc=example,dc=org": {"cn": ["researchers"], "member": [ALICE]},
        ADMINS: {"cn": ["admins"], "memberUid": ["alice"]},
    }


def directory(
    values: dict[str, Any],
    *ports: int,
    ldaps: bool = False,
    ca: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Directory:
    settings = values["directory"]
    settings["servers"] = [{"host": "127.0.0.1", "port": port, "ldaps": ldaps} for port in ports]
    settings["tls"] = "verified" if ca else "unencrypted"
    settings["ca_file"] = ca
    return Directory(settings=settings, password="reader-password", clock=clock)


def test_a_right_password_gives_the_directorys_own_name_in_lower_case_and_the_groups_that_matter(
    values: dict[str, Any],
) -> None:
    with serve(Plan(entries=people())) as port:
        person = directory(values, port).log_in("ALICE", "alice-password")
    assert person == Person(name="alice", dn=ALICE, groups=frozenset({ALLOWED, ADMINS}))


def test_somebody_in_no_group_is_known_and_has_none(values: dict[str, Any]) -> None:
    with serve(Plan(entries=people())) as port:
        person = directory(values, port).log_in("bob", "bob-password")
    assert person is not None
    assert person.groups == frozenset()


@pytest.mark.parametrize(
    ("written", "answered"),
    [
        (r"cn=Chemie\, Physik", r"cn=Chemie\2C Physik"),
        (r"cn=Chemie\2C Physik", r"cn=chemie\2c physik"),
        ("cn=Prüfstand", r"cn=Pr\C3\BCfstand"),
        ("cn=C# developers", "cn=C# developers"),
        (r"cn=C\# developers", "cn=C# developers"),
        ("cn=a=b", r"cn=a\3Db"),
        (r"CN=Students\ ", r"CN=Students\20"),
        ("cn=Physics", "cn = Physics "),
        ("cn=Physics+uid=p", "uid=P+cn=Physics"),
    ],
)
def test_a_group_is_known_however_its_name_is_escaped(values: dict[str, Any], written: str, answered: str) -> None:
    allowed, found = (f"{name},ou=groups,dc=example,dc=org" for name in (written, answered))
    values["directory"]["groups"]["allowed"] = [allowed]
    with serve(Plan(entries={**people(), found: {"cn": ["any"], "member": [ALICE]}})) as port:
        person = directory(values, port).look_up("alice")
    assert person is not None
    assert allowed in person.groups


@pytest.mark.parametrize("name", ["cn=C# developers", "cn=a=b", r"CN=Students\ "])
def test_a_group_that_is_not_allowed_may_have_any_name(values: dict[str, Any], name: str) -> None:
    found = {f"{name},ou=groups,dc=example,dc=org": {"cn": ["any"], "member": [ALICE]}}
    with serve(Plan(entries={**people(), **found})) as port:
        person = directory(values, port).look_up("alice")
    assert person is not None
    assert person.groups == {ALLOWED, ADMINS}


def test_an_allowed_group_is_shown_to_the_bind_account_whatever_its_name(values: dict[str, Any]) -> None:
    allowed = r"CN=Students\ ,ou=groups,dc=example,dc=org"
    values["directory"]["groups"]["allowed"] = [allowed]
    with serve(Plan(entries={**people(), allowed: {"cn": ["Students "]}})) as port:
        assert directory(values, port).look_up("nobody") is None


@pytest.mark.parametrize("password", ["a²", "µ", "x\N{ACUTE ACCENT}", "a\N{NO-BREAK SPACE}b", "aש", "\N{SOFT HYPHEN}"])
def test_a_password_reaches_the_directory_as_it_was_typed(values: dict[str, Any], password: str) -> None:
    plan = Plan(entries=people())
    plan.entries[ALICE]["userPassword"] = plan.entries[READER]["userPassword"] = [password]
    with serve(plan) as port:
        client = directory(values, port)
        client.password = password
        assert client.log_in("alice", password) is not None


def test_a_wrong_password_is_refused(values: dict[str, Any]) -> None:
    with serve(Plan(entries=people())) as port, pytest.raises(WrongPasswordError):
        directory(values, port).log_in("alice", "wrong")


@pytest.mark.parametrize("code", [REFERRAL, UNWILLING], ids=["referral", "locked account"])
def test_only_a_bind_that_succeeds_lets_anybody_in(values: dict[str, Any], code: int) -> None:
    with serve(Plan(entries=people(), bind_result=code)) as port, pytest.raises(WrongPasswordError):
        directory(values, port).log_in("alice", "alice-password")


@pytest.mark.parametrize("password", ["", "\0", "\0wrong"])
def test_an_empty_password_is_refused_though_the_server_would_take_it_for_an_anonymous_bind(
    values: dict[str, Any], password: str
) -> None:
    plan = Plan(entries=people())
    plan.entries[ALICE]["userPassword"].append(password)
    with serve(plan) as port, pytest.raises(WrongPasswordError):
        directory(values, port).log_in("alice", password)
    assert plan.binds == []


def test_a_wrong_password_is_not_tried_on_the_next_server_where_it_would_count_again(values: dict[str, Any]) -> None:
    first, second = Plan(entries=people()), Plan(entries=people())
    with serve(first) as one, serve(second) as two, pytest.raises(WrongPasswordError):
        directory(values, one, two).log_in("alice", "wrong")
    assert second.connections == 0


@pytest.mark.parametrize("login", ["*", "a*", "alice)(uid=*", "nobody", "\\2a"])
def test_a_name_with_signs_of_filters_finds_nobody(values: dict[str, Any], login: str) -> None:
    with serve(Plan(entries=people())) as port:
        assert directory(values, port).look_up(login) is None


def test_a_server_that_hangs_costs_its_time_out_once_and_the_second_answers(values: dict[str, Any]) -> None:
    hung = Plan(entries=people(), hangs=True)
    now = [0.0]
    with serve(hung) as one, serve(Plan(entries=people())) as two:
        pool = directory(values, one, two, clock=lambda: now[0])
        begun = time.monotonic()
        assert pool.look_up("alice") is not None
        assert time.monotonic() - begun < 3
        begun = time.monotonic()
        assert pool.look_up("alice") is not None
        assert time.monotonic() - begun < 0.5
        assert hung.connections == 1
        # It gets its place back after a while.
        hung.hangs, now[0] = False, REST + 1
        assert pool.look_up("alice") is not None
        assert hung.connections == 2


def test_no_server_at_all_is_an_outage_and_nobody_is_unknown(values: dict[str, Any]) -> None:
    with serve(Plan(entries=people())) as port:
        pass
    with pytest.raises(DirectoryUnavailableError):
        directory(values, port).look_up("alice")


@pytest.mark.parametrize("fault", ["busy", "referral", "bind password", "two values", "two entries"])
def test_an_answer_that_proves_nothing_is_an_outage_and_never_a_leaver(values: dict[str, Any], fault: str) -> None:
    plan = Plan(entries=people(), search_result={"busy": BUSY, "referral": REFERRAL}.get(fault, SUCCESS))
    if fault == "bind password":
        plan.entries[READER]["userPassword"] = ["another"]
    if fault == "two values":
        plan.entries[ALICE]["uid"] = ["alice", "alicia"]
    if fault == "two entries":
        plan.entries["uid=alice,ou=old,ou=people,dc=example,dc=org"] = {"uid": ["alice"]}
    with serve(plan) as port, pytest.raises(DirectoryUnavailableError):
        directory(values, port).look_up("alice")


@pytest.mark.parametrize("login", ["alice", "nobody"])
def test_a_replica_without_data_is_passed_over_for_one_that_has_some(values: dict[str, Any], login: str) -> None:
    fresh, full = Plan(entries={READER: people()[READER]}), Plan(entries=people())
    with serve(fresh) as first, serve(full) as second:
        found = directory(values, first, second).look_up(login)
    assert (found is not None) == (login == "alice")
    assert (fresh.connections, full.connections) == (1, 1)


@pytest.mark.parametrize("shown", ["ou=people", "ou=groups"])
def test_a_name_that_is_not_found_where_nothing_is_shown_is_no_wrong_password(
    values: dict[str, Any], shown: str
) -> None:
    plan = Plan(entries={dn: entry for dn, entry in people().items() if shown in dn or dn == READER})
    with serve(plan) as port, pytest.raises(DirectoryUnavailableError, match="it shows"):
        directory(values, port).log_in("carol", "carol-password")


@pytest.mark.parametrize("ldaps", [True, False], ids=["ldaps", "starttls"])
def test_passwords_travel_encrypted_to_a_server_whose_name_was_checked(
    values: dict[str, Any], certificate: tuple[ssl.SSLContext, str], ldaps: bool
) -> None:
    context, authority = certificate
    plan = Plan(entries=people(), tls=context, from_the_start=ldaps)
    with serve(plan) as port:
        assert directory(values, port, ldaps=ldaps, ca=authority).log_in("alice", "alice-password") is not None
        assert plan.encrypted == [True, True]
        plan.binds.clear()
        stranger = directory(values, port, ldaps=ldaps, ca=authority)
        # The certificate is for 127.0.0.1; localhost is the same machine by another name.
        stranger.settings["servers"][0]["host"] = "localhost"
        with pytest.raises(DirectoryUnavailableError):
            stranger.log_in("alice", "alice-password")
        assert plan.binds == []


@pytest.mark.parametrize("ldaps", [True, False], ids=["ldaps", "starttls"])
def test_a_certificate_of_an_unknown_authority_is_refused_before_any_password(
    values: dict[str, Any], certificate: tuple[ssl.SSLContext, str], ldaps: bool
) -> None:
    plan = Plan(entries=people(), tls=certificate[0], from_the_start=ldaps)
    with serve(plan) as port:
        client = directory(values, port, ldaps=ldaps, ca=certificate[1])
        client.settings["ca_file"] = None
        with pytest.raises(DirectoryUnavailableError):
            client.log_in("alice", "alice-password")
    assert plan.binds == []


def test_no_password_is_logged_or_shown(values: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    plan = Plan(entries=people())
    with serve(plan) as port:
        client = directory(values, port)
        with pytest.raises(WrongPasswordError) as refusal:
            client.log_in("alice", "s3cret-typed")
        plan.search_result = BUSY
        with pytest.raises(DirectoryUnavailableError) as outage:
            client.log_in("alice", "s3cret-typed")
    shown = f"{caplog.text} {client!r} {refusal.value!r} {refusal.value.__cause__!r} {outage.value!r}"
    assert "s3cret-typed" not in shown
    assert "reader-password" not in shown


@pytest.mark.parametrize("active", [True, False])
def test_two_people_of_one_name_never_share_an_account_whatever_they_log_in_by(
    values: dict[str, Any], active: bool
) -> None:
    values["directory"]["people"]["filter"] = "(&(mail={username})(!(status=disabled)))"
    plan = Plan(entries=people())
    plan.entries[ALICE]["mail"] = ["alice@example.org"]
    plan.entries["uid=alice,ou=guests,ou=people,dc=example,dc=org"] = {
        "uid": ["alice"],
        "mail": ["alice@guests.example.org"],
        "status": ["active" if active else "disabled"],
        "userPassword": ["another-password"],
    }
    with serve(plan) as port:
        if active:
            with pytest.raises(AmbiguousEntryError):
                directory(values, port).log_in("alice@guests.example.org", "another-password")
        else:
            # An entry that lets nobody in takes nobody's name.
            person = directory(values, port).log_in("alice@example.org", "alice-password")
            assert person is not None
            assert person.dn == ALICE
