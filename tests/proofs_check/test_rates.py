"""The claims on rates: verdicts that follow from the theory's numbers, mutants that fail."""

import pytest

from proofs_check import headline, rates
from proofs_check.claim import FAILS, HOLDS, METHODS, Context

CLAIMS = (*rates.CLAIMS, *headline.CLAIMS)


@pytest.mark.parametrize("name", rates.MUTANTS)
def test_a_wrong_variant_fails(name):
    """One check that fails decides; those after it need not run."""
    claim = rates.MUTANTS[name]()
    assert any(check.run(Context()).verdict == FAILS for check in claim.checks)


REFUTED_BY = {
    "P9: a logarithm in the other families": "elsewhere, measured",
    "P9: log log n dropped from the ceiling": "at most log n/log log n over all α",
}


@pytest.mark.parametrize("name", headline.MUTANTS)
def test_a_wrong_variant_of_the_headline_fails_where_the_headline_does_not(name):
    """The headline fails a check of its own, so that a variant must fail another one."""
    check = REFUTED_BY.get(name, "quotient of the table")
    wrong, right = (
        next(one for one in claim.checks if one.name == check)
        for claim in (headline.MUTANTS[name](), headline.p9())
    )
    assert wrong.run(Context()).verdict == FAILS
    assert right.run(Context()).verdict == HOLDS


@pytest.mark.parametrize("build", [rates.p5, rates.p7])
def test_what_fails_as_an_order_holds_as_an_upper_bound_where_nothing_is_drawn(build):
    for check in build(bound="upper").checks:
        if check.method != "Monte Carlo":
            assert check.run(Context()).verdict == HOLDS


@pytest.mark.parametrize("build", CLAIMS)
def test_claims_are_well_formed(build):
    claim = build()
    assert build.__name__ == claim.id.lower()
    assert all(check.method in METHODS for check in claim.checks)
    assert len({check.name for check in claim.checks}) == len(claim.checks)
