"""How often labels agree with the better response."""

import numpy as np
import pytest

from ibn.auditing.settings import agreement_of, beta_of


@pytest.mark.parametrize("agreement", [0.55, 0.7, 0.9])
def test_the_inverse_of_agreement(agreement):
    assert agreement_of(np.exp(beta_of(agreement, 2.0)), 2.0) == pytest.approx(agreement)
