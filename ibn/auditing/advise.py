"""What to do next, each with its effect computed on this dataset's own network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from ibn.auditing.advice import SHARE, Recommendation
from ibn.auditing.effort import effort_for
from ibn.auditing.held_out import LearningCurve, hold_out
from ibn.auditing.scenarios import TOLERANCE, Samples, Scenarios
from ibn.auditing.uncertainty import Uncertainty
from ibn.estimate import Estimate
from ibn.threads import in_threads

POINTS = 0.05  # of agreement


def agreement_of(beta: float, bias_scale: float) -> float:
    """P(a label picks the better of two random responses): E σ(β |Δ|), Δ ~ N(0, bias scale)."""
    deviation = beta * np.sqrt(bias_scale)
    probability, _ = quad(lambda z: 2.0 * norm.pdf(z) / (1.0 + np.exp(-deviation * z)), 0.0, 10.0)
    return probability


def beta_of(agreement: float, bias_scale: float) -> float:
    """Inverse temperature at which labels agree so often with the better of two responses."""
    return brentq(lambda x: agreement_of(np.exp(x), bias_scale) - agreement, -20.0, 20.0, xtol=1e-9)


def recommend(
    scenarios: Scenarios,
    *,
    kind: str,
    beta: float,
    bias_scale: float,
    implied: NDArray[np.float64],
    doubtful: NDArray[np.int64],
    doubted: NDArray[np.int64],
    near: NDArray[np.int64],
    uncertain: NDArray[np.int64],
    topologies: Mapping[str, Uncertainty],
    after: Uncertainty,
    prompt_of: NDArray[np.int64],
    rng: np.random.Generator,
    progress: Callable[[str], None] = lambda message: None,
) -> tuple[tuple[Recommendation, ...], LearningCurve | None]:
    """Compute what each thing to do would change, the largest relative effect first.

    Parameters
    ----------
    scenarios : Scenarios
        The dataset's network.
    kind : {"within", "across"}
        The pairs whose mean variance is to fall.
    beta, bias_scale : float
        Of the labels and of the prior.
    implied : ndarray, shape (n,)
        Share of each comparison that the rest implies.
    doubtful : ndarray of int, shape (k, 2)
        Pairs that disagree or lie on a cycle.
    doubted : ndarray of int, shape (k, 2)
        Pairs whose labels a reward model thinks least likely, the least first.
    near : ndarray of int, shape (k, 2)
        Near-duplicates.
    uncertain : ndarray of int, shape (p, 2)
        Pairs of the kind, the most uncertain first.
    topologies, after : dict of str to Uncertainty, and Uncertainty
        What other layouts of as many comparisons leave, and what these do.
    prompt_of : ndarray of int, shape (m,)
        The prompt of each response.
    rng : numpy.random.Generator
        Source of randomness.
    progress : callable, optional
        Told what comes next.

    Returns
    -------
    recommendations : tuple of Recommendation
        All that were computed, also those that do not help.
    curve : LearningCurve, optional
        Where there are prompts enough.
    """
    n = len(scenarios.comparisons)
    extra = max(1, round(SHARE * n))
    where = f"{kind} prompts"
    quantity = f"mean posterior variance {where}"
    now = getattr(after, kind).variance
    chosen, again = uncertain[:extra], doubted[:extra]
    cheapest = np.argsort(-implied, kind="stable")[:extra]
    keep = np.setdiff1d(np.arange(n), cheapest)
    agreement = agreement_of(beta, bias_scale)
    better = min(agreement + POINTS, 0.99)
    ratio = (beta / np.exp(beta_of(better, bias_scale))) ** 2 if better > agreement else 1.0
    asked: dict[str, dict[str, Any]] = {
        "random pairs": {"add": _random_pairs(scenarios, kind, len(chosen), rng)},
        "uncertain pairs": {"add": chosen},
        "redundant labels spent on uncertain pairs": {"keep": keep, "add": chosen},
        "no redundant labels": {"keep": keep},
    }
    if len(doubtful):
        asked["contradicted pairs"] = {"add": doubtful}
        at_random = _random_pairs(scenarios, kind, len(doubtful), rng)
        asked["as many random pairs as contradicted ones"] = {"add": at_random}
    if len(doubted):
        asked["doubted pairs"] = {"add": again}
    if len(near):
        asked["near-duplicates merged"] = {"add": near, "add_sigma2": 1e-4 * scenarios.sigma2}
    if better > agreement:
        asked["cleaner labels"] = {"sigma2": ratio * scenarios.sigma2}
    # Few digits tell a mean within prompts, not one across them, which is in slow modes.
    few = effort_for(len(prompt_of)).tolerance if kind == "within" else TOLERANCE
    base = "as things are"
    asked = {base: {}, **asked}
    for question in asked.values():
        question["tolerance"] = few
    bridged = kind == "within" and after.across is not None
    if bridged:
        m = len(prompt_of)
        used = rng.permutation(m)[: extra + 1]
        anchored = np.stack([np.full(len(used) - 1, used[0]), used[1:]], axis=1)
        asked["pairs across prompts"] = {"add": scenarios.pairs.sample_across(extra, rng)}
        asked["pairs with one anchor"] = {"add": anchored}
        if few > TOLERANCE:
            base = "as things are, across prompts"
            asked[base] = {}
    held = hold_out(scenarios, prompt_of, rng) if kind == "within" else None
    if held is not None:
        for name, some in held.keep.items():
            asked[f"{name} prompts"] = {"keep": some, "tolerance": few}

    def answer(name: str) -> Samples:
        progress(f"what to do next: {name}")
        return scenarios.samples(**asked[name])

    then = dict(zip(asked, in_threads(answer, asked), strict=True))
    now_draws = then["as things are"].draws(kind)

    def change(answered: Samples) -> Estimate:
        return Estimate.of(answered.draws(kind) - now_draws)

    def one(action: str, title: str, why: str, labels: int, answered: Samples) -> Recommendation:
        moved = change(answered)
        return Recommendation(
            *(action, title, why, labels, quantity), now, _moved(now, moved), moved
        )

    def compared(one: Recommendation, against: str, other: Samples) -> Recommendation:
        return replace(one, against=against, otherwise=_moved(now, change(other)))

    found = [
        compared(
            one(
                "uncertain",
                f"Label the {len(chosen):,} most uncertain pairs {where}",
                "a tenth more labels where the posterior variance is largest; also pairs that have "
                "a label",
                len(chosen),
                then["uncertain pairs"],
            ),
            "as many random pairs",
            then["random pairs"],
        ),
        compared(
            one(
                "reallocate",
                f"Spend the {extra:,} most redundant labels on the most uncertain pairs instead",
                f"their pairs are known to {implied[cheapest].min():.0%} or more without them",
                0,
                then["redundant labels spent on uncertain pairs"],
            ),
            "leaving them out and nothing else",
            then["no redundant labels"],
        ),
    ]
    if len(doubtful):
        found.append(
            compared(
                one(
                    "resolve",
                    f"Label the {len(doubtful):,} contradicted pairs once more",
                    "pairs whose labels disagree or whose majorities go round in a circle",
                    len(doubtful),
                    then["contradicted pairs"],
                ),
                "as many random pairs",
                then["as many random pairs as contradicted ones"],
            )
        )
    if len(doubted):
        found.append(
            compared(
                one(
                    "recheck",
                    f"Label the {len(again):,} most doubted pairs once more",
                    "the labels that a reward model fitted to the others thinks least likely: a "
                    "second opinion both corrects errors and adds evidence",
                    len(again),
                    then["doubted pairs"],
                ),
                "as many random pairs",
                then["random pairs"],
            )
        )
    if len(near):
        found.append(
            one(
                "merge",
                f"Merge {len(near):,} near-duplicates",
                "two spellings of one response share their evidence (--merge-near-duplicates)",
                0,
                then["near-duplicates merged"],
            )
        )
    if better > agreement:
        found.append(
            one(
                "agreement",
                f"Raise annotators' agreement with the better response to {better:.0%}",
                f"it is {agreement:.0%} under these assumptions, for two random responses; "
                f"each label would be worth {1 / ratio:.2f} of today's",
                0,
                then["cleaner labels"],
            )
        )
    if bridged:
        assert after.across is not None
        found.append(_bridge(then, then[base], after.across.variance, extra))
    found += _relayout(kind, quantity, n, topologies, after)
    curve = None
    if held is not None:
        curve = held.curve(then)
        if held.added:
            found.append(held.recommended(then, extra))
    return by_effect(found), curve


def by_effect(found: Iterable[Recommendation]) -> tuple[Recommendation, ...]:
    """Sort by relative effect, the largest first."""
    return tuple(sorted(found, key=lambda one: one.relative.mean))


def _moved(value: Estimate, change: Estimate) -> Estimate:
    """Add a change to a value: where the value is exact, the change alone has an error."""
    stderr = float(np.hypot(value.stderr, change.stderr))
    return Estimate(value.mean + change.mean, stderr, change.count)


def _random_pairs(
    scenarios: Scenarios, kind: str, count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    pairs = scenarios.pairs
    return (pairs.sample_within if kind == "within" else pairs.sample_across)(count, rng)


def _bridge(
    then: Mapping[str, Samples], as_is: Samples, now: Estimate, extra: int
) -> Recommendation:
    """Compare across prompts: in pairs, or all with one anchor."""
    before = as_is.draws("across")
    moved, anchored = (
        Estimate.of(then[name].draws("across") - before)
        for name in ("pairs across prompts", "pairs with one anchor")
    )
    return Recommendation(
        "bridge",
        f"Compare {extra:,} random pairs across prompts",
        "where scores of answers to different prompts matter, as in filtering data or in a "
        "threshold: comparisons within prompts say little about them",
        extra,
        "mean posterior variance across prompts",
        now,
        _moved(now, moved),
        moved,
        "as many with one anchor response",
        _moved(now, anchored),
    )


def _relayout(
    kind: str,
    quantity: str,
    n: int,
    topologies: Mapping[str, Uncertainty],
    after: Uncertainty,
) -> Iterator[Recommendation]:
    """Compare with the best layout of as many comparisons."""
    left = {name: getattr(one, kind).variance for name, one in topologies.items()}
    if not left:
        return
    name = min(left, key=lambda name: left[name].mean)
    now, then = getattr(after, kind).variance, left[name]
    stderr = float(np.hypot(now.stderr, then.stderr))
    yield Recommendation(
        "layout",
        f"Lay the next {n:,} comparisons out as {name}",
        "instead of as these, over the same responses; from independent draws of the layout",
        n,
        quantity,
        now,
        then,
        Estimate(then.mean - now.mean, stderr, then.count),
    )
