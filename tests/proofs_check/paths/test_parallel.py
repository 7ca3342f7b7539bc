import numpy as np

from ibn.proofs_check.paths.parallel import _expected_variance


def test_two_logistic_labels_leave_half_the_variance_of_one():
    found = _expected_variance(2, 20_000, np.random.default_rng(0))
    assert abs(found.mean - np.pi**2 / 3) < 4 * found.stderr
