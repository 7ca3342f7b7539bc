"""The claims on rates: verdicts that follow from the theory's numbers, mutants that fail."""

import pytest

from proofs_check import headline, rates
from proofs_check.claim import FAILS, METHODS, Context

MUTANTS = {**rates.MUTANTS, **headline.MUTANTS}
CLAIMS = (*rates.CLAIMS, *headline.CLAIMS)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_variant_fails(name):
    """One check that fails decides; those after it need not run."""
    claim = MUTANTS[name]()
    assert any(check.run(Context()).verdict == FAILS for check in claim.checks)


@pytest.mark.parametrize("build", CLAIMS)
def test_claims_are_well_formed(build):
    claim = build()
    assert build.__name__ == claim.id.lower()
    assert all(check.method in METHODS for check in claim.checks)
    assert len({check.name for check in claim.checks}) == len(claim.checks)
