import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibn.preferences.comparisons import Comparisons
from ibn.simulations.validation.reward import NOISE, kernel_variance


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), labels=st.integers(1, 12), width=st.integers(1, 6))
def test_the_kernels_variance_is_that_of_bayesian_linear_regression(seed, labels, width):
    rng = np.random.default_rng(seed)
    features, rows = rng.normal(size=(8, width)), rng.normal(size=(9, width))
    a = rng.integers(0, 7, labels)
    comparisons = Comparisons(np.arange(8), a, a + 1)
    pairs = np.array([(0, 1), (2, 5), (3, 8)])
    asked = rows[pairs[:, 0]] - rows[pairs[:, 1]]
    scale = 2.0 / np.sum(asked**2, axis=1).mean()
    labelled = features[a] - features[a + 1]
    precision = np.eye(width) / scale + labelled.T @ labelled / NOISE  # of the weights
    naive = np.einsum("ij,ij->i", asked @ np.linalg.inv(precision), asked).mean()
    found = kernel_variance(features, comparisons, rows, pairs)
    assert found == pytest.approx(naive)
    assert found <= 2.0 + 1e-9


def test_rows_that_are_all_the_same_leave_no_variance():
    comparisons = Comparisons(np.arange(2), np.array([0]), np.array([1]))
    assert kernel_variance(np.eye(2), comparisons, np.ones((3, 2)), np.array([[0, 1]])) == 0.0
