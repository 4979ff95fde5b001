"""Codes are what they promise to be."""

from sr_bench.lint.run import rules


def test_no_two_rules_share_a_code() -> None:
    codes = [rule.code for rule in rules()]
    assert len(set(codes)) == len(codes) >= 19
