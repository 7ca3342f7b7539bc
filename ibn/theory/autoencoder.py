"""RLHF as an autoencoder on finite response spaces: rewards, decoders and what they lose.

A human distribution p_H is encoded as a reward through comparisons, and a decoder rebuilds a
policy from the reward (theory §1, macro level). Policies are arrays of log-probabilities over
the responses, so that none of them underflows however low the temperature.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ibn.checks import numbers, positive
from ibn.errors import InputError
from ibn.preferences.dominance import has_maximum

MOST_RESPONSES = 2**14
MOST_STEPS = 100
TOLERANCE = 1e-10  # of log-probabilities
ROUNDING = 1e-15


def uniform(size: int) -> NDArray[np.float64]:
    """Uniform policy over ``size`` responses, as log-probabilities."""
    return np.full(size, -np.log(size))


def gibbs(
    reward: NDArray[np.float64], beta: float, log_reference: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Gibbs distribution ∝ p_ref exp(β r), as log-probabilities.

    With r_H it is the idealised human distribution p_H. With r_RM it is what entropy-regularised
    RL decodes, the unique maximiser of E_p[r] + H(p)/β, and with a reference policy what
    KL-regularised RL decodes, the unique maximiser of E_p[r] - τ KL(p‖p_ref) at τ = 1/β
    (theory M2; Levine 2018 reviews both).

    Parameters
    ----------
    reward : ndarray of float, shape (m,)
        Reward of each response, up to a common shift.
    beta : float
        Inverse temperature β > 0, per unit of reward.
    log_reference : ndarray of float, shape (m,), optional
        Log-probabilities of the reference policy; uniform by default.

    Raises
    ------
    InputError
        If β is not positive, a reward is not finite, or there are more than 2^14 responses.
    """
    reward = numbers("reward", reward)
    if not 1 <= len(reward) <= MOST_RESPONSES:
        raise InputError(f"a policy needs between 1 and {MOST_RESPONSES} responses in one row")
    logit = positive("beta", beta) * (reward - reward.max())
    if log_reference is not None:
        logit = logit + numbers("log_reference", log_reference, reward.shape, infinite=True)
    return logit - np.logaddexp.reduce(logit)


