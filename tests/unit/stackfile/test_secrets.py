"""What is told from other text as a secret, and what only looks like one."""

from __future__ import annotations

import pytest

from stackfile.secrets import holds_key, in_clear, is_secret

SECRETS = {
    "DB_PASSWORD": "hunter2secret",
    "DB_PASS": "hunter2",
    "PGPASSWORD": "xyz",
    "MYSQL_PWD": "hunter2",
    "password": "hunter2",
    "REDIS_PASSWORD": "20261125",
    "HUB_PASSWORD_2": "hunter2",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "API_TOKEN": "abcdefgh",
    "OPENAI_API_KEY": "sk-abc",
    "OPENAI_KEY": "sk-proj-Ab3Cd5Ef7Gh9Ij1Kl3Mn",
    "ENCRYPTIONKEY": "hunter2",
    "CLIENT_SECRET": "/9j4AAQSkZJRgABAQAAAQABAAD",
    "CLOUD_CREDENTIALS": '{"a": 1}',
}
HARMLESS = {
    "GOOGLE_APPLICATION_CREDENTIALS": "/srv/secrets/gcp.json",
    "DB_PASSWORD_FILE": "/srv/db/password",
    "MAX_TOKENS": "4096",
    "PAD_TOKEN": "50256",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "JUPYTER_ALLOW_INSECURE_PASSWORD": "1",
    "USE_TOKEN": "False",
    "SSH_PUBKEY": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1 me@host",
    "SSH_PUBLIC_KEY": "AAAAC3NzaC1lZDI1NTE5AAAAIJ1x",
    "SORT_KEY": "name",
    "CACHE_KEY": "physics-2026-week-3-and-4",
    "SSH_KEYS": "/home/a",
    "MONKEY": "1",
    "LLM_API_KEY": "$(SOME)",
    "TOKENIZERS_PARALLELISM": "false",
    "API_TOKEN": "",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_told_by_its_name(name: str) -> None:
    assert is_secret(name, SECRETS[name])


@pytest.mark.parametrize("name", HARMLESS)
def test_places_references_numbers_and_switches_are_no_secrets(name: str) -> None:
    assert not is_secret(name, HARMLESS[name])
    assert not [*in_clear(name, HARMLESS[name])]


@pytest.mark.parametrize("address", ["redis://:hunter22@redis:6379/0", "amqp://me:hunter2@mq", "https://a:b2c@x.org"])
def test_an_address_with_a_password_is_told_with_and_without_a_user(address: str) -> None:
    assert [*in_clear("COURSE", address)] == ["an address with a password"]


@pytest.mark.parametrize(
    "address", ["redis://redis:6379/0", "https://me@db.example.org", "http://a:80/@b", "oci://:8080"]
)
def test_an_address_without_one_is_left_alone(address: str) -> None:
    assert not [*in_clear("COURSE", address)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("-----BEGIN EC PRIVATE KEY-----", "a private key"),
        *((f"clone with gh{kind}_{'aB3' * 12}", "a token of a code host") for kind in "pousr"),
        (f"github_pat_{'x1' * 12}", "a token of a code host"),
        (f"glpat-{'x-1' * 7}", "a token of a code host"),
        *((f"xox{kind}-1234567890-abc", "a token of a service") for kind in "abprs"),
        (f"sk_live_{'a1' * 9}", "a token of a service"),
        (f"AIza{'Sy-9_' * 7}", "a token of a service"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmVkLWJ5LXVz", "a signed token"),
        ("AUTHORIZATION: Basic YWxpY2U6aHVudGVyMg==", "an authorization"),
    ],
)
def test_a_secret_is_told_by_its_form_wherever_it_stands(text: str, what: str) -> None:
    for where in (text, f"# notes\n{text}\n"):
        assert what in in_clear("notes.md", where)


@pytest.mark.parametrize(
    "path",
    [
        "/webhook/2f1c9a04-7a51-4f0e-9d3c-5b8e6a7d1c22",
        "/api/webhooks/1190000000000000001/abcDEF_ghi-JKL0123456789",
        "/hook/9f86d081884c7d659a2feaa0c55ad015",
        "/hook/k3j9x8d2q7m1z5w0p4r6",
        "/integrations/Ab3Cd5Ef7Gh9Ij1Kl3Mn5/",
    ],
)
def test_a_key_in_a_path_is_told_by_its_looks(path: str) -> None:
    assert holds_key(path)


@pytest.mark.parametrize(
    "path",
    [
        "/alertmanager20261125production1",
        "/alertmanager-2026-11-25-production-1",
        "/Alertmanager-Production-2026",
        "/namespaces/elab-monitoring/services/alertmanager",
        "/20261125202611252026",
    ],
)
def test_what_people_call_their_paths_is_no_key(path: str) -> None:
    assert not holds_key(path)
