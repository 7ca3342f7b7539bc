"""P9: each wrong variant fails a check that the headline itself passes."""

import pytest

from ibn.proofs_check.claim import FAILS, HOLDS, Context
from ibn.proofs_check.rates import MUTANTS, p9

REFUTED_BY = {
    "P9: a logarithm in the other families": "elsewhere, measured",
    "P9: log log n dropped from the ceiling": "at most log n/log log n over all α",
}


@pytest.mark.parametrize("name", [name for name in MUTANTS if name.startswith("P9")])
def test_a_wrong_variant_fails_where_the_headline_does_not(name):
    """The headline fails a check of its own, so that a variant must fail another one."""
    check = REFUTED_BY.get(name, "quotient of the table")
    wrong, right = (
        next(one for one in claim.checks if one.name == check) for claim in (MUTANTS[name](), p9())
    )
    assert wrong.run(Context()).verdict == FAILS
    assert right.run(Context()).verdict == HOLDS
