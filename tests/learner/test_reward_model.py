from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import dblquad, quad
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import multivariate_normal, norm

import ibn
from ibn.errors import InputError
from ibn.learner.reward_model import average_sigmoid, fit, posterior


def data(m=12, n=30, d=3, *, seed=0, scale=2.0, beta=1.0, lapse=0.0, noise=0.5):
    """Features, comparisons labelled by a reward model drawn from the prior, its weights."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(m, d))
    a = rng.integers(0, m, n)
    b = (a + rng.integers(1, m, n)) % m
    weights = rng.normal(0, np.sqrt(scale), d)
    gap = (features[a] - features[b]) @ weights
    winner = np.where(rng.random(n) < lapse + (1 - 2 * lapse) * expit(beta * gap), 1, -1)
    delta = rng.normal(gap, np.sqrt(noise))
    comparisons = ibn.Comparisons(np.arange(m), a, b, delta=delta, winner=winner.astype(np.int8))
    return features, comparisons, weights


def differences(features, comparisons):
    return features[comparisons.a] - features[comparisons.b]


def log_joint(features, comparisons, scale, beta, lapse):
    """Log of labels and weights, label by label from the textbook."""
    x = differences(features, comparisons)

    def at(w):
        up = lapse + (1 - 2 * lapse) * expit(beta * x @ w)
        share = (1 + comparisons.winner) / 2
        prior = multivariate_normal(np.zeros(len(w)), scale * np.eye(len(w))).logpdf(w)
        return share @ np.log(up) + (1 - share) @ np.log(1 - up) + prior

    return at


@pytest.mark.parametrize("lapse", [0.0, 0.1])
@pytest.mark.parametrize(("m", "n"), [(12, 30), (60, 25)])  # more pairs than responses, and fewer
def test_the_mode_and_its_curvature_are_what_an_optimiser_finds(m, n, lapse):
    features, comparisons, _ = data(m, n)
    comparisons = comparisons.labelled(winner=np.where(np.arange(n) % 7, comparisons.winner, 0))
    model = posterior(features, comparisons, scale=1.5, beta=0.8, lapse=lapse)
    target = log_joint(features, comparisons, 1.5, 0.8, lapse)
    found = minimize(lambda w: -target(w), np.zeros(3), options={"gtol": 1e-8}).x
    assert_allclose(model.mean, found, atol=1e-5)
    h, eye = 1e-4, np.eye(3)
    hessian = [
        [
            (target(found + h * (i + j)) + target(found - h * (i + j)))
            - (target(found + h * (i - j)) + target(found - h * (i - j)))
            for j in eye
        ]
        for i in eye
    ]
    assert_allclose(np.linalg.inv(-np.array(hessian) / (4 * h**2)), model.covariance, rtol=1e-3)


@given(st.integers(0, 20), st.floats(0.1, 5.0), st.floats(0.3, 3.0))
def test_the_weights_and_the_dense_gaussian_process_are_one_model(seed, scale, beta):
    """Laplace's approximation over all rewards (Rasmussen and Williams, algorithm 3.1)."""
    features, comparisons, _ = data(seed=seed)
    model = posterior(features, comparisons, scale=scale, beta=beta)
    x = differences(features, comparisons)
    kernel, y = scale * x @ x.T, comparisons.winner.astype(float)
    f = np.zeros(len(y))
    for _ in range(60):
        share = expit(beta * f)
        w = np.sqrt(beta**2 * share * (1 - share))
        b = w**2 * f + beta * ((y + 1) / 2 - share)
        inner = np.eye(len(y)) + w[:, None] * kernel * w
        dual = b - w * np.linalg.solve(inner, w * (kernel @ b))
        f = kernel @ dual
    evidence = -dual @ f / 2 + np.log(expit(beta * y * f)).sum() - np.linalg.slogdet(inner)[1] / 2
    assert model.log_evidence == pytest.approx(evidence, abs=1e-5)
    mean, variance = model.difference(comparisons.a, comparisons.b)
    assert_allclose(mean, f, atol=1e-5)
    inverse = np.linalg.inv(kernel + 1e-9 * np.eye(len(y)) + np.diag(1 / w**2))
    assert_allclose(variance, np.diagonal(kernel - kernel @ inverse @ kernel), atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_laplaces_evidence_is_near_brute_force_quadrature(seed):
    features, comparisons, _ = data(d=1, seed=seed)
    joint = log_joint(features, comparisons, 2.0, 1.0, 0.0)
    model = posterior(features, comparisons, scale=2.0)
    spread = 10 * np.sqrt(model.covariance[0, 0])
    peak = joint(model.mean)
    mass, _ = quad(
        lambda w: np.exp(joint(np.array([w])) - peak),
        *(model.mean[0] - spread, model.mean[0] + spread),
    )
    assert model.log_evidence == pytest.approx(peak + np.log(mass), abs=0.05)


def test_laplaces_evidence_in_two_dimensions():
    features, comparisons, _ = data(d=2, n=60)
    joint = log_joint(features, comparisons, 2.0, 1.0, 0.0)
    model = posterior(features, comparisons, scale=2.0)
    peak = joint(model.mean)
    low, high = (model.mean + s * 7 * np.sqrt(np.diagonal(model.covariance)) for s in (-1, 1))
    mass, _ = dblquad(
        lambda v, u: np.exp(joint(np.array([u, v])) - peak),
        *(low[0], high[0], low[1], high[1]),
        epsabs=1e-4,
    )
    assert model.log_evidence == pytest.approx(peak + np.log(mass), abs=0.1)


@given(st.integers(0, 20), st.floats(0.1, 5.0), st.floats(0.1, 3.0))
def test_gaussian_labels_are_exact_regression(seed, scale, noise):
    """Against the joint Gaussian of labels and differences, n x n."""
    features, comparisons, _ = data(seed=seed)
    model = posterior(features, comparisons, scale=scale, labels="gaussian", noise_variance=noise)
    x, y = differences(features, comparisons), comparisons.delta
    cover = scale * x @ x.T + noise * np.eye(len(y))
    expected = multivariate_normal(np.zeros(len(y)), cover).logpdf(y)
    assert model.log_evidence == pytest.approx(expected, rel=1e-8)
    a, b = np.array([0, 3]), np.array([1, 5])
    z = features[a] - features[b]
    gain = scale * z @ x.T @ np.linalg.inv(cover)
    mean, variance = model.difference(a, b)
    assert_allclose(mean, gain @ y, atol=1e-7)
    expected = np.diagonal(scale * z @ z.T - gain @ (scale * x @ z.T))
    assert_allclose(variance, expected, atol=1e-7)
    assert_allclose(model.probability(a, b), norm.cdf(mean / np.sqrt(variance + noise)))


@pytest.mark.parametrize("labels", ["binary", "gaussian"])
@given(seed=st.integers(0, 20), own=st.floats(0.05, 20.0), n=st.sampled_from([6, 40]))
def test_own_parts_are_a_feature_for_each_response(labels, seed, own, n):
    features, comparisons, _ = data(seed=seed, n=n)
    settings = {"scale": 1.5, "labels": labels, "noise_variance": 0.7}
    model = posterior(features, comparisons, own_variance=own, **settings)
    wide = np.hstack([features, np.sqrt(own / 1.5) * np.eye(12)])
    twin = posterior(wide, comparisons, **settings)
    assert model.log_evidence == pytest.approx(twin.log_evidence, abs=1e-6)
    assert_allclose(model.mean, twin.mean[:3], atol=1e-6)
    assert_allclose(model.covariance, twin.covariance[:3, :3], atol=1e-6)
    two_new = np.vstack([features, features + 1.0])  # rows whose own parts nobody knows
    mean, variance = replace(model, features=two_new).difference([0], [13])
    x = features[0] - features[1] - 1.0
    assert mean[0] == pytest.approx(x @ twin.mean[:3], abs=1e-5)
    assert variance[0] == pytest.approx(x @ model.covariance @ x + 2 * own)


def test_own_parts_are_fitted_where_they_show():
    """A response that wins for reasons of its own says less about the features."""
    rng = np.random.default_rng(5)
    points = rng.normal(size=(200, 3))
    reward = points @ [0.5, 0.0, 0.0] + rng.normal(0, 2.0, 200)
    group = np.arange(200) // 4
    a, b = np.nonzero((group[:, None] == group) & (np.arange(200)[:, None] < np.arange(200)))
    comparisons = ibn.simulate_labels(ibn.Comparisons(np.arange(200), a, b), reward, 1.0, rng)
    exact = fit(points, comparisons, labels="gaussian").hyperparameters["own_variance"]
    assert exact.low < 4.0 < exact.high < 7.0
    model = fit(points, comparisons)
    own = model.hyperparameters["own_variance"]
    assert 0.1 < own.low < own.value < 4.0  # Laplace's evidence underrates it, as it says
    without = fit(points, comparisons, own_variance=0.0)
    assert model.log_evidence > without.log_evidence + 5
    chain = ibn.Comparisons(np.arange(200), np.arange(0, 200, 2), np.arange(1, 200, 2))
    once = fit(points, ibn.simulate_labels(chain, reward, 1.0, rng))
    assert once.own_variance == 0.0
    assert "own_variance" not in once.hyperparameters


@given(st.floats(-30, 30), st.floats(0, 12))
def test_the_average_sigmoid_is_the_integral(mean, deviation):
    def product(z):
        return expit(mean + deviation * z) * norm.pdf(z)

    expected = quad(product, -9, 9, points=[0.0], limit=400, epsabs=1e-11)[0]
    assert average_sigmoid(np.array(mean), np.array(deviation)) == pytest.approx(expected, abs=1e-5)


def test_the_probability_averages_over_the_posterior():
    features, comparisons, _ = data()
    model = posterior(features, comparisons, scale=2.0, beta=1.3, lapse=0.1)
    draws = np.random.default_rng(0).multivariate_normal(model.mean, model.covariance, 40_000)
    gap = draws @ (features[[0, 4]] - features[[1, 2]]).T
    expected = (0.1 + 0.8 * expit(1.3 * gap)).mean(axis=0)
    a, b = np.array([0, 4]), np.array([1, 2])
    assert_allclose(model.probability(a, b), expected, atol=0.006)
    assert_allclose(model.probability(a, b) + model.probability(b, a), 1.0)


@given(st.integers(0, 20))
def test_neither_order_nor_side_nor_a_common_shift_matters(seed):
    features, comparisons, _ = data(seed=seed)
    model = posterior(features, comparisons, scale=2.0)
    rng = np.random.default_rng(seed)
    order, flip = rng.permutation(len(comparisons)), rng.random(len(comparisons)) < 0.5
    ends = np.stack([comparisons.a, comparisons.b])[:, order]
    ends = np.where(flip, ends[::-1], ends)
    winner = np.where(flip, -1, 1) * comparisons.winner[order]
    other = ibn.Comparisons(comparisons.responses, *ends, winner=winner.astype(np.int8))
    again = posterior(features + 3.0, other, scale=2.0)
    assert_allclose(again.mean, model.mean, atol=1e-6)
    assert_allclose(again.covariance, model.covariance, atol=1e-8)
    assert again.log_evidence == pytest.approx(model.log_evidence)


def test_only_beta_squared_times_scale_matters():
    features, comparisons, _ = data()
    one = posterior(features, comparisons, scale=2.0, beta=1.0)
    other = posterior(features, comparisons, scale=2.0 / 9.0, beta=3.0)
    assert other.log_evidence == pytest.approx(one.log_evidence)
    pair = np.array([0]), np.array([1])
    assert_allclose(other.probability(*pair), one.probability(*pair))


def test_the_fit_is_where_the_evidence_is_greatest():
    features, comparisons, _ = data(40, 300, 5)
    model = fit(features, comparisons, lapse=None)
    read = model.feature_map.features(features)
    for scale, lapse in [(1.0, 0.0), (0.7, 0.01), (1.4, 0.02), (2.0, 0.1)]:
        other = posterior(read, comparisons, scale=scale * model.scale, lapse=lapse)
        assert other.log_evidence <= model.log_evidence + 0.05
    again = posterior(
        read,
        comparisons,
        scale=model.scale,
        lapse=model.lapse,
        own_variance=model.own_variance,
    )
    assert_allclose(again.mean, model.mean, atol=1e-6)


def test_the_better_kernel_wins():
    """Rewards with a bump are nothing a linear kernel can tell."""
    rng = np.random.default_rng(1)
    points = rng.normal(size=(40, 2))
    reward = 6 * np.exp(-(points**2).sum(axis=1))
    a = rng.integers(0, 40, 400)
    b = (a + rng.integers(1, 40, 400)) % 40
    comparisons = ibn.Comparisons(np.arange(40), a, b)
    comparisons = ibn.simulate_labels(comparisons, reward, 1.0, rng)
    linear = fit(points, comparisons, kernel="linear", own_variance=0.0)
    best = fit(points, comparisons, kernel="best", own_variance=0.0)
    assert best.log_evidence > linear.log_evidence + 10
    width = best.hyperparameters["width"]
    assert width.low < width.value < width.high < 5
    grid = np.array([[0.0, 0.0], [3.0, 3.0]])
    mean, _ = best.at(grid).difference([0], [1])
    assert mean[0] > 2


def test_without_a_signal_the_scale_is_at_its_end_with_an_upper_limit():
    """Two annotators who never agree."""
    features, one, _ = data(30, 100, 4)
    a, b = np.concatenate([one.a, one.a]), np.concatenate([one.b, one.b])
    winner = np.concatenate([one.winner, -one.winner])
    model = fit(features, ibn.Comparisons(one.responses, a, b, winner=winner))
    scale = model.hyperparameters["scale"]
    assert scale.value == scale.low == pytest.approx(1e-4)
    assert scale.value < scale.high < 1.0
    assert scale.stderr == np.inf
    above = posterior(
        model.features, ibn.Comparisons(one.responses, a, b, winner=winner), scale=scale.high
    )
    assert model.log_evidence - above.log_evidence == pytest.approx(1.92, abs=0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": -1.0}, "scale"),
        ({"beta": np.inf}, "beta"),
        ({"lapse": 0.5}, "lapse"),
        ({"labels": "ordinal"}, "kind of labels"),
        ({"labels": "gaussian"}, "noise variance"),
    ],
)
def test_bad_parameters_are_refused(change, message):
    features, comparisons, _ = data()
    with pytest.raises(InputError, match=message):
        posterior(features, comparisons, **{"scale": 1.0, **change})


