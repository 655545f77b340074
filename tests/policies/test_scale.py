"""The synthetic systems that judging is measured with are good systems, so that the whole proof is measured."""

from policies.harness import findings_of
from tests.policies.scale import proof, stack


def test_a_synthetic_system_keeps_the_proof_rules() -> None:
    made = stack(60)
    assert made.observed == made.expected
    assert [finding.message for rule in proof() for finding in findings_of(rule, made)] == []