def best_of(
    reward: NDArray[np.float64], draws: int, log_reference: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Exact distribution of the best of N independent draws from a reference policy.

    Ties for the best are broken at random between the draws. With F the reference's distribution
    function of the reward, responses of reward c share F(c)^N - F(c-)^N in proportion to their
    reference probabilities. Rejection sampling fine-tuning imitates this policy.

    Parameters
    ----------
    reward : ndarray of float, shape (m,)
        Reward of each response; equal rewards are ties.
    draws : int
        N >= 1.
    log_reference : ndarray of float, shape (m,), optional
        Log-probabilities of the reference policy; uniform by default.

    Returns
    -------
    ndarray of float, shape (m,)
        Log-probabilities.

    Raises
    ------
    InputError
        If N is not a whole number above 0.
    """
    if int(draws) != draws or draws < 1:
        raise InputError(f"the best of N draws needs a whole number N above 0, not {draws}")
    reward = np.asarray(reward, dtype=float)
    log_reference = uniform(len(reward)) if log_reference is None else log_reference
    _, level = np.unique(reward, return_inverse=True)
    mass = np.bincount(level, weights=np.exp(log_reference))
    log_up_to = np.log(np.cumsum(mass))
    log_below = np.append(-np.inf, log_up_to[:-1])
    with np.errstate(divide="ignore"):
        share = draws * log_up_to + np.log(-np.expm1(draws * (log_below - log_up_to)))
        gain = np.subtract(share, np.log(mass), where=mass > 0, out=np.full_like(mass, -np.inf))
    policy = log_reference + gain[level]
    return policy - np.logaddexp.reduce(policy)


def direct_preference(
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    preferred: NDArray[np.float64],
    strength: float,
    log_reference: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Direct preference optimisation, minimised over all policies on the responses.

    The loss of a policy π is the mean of -log σ(h) over comparisons (Rafailov et al. 2023), where
    h = λ (log π(winner)/p_ref(winner) - log π(loser)/p_ref(loser)). No reward model takes part.

    Parameters
    ----------
    a, b : ndarray of int, shape (n,)
        The two sides of each comparison, as positions of responses.
    preferred : ndarray of float, shape (n,)
        Share of labels that prefer ``a``: 1, 0 or anything between.
    strength : float
        λ > 0, the weight of the reference policy. Where labels follow Bradley-Terry at inverse
        temperature β, it decodes as KL-regularised RL does at τ = λ/β.
    log_reference : ndarray of float, shape (m,)
        Log-probabilities of the reference policy, all finite.

    Returns
    -------
    ndarray of float, shape (m,)
        Log-probabilities.

    Raises
    ------
    InputError
        If the loss has no single minimiser: some group of responses never loses to the rest
        (Ford 1957), or the reference policy leaves a response out.
    """
    from scipy.sparse import csr_array, diags_array
    from scipy.sparse.linalg import cg

    log_reference = np.asarray(log_reference, dtype=float)
    size, count = len(log_reference), len(a)
    if not np.isfinite(log_reference).all():
        raise InputError("the reference policy must give every response some probability")
    if not has_maximum(size, a, b, preferred):
        raise InputError(
            "some responses never lose to the others, or are never compared with them, so that "
            "no policy is optimal",
            fix="add comparisons, or fit a reward model with an inductive bias",
        )

    rows = np.arange(count)
    ends = (np.tile(rows, 2), np.concatenate([a, b]))
    incidence = csr_array((np.repeat([1.0, -1.0], count), ends), shape=(count, size))

    def margin(logit: NDArray[np.float64]) -> NDArray[np.float64]:
        # Normalising the policy would cancel in the difference.
        return strength * (incidence @ (logit - log_reference))

    def loss(logit: NDArray[np.float64]) -> float:
        h = margin(logit)
        return float(np.mean(np.logaddexp(0.0, h) - preferred * h))

    logit = log_reference.copy()
    for _ in range(MOST_STEPS):
        share = expit(margin(logit))
        slope = strength / count * (incidence.T @ (share - preferred))
        slope -= slope.mean()
        if np.abs(slope).max() <= ROUNDING * strength:
            break
        weight = strength**2 / count * share * (1.0 - share)
        hessian = (incidence.T @ diags_array(weight) @ incidence).tocsr()
        step, _ = cg(hessian, -slope, rtol=1e-10, M=diags_array(1.0 / hessian.diagonal()))
        if np.ptp(step) <= TOLERANCE:
            break
        length, before, decrease = 1.0, loss(logit), slope @ step
        while length > TOLERANCE and loss(logit + length * step) > before + length * decrease / 4:
            length /= 2.0
        logit += length * step
    return logit - np.logaddexp.reduce(logit)


def entropy(log_policy: NDArray[np.float64]) -> float:
    """Entropy H(p) in nats."""
    p = np.exp(log_policy)
    return -float(np.sum(np.multiply(p, log_policy, where=p > 0, out=np.zeros_like(p))))


def kl_divergence(log_p: NDArray[np.float64], log_q: NDArray[np.float64]) -> float:
    """Kullback-Leibler divergence KL(p‖q) in nats; infinite where q misses what p allows."""
    p = np.exp(log_p)
    return float(np.sum(p * np.subtract(log_p, log_q, where=p > 0, out=np.zeros_like(p))))


def total_variation(log_p: NDArray[np.float64], log_q: NDArray[np.float64]) -> float:
    """Total variation distance, half the sum of |p - q|: between 0 and 1."""
    return float(np.abs(np.exp(log_p) - np.exp(log_q)).sum() / 2.0)


def objective(
    log_policy: NDArray[np.float64],
    reward: NDArray[np.float64],
    beta: float,
    log_reference: NDArray[np.float64] | None = None,
) -> float:
    """Return what RL maximises: E_p[r] + H(p)/β, or E_p[r] - KL(p‖p_ref)/β given a reference."""
    expected = float(np.exp(log_policy) @ reward)
    if log_reference is None:
        return expected + entropy(log_policy) / beta
    return expected - kl_divergence(log_policy, log_reference) / beta


def second_order_loss(
    log_human: NDArray[np.float64], error: NDArray[np.float64], beta: float
) -> float:
    """Leading term (β²/4) E[(Δ(y) - Δ(y'))²], y and y' from p_H, of the loss (theory M4)."""
    p = np.exp(log_human)
    centred = error - p @ error
    return float(beta**2 / 2.0 * (p @ centred**2))