def test_missing_labels_and_wrong_rows_are_refused():
    features, comparisons, _ = data()
    bare = ibn.Comparisons(comparisons.responses, comparisons.a, comparisons.b)
    with pytest.raises(InputError, match="winner"):
        posterior(features, bare, scale=1.0)
    with pytest.raises(InputError, match="responses"):
        posterior(features[1:], comparisons, scale=1.0)
    with pytest.raises(InputError, match="unknown kernel"):
        fit(features, comparisons, kernel="cubic")
    with pytest.raises(InputError, match="no embeddings"):
        posterior(features, comparisons, scale=1.0).at(features)


@pytest.mark.parametrize("labels", ["gaussian", "binary"])
def test_intervals_of_differences_cover_as_often_as_they_say(labels):
    """Rewards and labels drawn from the model itself, for new responses as for old ones."""
    inside = []
    for seed in range(150):
        features, comparisons, weights = data(40, 60, 6, seed=seed, scale=1.0)
        model = posterior(features, comparisons, scale=1.0, labels=labels, noise_variance=0.5)
        new = np.random.default_rng(seed + 1000).normal(size=(2, 6))
        for rows in (features, new):
            mean, variance = replace(model, features=rows).difference([0], [1])
            gap = (rows[0] - rows[1]) @ weights - mean[0]
            inside.append(abs(gap) < 1.96 * np.sqrt(variance[0]))
    share, error = np.mean(inside), np.sqrt(0.95 * 0.05 / 150)  # the two of a draw may go together
    assert abs(share - 0.95) < 4 * error


