"""What to do next, each with its effect computed on this dataset's own network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from ibn.auditing.scenarios import Samples, Scenarios
from ibn.auditing.uncertainty import Uncertainty
from ibn.estimate import Estimate

SHARE = 0.1  # of the comparisons: what each recommendation may cost
CLEAR = 0.997  # confidence at which an effect is one: three standard errors of many draws
LEAST = 1e-3  # relative effect worth a recommendation
POINTS = 0.05  # of agreement
HELD_OUT = 0.2
FRACTIONS = (0.125, 0.25, 0.5, 1.0)
LEAST_PROMPTS = 40


@dataclass(frozen=True)
class Recommendation:
    """Something to do, and what it would change.

    Attributes
    ----------
    action : str
        Its short name.
    title : str
        What to do, in words.
    why : str
        What the figures rest on.
    labels : int
        Labels that it costs.
    quantity : str
        What it lowers.
    now, then : Estimate
        Its value as things are, and after.
    change : Estimate
        ``then`` minus ``now``, from samples that share their noise; so its error is smaller than
        theirs.
    against : str, optional
        What the same labels would be spent on otherwise.
    otherwise : Estimate, optional
        The value after that.
    supported : bool
        Whether the model that the effect is computed in foretells held-out labels at all.
    """

    action: str
    title: str
    why: str
    labels: int
    quantity: str
    now: Estimate
    then: Estimate
    change: Estimate
    against: str | None = None
    otherwise: Estimate | None = None
    supported: bool = True

    @property
    def relative(self) -> Estimate:
        """Change over ``now``."""
        now, change = self.now.mean, self.change
        return Estimate(change.mean / now, change.stderr / now, change.count)

    @property
    def helps(self) -> bool:
        """Whether it lowers the quantity, enough to matter and more than the alternative would."""
        relative = self.relative
        better = self.otherwise is None or self.then.mean < self.otherwise.mean
        return self.supported and better and relative.mean < -max(relative.margin(CLEAR), LEAST)


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Mean posterior variance within prompts against the share of prompts with labels.

    Attributes
    ----------
    comparisons : tuple of int
        How many were used.
    labelled, unlabelled : tuple of Estimate
        Over the prompts they are about, and over prompts held out from all.
    """

    comparisons: tuple[int, ...]
    labelled: tuple[Estimate, ...]
    unlabelled: tuple[Estimate, ...]


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

    def change(then: Samples) -> Estimate:
        return Estimate.of(then.draws(kind) - scenarios.now.draws(kind))

    def one(action: str, title: str, why: str, labels: int, then: Samples) -> Recommendation:
        moved = change(then)
        return Recommendation(
            *(action, title, why, labels, quantity), now, _moved(now, moved), moved
        )

    def compared(one: Recommendation, against: str, other: Samples) -> Recommendation:
        return replace(one, against=against, otherwise=_moved(now, change(other)))

    progress("what to do next: uncertain pairs and random ones")
    chosen = uncertain[:extra]
    at_random = scenarios.samples(add=_random_pairs(scenarios, kind, len(chosen), rng))
    found = [
        compared(
            one(
                "uncertain",
                f"Label the {len(chosen):,} most uncertain pairs {where}",
                "a tenth more labels where the posterior variance is largest; also pairs that have "
                "a label",
                len(chosen),
                scenarios.samples(add=chosen),
            ),
            "as many random pairs",
            at_random,
        )
    ]
    progress("what to do next: redundant and doubtful comparisons")
    cheapest = np.argsort(-implied, kind="stable")[:extra]
    keep = np.setdiff1d(np.arange(n), cheapest)
    found.append(
        compared(
            one(
                "reallocate",
                f"Spend the {extra:,} most redundant labels on the most uncertain pairs instead",
                f"their pairs are known to {implied[cheapest].min():.0%} or more without them",
                0,
                scenarios.samples(keep=keep, add=uncertain[:extra]),
            ),
            "leaving them out and nothing else",
            scenarios.samples(keep=keep),
        )
    )
    if len(doubtful):
        found.append(
            compared(
                one(
                    "resolve",
                    f"Label the {len(doubtful):,} contradicted pairs once more",
                    "pairs whose labels disagree or whose majorities go round in a circle",
                    len(doubtful),
                    scenarios.samples(add=doubtful),
                ),
                "as many random pairs",
                scenarios.samples(add=_random_pairs(scenarios, kind, len(doubtful), rng)),
            )
        )
    if len(doubted):
        again = doubted[:extra]
        found.append(
            compared(
                one(
                    "recheck",
                    f"Label the {len(again):,} most doubted pairs once more",
                    "the labels that a reward model fitted to the others thinks least likely: a "
                    "second opinion both corrects errors and adds evidence",
                    len(again),
                    scenarios.samples(add=again),
                ),
                "as many random pairs",
                at_random,
            )
        )
    if len(near):
        found.append(
            one(
                "merge",
                f"Merge {len(near):,} near-duplicates",
                "two spellings of one response share their evidence (--merge-near-duplicates)",
                0,
                scenarios.samples(add=near, add_sigma2=1e-4 * scenarios.sigma2),
            )
        )
    agreement = agreement_of(beta, bias_scale)
    better = min(agreement + POINTS, 0.99)
    if better > agreement:
        ratio = (beta / np.exp(beta_of(better, bias_scale))) ** 2
        progress("what to do next: cleaner labels")
        found.append(
            one(
                "agreement",
                f"Raise annotators' agreement with the better response to {better:.0%}",
                f"it is {agreement:.0%} under these assumptions, for two random responses; "
                f"each label would be worth {1 / ratio:.2f} of today's",
                0,
                scenarios.samples(sigma2=ratio * scenarios.sigma2),
            )
        )
    if kind == "within" and after.across:
        progress("what to do next: comparisons across prompts")
        found.append(_bridge(scenarios, after.across.variance, extra, rng))
    found += _relayout(kind, quantity, n, topologies, after)
    curve = None
    if kind == "within":
        progress("what to do next: new prompts or second labels")
        learned = _new_prompts(scenarios, prompt_of, extra, rng)
        if learned is not None:
            found.append(learned[0])
            curve = learned[1]
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
    scenarios: Scenarios, now: Estimate, extra: int, rng: np.random.Generator
) -> Recommendation:
    """Compare across prompts: in pairs, or all with one anchor."""
    m = len(scenarios.pairs.prompt_of)
    before = scenarios.now.draws("across")

    def change(add: NDArray[np.int64]) -> Estimate:
        return Estimate.of(scenarios.samples(add=add).draws("across") - before)

    used = rng.permutation(m)[: extra + 1]
    anchored = np.stack([np.full(len(used) - 1, used[0]), used[1:]], axis=1)
    moved = change(scenarios.pairs.sample_across(extra, rng))
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
        _moved(now, change(anchored)),
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


