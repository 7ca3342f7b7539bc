import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist, pdist

from ibn.errors import InputError
from ibn.learner.features import feature_map, linear_features, rbf_features, typical_distance


def cloud(m=30, p=4, seed=0):
    return np.random.default_rng(seed).normal(size=(m, p))


def squared(features):
    return cdist(features, features, "sqeuclidean")


@given(st.sampled_from(["linear", "rbf"]), st.integers(0, 5), st.floats(0.3, 5.0))
def test_the_mean_squared_distance_of_two_responses_is_one(kernel, seed, width):
    points = cloud(seed=seed)
    features = feature_map(kernel, points, width).features(points)
    assert_allclose((pdist(features) ** 2).mean(), 1.0)
    assert_allclose(features.mean(axis=0), 0.0, atol=1e-6)


def test_linear_distances_are_those_of_the_embeddings():
    points = cloud()
    ratio = squared(linear_features(points).features(points)) / (squared(points) + np.eye(30))
    off = ratio[~np.eye(30, dtype=bool)]
    assert_allclose(off, off[0])


@given(st.integers(0, 5), st.floats(0.5, 5.0))
def test_exact_rbf_features_have_the_kernels_distances(seed, width):
    """Among the responses, and between them and any other point."""
    points = cloud(seed=seed)
    mapped = rbf_features(points, width)
    assert mapped.exact
    kernel = np.exp(-squared(points) / (2 * width**2))
    expected = 2 * (1 - kernel)
    expected /= expected[np.triu_indices(30, 1)].mean()
    assert_allclose(squared(mapped.features(points)), expected, atol=1e-6)


def test_nystroms_features_are_a_projection_that_landmarks_survive():
    points = cloud(200, 2)
    exact = rbf_features(points, 1.0).features(points)
    some = rbf_features(points, 1.0, landmarks=60, seed=3)
    assert not some.exact
    assert some.landmarks.shape == (60, 2)
    landmark = some.features(some.landmarks)
    expected = 1 - np.exp(-squared(some.landmarks) / 2)
    ratio = squared(landmark)[~np.eye(60, dtype=bool)] / expected[~np.eye(60, dtype=bool)]
    assert_allclose(ratio, ratio[0], rtol=1e-4)
    error = np.abs(squared(some.features(points)) - squared(exact))
    assert error.mean() < 0.01  # 60 landmarks tell nearly all about so smooth a kernel
    again = rbf_features(points, 1.0, landmarks=60, seed=3)
    assert_allclose(again.projection, some.projection)


def test_duplicates_do_no_harm():
    points = np.repeat(cloud(6), 4, axis=0)
    features = rbf_features(points).features(points)
    assert features.shape[1] <= 6
    assert squared(features)[0, 1] < 1e-9


def test_the_typical_distance_is_the_median_one():
    points = cloud(300)
    assert typical_distance(points) == pytest.approx(np.median(pdist(points)), rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cubic", cloud()), "unknown kernel"),
        (("rbf", cloud(), -1.0), "width"),
        (("rbf", np.ones((5, 2))), "all embeddings are the same"),
        (("linear", np.ones((5, 2))), "all embeddings are the same"),
        (("linear", np.full((5, 2), np.nan)), "NaN"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        feature_map(*arguments)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_embeddings_of_another_width_are_refused(kernel):
    mapped = feature_map(kernel, cloud())
    with pytest.raises(InputError, match="of 4 columns"):
        mapped.features(np.ones((3, 5)))