def test_predicted_probabilities_are_the_frequencies_of_labels():
    """Of data drawn from the model: each tenth of predictions comes true as often as it says."""
    predicted, came = [], []
    for seed in range(120):
        features, comparisons, weights = data(40, 60, 6, seed=seed, scale=1.0)
        model = posterior(features, comparisons, scale=1.0)
        rng = np.random.default_rng(seed + 1000)
        new = rng.normal(size=(40, 6))
        a, b = np.arange(0, 40, 2), np.arange(1, 40, 2)
        predicted.append(replace(model, features=new).probability(a, b))
        came.append(rng.random(20) < expit((new[a] - new[b]) @ weights))
    p, hit = np.concatenate(predicted), np.concatenate(came)
    for some in np.array_split(np.argsort(p), 10):
        error = np.sqrt(p[some] @ (1 - p[some])) / len(some)
        assert abs(hit[some].mean() - p[some].mean()) < 5 * error


@pytest.mark.parametrize("labels", ["gaussian", "binary"])
def test_intervals_of_hyperparameters_cover(labels):
    """The scale, in the units of the features that the fit makes."""
    inside = []
    for seed in range(30):
        features, comparisons, _ = data(60, 200, 8, seed=seed, scale=0.5, noise=0.7)
        unit = 2.0 * features.var(axis=0, ddof=1).sum()  # features are divided by its root
        found = fit(features, comparisons, labels=labels, own_variance=0.0).hyperparameters
        scale = found["scale"]
        inside.append(scale.low < 0.5 * unit < scale.high)
        if labels == "gaussian":
            noise = found["noise_variance"]
            inside.append(noise.low < 0.7 < noise.high)
    count = len(inside)
    assert abs(np.mean(inside) - 0.95) < 4 * np.sqrt(0.95 * 0.05 / count)
