"""People's variables: no secret gets into a stack by them, and rules see what KubeSpawner will hand over."""

from __future__ import annotations

import pytest

from components.hub.users import user_pod
from components.kit import plain
from policy.judge import context, judge, planned_pods
from stackfile.problems import StackError
from tests.harness.platform import settings

SECRETS = {"DB_PASSWORD": "hunter2secret", "AWS_SECRET_ACCESS_KEY": "hunter2secret", "DB_PASS": "hunter2secret"}


@pytest.mark.parametrize("name", [*SECRETS])
def test_a_secret_among_the_variables_is_refused_without_being_told(name: str) -> None:
    with pytest.raises(StackError) as refused:
        settings({"users.environment": {name: SECRETS[name]}})
    (problem,) = refused.value.problems
    assert problem.where == f"users.environment.{name}"
    assert "users.volumes (kind: secret)" in problem.fix
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "value", ["-----BEGIN PRIVATE KEY-----", "https://me:hunter2@db.example.org", "redis://:hunter2@redis:6379/0"]
)
def test_a_secret_is_known_by_its_form_too(value: str) -> None:
    with pytest.raises(StackError, match="a value that holds a secret"):
        settings({"users.environment": {"COURSE": value}})


@pytest.mark.parametrize(
    "variable",
    [
        ("DB_PASSWORD_FILE", "/srv/db/password"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/srv/secrets/gcp.json"),
        ("COURSE", "physics: week 3"),
        ("MAX_TOKENS", "4096"),
        ("SORT_KEY", "name"),
        ("JUPYTER_ALLOW_INSECURE_PASSWORD", "1"),
        ("LLM_API_KEY", "$(SOME)"),
        ("KEY", ""),
    ],
)
def test_what_is_no_secret_is_taken(variable: tuple[str, str]) -> None:
    name, value = variable
    assert settings({"users.environment": {name: value}}).users.environment == {name: value}


def test_rules_see_the_variables_of_people() -> None:
    found = settings()
    users = found.users.model_copy(update={"environment": SECRETS})
    args = found.model_copy(update={"users": users}).values_args
    (pod,) = planned_pods([plain(user_pod(args, users.default_profile, "quay.io/x:1"))])
    said = [one.what for one in judge([pod], context(found), (), "test") if one.rule.name == "no-secret-in-environment"]
    assert sorted(said) == sorted(f"container notebook has the value of {name} in clear" for name in SECRETS)
