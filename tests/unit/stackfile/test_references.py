"""What stack files may call things: all that Kubernetes takes, and a name that fits in place of what it doesn't."""

from __future__ import annotations

import pytest

from stackfile.references import Dn, Name, ObjectName, PoolName, StorageClassName, Url
from stackfile.scalars import Scalar


def fix(form: type[Scalar], text: str) -> str:
    with pytest.raises(ValueError) as error:
        form.check(text)
    return str(error.value)


@pytest.mark.parametrize("name", ["jupyter.example.org-tls", "rook.ceph-block", "a", "x" * 63 + "." + "y" * 63])
def test_secrets_and_classes_may_have_names_with_dots_as_kubernetes_has_it(name: str) -> None:
    for form in (ObjectName, StorageClassName):
        form.check(name)


@pytest.mark.parametrize("name", ["a..b", ".a", "a-.b", "A", "a" * 254, ""])
def test_other_names_are_refused(name: str) -> None:
    fix(ObjectName, name)


def test_a_name_that_was_likely_meant_is_told_and_never_made_of_an_address() -> None:
    assert fix(Name, "My Class ") == 'write for example "my-class"'
    assert fix(ObjectName, "Jupyter.Example.org_tls") == 'write for example "jupyter.example.org-tls"'
    for form in (Name, ObjectName):
        assert "hunter2" not in fix(form, "https://elab:hunter2@example.org")


def test_a_pools_name_leaves_room_in_a_label_for_what_stands_before_it() -> None:
    PoolName.check("p" * 42)
    fix(PoolName, "p" * 43)


def test_an_address_holds_no_query() -> None:
    Url.check("https://store.example.org:8443/api/v1/push")
    assert "query" in fix(Url, "https://store.example.org/push?token=a")


@pytest.mark.parametrize(
    "name", ["C# developers", "a=b", r"Physics\, Lab 3", r"Physics\2C", r"\#1", r"Students\ ", "Prüfstand"]
)
def test_a_group_is_written_as_directories_spell_it(name: str) -> None:
    Dn.check(f"cn={name},ou=groups,dc=example,dc=org")
    Dn.check(f"cn={name}+uid=x,dc=example")


@pytest.mark.parametrize("name", ["#1", "Physics, Lab 3", "Students ", " x", "a+b", r"a\x", 'a"b', "", "a,"])
def test_a_name_whose_signs_are_not_escaped_is_refused_and_the_message_says_which(name: str) -> None:
    assert "a backslash before" in fix(Dn, f"cn={name},ou=groups,dc=example,dc=org")
    assert "no spaces around commas" in fix(Dn, "cn=x, dc=example")
