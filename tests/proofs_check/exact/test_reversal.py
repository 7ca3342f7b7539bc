"""E2 and E3: what is measured refutes wrong variants by itself."""

from functools import partial

import pytest

from ibn.bias.ultrametric import Ultrametric
from ibn.proofs_check.claim import FAILS, Context
from ibn.proofs_check.exact import ALPHA, ONE, TENTH, minimax, reversal
from ibn.proofs_check.exact.reversal import Reversal

BOUNDS = (minimax.noisy_at_least, minimax.noisy_at_most)


@pytest.mark.parametrize(
    "run",
    [
        partial(reversal._chain, Reversal(chain_power=-ALPHA - TENTH), reversal.FEW),
        partial(reversal._chain, Reversal(chain_power=-ALPHA + TENTH), reversal.FEW),
        partial(reversal._chain, Reversal(chain_log=ONE), reversal.FEW),
        partial(reversal._tree, Reversal(leaf_power=-ALPHA - TENTH)),
        partial(reversal._reversed, Reversal(ratio_log=ALPHA)),
        partial(reversal._reversed, Reversal(ratio_log=0 * ONE)),
        partial(minimax._measured, -ALPHA / (1 + ALPHA) - TENTH, BOUNDS),
        partial(minimax._measured, -ALPHA / (2 + ALPHA), BOUNDS),
    ],
)
def test_measurement_alone_refutes_a_wrong_variant(run):
    assert run((Ultrametric(alpha=1.0),), Context()).verdict == FAILS