def _new_prompts(
    scenarios: Scenarios, prompt_of: NDArray[np.int64], extra: int, rng: np.random.Generator
) -> tuple[Recommendation, LearningCurve] | None:
    """Hold prompts out, and see what labels on others tell about them."""
    of_comparison = prompt_of[scenarios.comparisons.a]
    inside = of_comparison == prompt_of[scenarios.comparisons.b]
    prompts = np.unique(of_comparison[inside])
    if len(prompts) < LEAST_PROMPTS:
        return None
    order = rng.permutation(prompts)
    held = round(HELD_OUT * len(order))
    held_out, rest = order[:held], order[held:]

    def of_prompts(share: float) -> NDArray[np.int64]:
        some = rest[: max(1, round(share * len(rest)))]
        return np.flatnonzero(inside & np.isin(of_comparison, some))

    points = []
    for share in FRACTIONS:
        keep = of_prompts(share)
        points.append((keep, scenarios.samples(keep=keep)))
    most = points[-1][1]
    curve = LearningCurve(
        comparisons=tuple(len(keep) for keep, _ in points),
        labelled=tuple(
            Estimate.of(posterior.draws("within", np.unique(of_comparison[keep])))
            for keep, posterior in points
        ),
        unlabelled=tuple(
            Estimate.of(posterior.draws("within", held_out)) for _, posterior in points
        ),
    )
    fewer = of_prompts(1.0 / (1.0 + SHARE))
    added = len(points[-1][0]) - len(fewer)
    if added < 1:
        return None
    before = scenarios.samples(keep=fewer).draws("within", held_out)
    again = np.sort(np.concatenate([fewer, rng.choice(fewer, added, replace=added > len(fewer))]))
    second = scenarios.samples(keep=again).draws("within", held_out)
    then = most.draws("within", held_out)
    found = Recommendation(
        "prompts",
        f"Label {extra:,} pairs of new prompts rather than known ones again",
        f"measured by holding out {held:,} prompts: the last {added:,} comparisons on new prompts",
        extra,
        "mean posterior variance within prompts that have no labels yet",
        Estimate.of(before),
        Estimate.of(then),
        Estimate.of(then - before),
        "second labels of known pairs",
        Estimate.of(second),
    )
    return found, curve
