"""Which live objects the patterns of `policy.ignore` and `policy.protect` mean."""

import pytest

from leadstate.model.account import Policy


@pytest.mark.parametrize(
    ("pattern", "name", "meant"),
    [
        ("VIP", "VIP", True),
        ("VIP", "vip", False),
        ("VIP", "VIP 2", False),
        ("GDPR*", "GDPR hold", True),
        ("V?P", "V.P", True),
        ("[HW]*", "Hot", True),
        ("[HW]*", "Cold", False),
        ("[!H]*", "Hot", False),
        ("[GDPR]*", "[GDPR] keep", True),
        ("[GDPR] keep", "[GDPR] keep", True),
        ("[GDPR] k??p", "[GDPR] keep", True),
        ("[GDPR] keep", "G keep", True),
        ("x[!a]", "x[!a]", True),
        ("[", "[", True),
        ("* [2026]", "Campaign [2026]", True),
        ("[GDPR]*", "keep [GDPR]", False),
    ],
)
def test_a_pattern_means_names_that_it_matches_or_that_hold_its_brackets(
    pattern: str, name: str, *, meant: bool
) -> None:
    policy = Policy(ignore={"label": [pattern]}, protect={"label": [pattern]})
    assert policy.ignores("label", name) is meant
    assert policy.protects("label", name) is meant
    assert not policy.protects("lead", name)
