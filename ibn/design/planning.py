"""The comparisons of a preference dataset to label next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ibn.bias.neighbours import check_embeddings
from ibn.design.bounded import (
    BOUND,
    MOST_TARGETS,
    choose_bounded,
    random_share,
    typical_length,
)
from ibn.design.candidates import pairs_within, sample_pairs
from ibn.design.forecast import forecast
from ibn.design.greedy import choose_at_random, expected_variance
from ibn.design.offers import offers
from ibn.design.planned import Plan
from ibn.design.target import bounded_moment
from ibn.errors import InputError, unknown_name
from ibn.estimate import Estimate
from ibn.learner.cross_validation import cross_validated, shares_responses
from ibn.learner.reward_model import SCALE_SPREAD, RewardModel, before_labels, fit
from ibn.pair_code import pair_code
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import PreferenceData
from ibn.preferences.uniting import unite

KINDS = ("within", "any")
POOL = 5000
LANDMARKS = 256
RANDOM_DRAWS = 16


# On one core, so that the plan is the same bit for bit whatever the number of cores.
@threadpool_limits.wrap(limits=1, user_api="blas")
def plan(
    data: PreferenceData,
    budget: int,
    *,
    candidates: PreferenceData | None = None,
    only_given: bool = True,
    embeddings: NDArray[np.floating] | None = None,
    pairs: str | None = None,
    target: str | None = None,
    max_uses: int | None = None,
    repeat: bool = False,
    kernel: str = "linear",
    beta: float = 1.0,
    pool: int = POOL,
    control: float | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda message: None,
) -> Plan:
    """Choose the next comparisons by expected reduction of the mean posterior variance.

    A Bayesian reward model, linear in features, is fitted to the labels so far, its scale under
    a prior; what it does not know is the target pairs' mean variance. Responses have no part of
    their own in it. Differences of features are bounded, very long ones left out, and a share of
    the comparisons are random (``ibn.design.bounded``).

    Parameters
    ----------
    data : PreferenceData
        Labelled; without any comparison, the plan is for a start.
    budget : int
        Comparisons wanted, K.
    candidates : PreferenceData, optional
        Pairs to choose from; they may name further responses.
    only_given : bool
        Whether there are no others; else pairs within prompts join the candidates where these are
        fewer than the budget.
    embeddings : ndarray, shape (m, p), optional
        A row a response: those of ``data``, then further ones of ``candidates`` in order of first
        appearance. By default TF-IDF with truncated SVD.
    pairs : {"within", "any"}, optional
        Without ``candidates``: pairs within prompts, or any two responses. By default the former
        where a prompt has two responses.
    target : {"within", "any"}, optional
        Over which pairs the variance is averaged; by default within prompts where a prompt has two.
    max_uses : int, optional
        At most so many of the planned comparisons use a response; earlier ones do not count.
    repeat : bool
        Whether a pair may be chosen that is already compared, or twice.
    kernel : {"linear", "rbf", "best"}
        Of the reward model.
    beta : float
        Inverse temperature of the labels, the unit of reward.
    pool : int
        Of any two responses so many pairs, random ones, are where each choice starts from (more
        where the budget asks for it).
    control : float, optional
        Share of the comparisons that are random picks; by default what
        :func:`ibn.design.bounded.random_share` says.
    seed : int
        Of everything random.
    progress : callable, optional
        Called with what comes next.

    Raises
    ------
    InputError
        If there are fewer candidates than comparisons wanted, or a parameter cannot be used.
    """
    if budget < 1:
        raise InputError(f"the budget must be at least 1, not {budget}")
    if max_uses is not None and max_uses < 1:
        raise InputError(f"a response must be allowed at least 1 use, not {max_uses}")
    if pool < 1:
        raise InputError(f"the pool must hold at least 1 pair, not {pool}")
    for kind in (pairs, target):
        if kind is not None and kind not in KINDS:
            raise unknown_name("kind of pairs", kind, KINDS)
    rng = np.random.default_rng(seed)
    if candidates is not None:
        data, candidates = unite(data, candidates)
    m = len(data.responses)
    shared = "within" if np.bincount(data.prompt_of).max() > 1 else "any"
    pairs, target = pairs or shared, target or shared
    points = embedded(data, embeddings, seed, progress)
    model = _belief(points, data.comparisons, kernel, beta, seed, progress)
    if shares_responses(data.comparisons):
        progress("the scale of rewards by cross-validation over prompts")
        group = data.prompt_of[data.comparisons.a]
        model = cross_validated(model, data.comparisons, group, seed=seed)
    compared = np.stack([data.comparisons.a, data.comparisons.b], axis=1)
    given = None
    if candidates is not None:
        given = np.stack([candidates.comparisons.a, candidates.comparisons.b], axis=1)
    offered = offers(
        data.prompt_of,
        compared,
        budget,
        rng,
        given=given,
        only_given=only_given,
        kind=pairs,
        repeat=repeat,
        pool=pool,
    )
    free = offered.pairs
    targets = pairs_within(data.prompt_of) if target == "within" else None
    if targets is None or len(targets) > MOST_TARGETS:
        targets = _sampled(targets, m, rng)
    limits: dict[str, Any] = {"max_uses": max_uses, "repeat": repeat}
    progress(f"choosing {budget} of {offered.count} candidates")
    design = choose_bounded(
        model,
        targets,
        free,
        budget,
        rng,
        control=random_share(len(compared)) if control is None else control,
        anywhere=offered.anywhere,
        excluded=compared if offered.anywhere and not repeat else None,
        progress=progress,
        **limits,
    )

    def at_random(rng: np.random.Generator) -> NDArray[np.int64]:
        try:
            return choose_at_random(m, free, budget, rng, **limits)
        except InputError:  # uses are so limited that few orders leave enough
            return choose_at_random(m, free, budget, rng, repeat=repeat)

    bound = BOUND * typical_length(model.features, targets)
    moment = bounded_moment(model.features, targets, bound)
    draws = [
        expected_variance(model, moment, at_random(rng), bound=bound) for _ in range(RANDOM_DRAWS)
    ]
    progress("forecasting what the labels bring")
    expected = forecast(model, design.pairs, at_random, targets, rng)
    return Plan(
        data,
        model,
        design,
        model.probability(*design.pairs.T),
        offered.kind,
        target,
        offered.count,
        Estimate.of(np.array(draws)),
        np.isin(
            pair_code(design.pairs[:, 0], design.pairs[:, 1], m),
            pair_code(compared[:, 0], compared[:, 1], m),
        ),
        expected,
    )


def _belief(
    points: NDArray[np.floating],
    comparisons: Comparisons,
    kernel: str,
    beta: float,
    seed: int,
    progress: Callable[[str], None],
) -> RewardModel:
    """Fit to the labels so far, the scale of rewards under a prior; without any, the prior."""
    if points.shape[1] > len(points):  # as many columns as rows say the same
        points = np.asarray(np.linalg.qr(points.T, mode="r")).T
    if not len(comparisons):
        return before_labels(points, kernel=kernel, beta=beta, landmarks=LANDMARKS, seed=seed)
    return fit(
        points,
        comparisons,
        kernel=kernel,
        beta=beta,
        own_variance=0.0,
        scale_spread=SCALE_SPREAD,
        intervals=False,
        landmarks=LANDMARKS,
        seed=seed,
        progress=progress,
    )


def _sampled(
    pairs: NDArray[np.int64] | None, m: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw some of the pairs given, or of any two of m responses."""
    if pairs is None:
        return sample_pairs(m, MOST_TARGETS, rng)
    return pairs[rng.choice(len(pairs), MOST_TARGETS, replace=False)]


def embedded(
    data: PreferenceData,
    embeddings: NDArray[np.floating] | None,
    seed: int,
    progress: Callable[[str], None],
) -> NDArray[np.floating]:
    """Check the embeddings given, or make them from the texts."""
    from ibn.bias.embeddings import compact, embed_texts

    if embeddings is not None:
        return compact(check_embeddings(embeddings, rows=len(data.responses)))
    progress("embedding texts by TF-IDF and SVD")
    return embed_texts(data.prompts, data.responses, data.prompt_of, seed=seed)
