"""Elasticsearch knows each user by a hash that is computed here: in its own format."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from components.logging import bootstrap, exporter, filebeat, fluent_bit
from components.logging.credentials import (
    PEOPLE,
    USERS,
    password_hash,
    service_token,
    service_tokens_file,
    users_file,
    users_roles_file,
)
from tests.unit.logging.roles import role, roles

SECRET = "r5wdbdboQSe9vGOKwaJGAw"
HASH = "{PBKDF2_STRETCH}10000$8QN+eThJEaCd18sCP0nfzxJq2D9yhmSZgI20TDooYcE=$+0ELfqW4D2+/SlHvm/885dzv67qO2SMJg32Mv/9epXk="
"""A service token's secret and its hash, as Elasticsearch's own tests have them (ServiceAccountSingleNodeTests)."""


def accepts(line: str, shown: str) -> bool:
    """What Elasticsearch does with a hash and what is shown to it, by another implementation of the derivation."""
    cost, salt, made = line.removeprefix("{PBKDF2_STRETCH}").split("$")
    stretched = hashlib.sha512(shown.encode()).hexdigest().encode()
    derived = PBKDF2HMAC(SHA512(), 32, base64.b64decode(salt), int(cost)).derive(stretched)
    return base64.b64encode(derived).decode() == made


def test_elasticsearchs_own_example_of_a_hash_is_computed_alike() -> None:
    salt = base64.b64decode(HASH.split("$")[1])
    assert password_hash(SECRET, salt) == HASH
    assert accepts(HASH, SECRET)


def test_each_user_has_a_hash_that_its_own_password_alone_opens() -> None:
    passwords = {"fluent-bit": "a" * 64, "filebeat": "b" * 64}
    lines = users_file(passwords, {user: bytes([index]) * 32 for index, user in enumerate(passwords)})
    found = dict(line.split(":", 1) for line in lines.splitlines())
    assert set(found) == set(passwords)
    for user, line in found.items():
        assert [other for other, text in passwords.items() if accepts(line, text)] == [user]
    assert not any(text in lines for text in passwords.values())


def test_kibanas_token_is_of_its_own_account_and_in_the_form_of_elasticsearch() -> None:
    token = service_token(SECRET)
    whole = base64.b64decode(token + "=" * (-len(token) % 4))
    assert whole[:4] == bytes([0, 1, 0, 1])
    assert "=" not in token
    account, _, secret = whole[4:].decode().partition(":")
    (line,) = service_tokens_file(SECRET, b"s" * 32).splitlines()
    name, _, hashed = line.partition(":")
    assert name == account == "elastic/kibana/elab"
    assert accepts(hashed, secret)


def test_every_user_has_one_role_that_is_defined_for_it_alone() -> None:
    pairs = [line.split(":") for line in users_roles_file().splitlines()]
    assert sorted(user for _, user in pairs) == sorted(USERS)
    assert {role for role, user in pairs if user not in PEOPLE} == set(roles())
    assert len({role for role, _ in pairs}) == len(pairs)


def test_a_program_may_do_what_it_does_and_no_more() -> None:
    for user, datasets in ((fluent_bit.USER, fluent_bit.DATASETS), (filebeat.USER, filebeat.DATASETS)):
        (indices,) = role(user)["indices"]
        (pattern,) = indices["names"]
        kind = pattern.removesuffix("*-*")
        assert all(f"logs-{dataset}-elab".startswith(kind) for dataset in datasets)
    # The exporter sees no index and no document.
    assert role(exporter.USER) == {"cluster": ["monitor"]}


def test_who_can_make_roles_runs_once_and_not_every_hour() -> None:
    may = {name for name, held in roles().items() if {"manage_security", "all"} & set(held.get("cluster", ()))}
    assert may == {USERS[bootstrap.USERS["pages"]]}


def test_no_shipper_may_read_change_or_delete_a_line() -> None:
    for user in (fluent_bit.USER, filebeat.USER):
        held = {one for indices in role(user)["indices"] for one in indices["privileges"]}
        assert held == {"create_doc", "auto_configure"}
