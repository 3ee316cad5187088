"""docs/policy.md says what the rules say."""

from policy.handbook import HANDBOOK, text
from policy.rules import RULES


def test_the_page_is_the_one_that_the_rules_make() -> None:
    assert HANDBOOK.read_text(encoding="utf-8") == text(), "make handbook writes it anew"


def test_it_has_a_row_for_each_rule() -> None:
    assert all(f"| `{rule.name}` | {rule.dev} | {rule.prod} |" in text() for rule in RULES)
