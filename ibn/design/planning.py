"""The comparisons of a preference dataset to label next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.bias.neighbours import check_embeddings
from ibn.design.bounded import (
    BOUND,
    MOST_TARGETS,
    choose_bounded,
    random_share,
    typical_length,
)
from ibn.design.candidates import pairs_within, sample_pairs
from ibn.design.forecast import Forecast, forecast
from ibn.design.greedy import Design, choose_at_random, expected_variance
from ibn.design.target import bounded_moment
from ibn.errors import InputError, unknown_name
from ibn.estimate import Estimate
from ibn.learner.reward_model import RewardModel, fit
from ibn.pair_code import pair_code
from ibn.preferences.reading import PreferenceData
from ibn.preferences.uniting import unite

KINDS = ("within", "any")
POOL = 5000
LANDMARKS = 256
RANDOM_DRAWS = 16
SCALE_SPREAD = 1.5  # of the logarithm of the reward scale, before any label


@dataclass(frozen=True, eq=False)
class Plan:
    """Comparisons to label next, and what they are expected to bring.

    Attributes
    ----------
    data : PreferenceData
        The labelled data, its responses followed by those that only candidates name.
    model : RewardModel
        Fitted to the labels so far.
    design : Design
        The comparisons, positions in ``data.responses``; the random ones among them first.
    probability : ndarray, shape (K,)
        That the first response of each is preferred, as predicted.
    pairs, target : {"within", "any"}
        Which pairs were candidates ("given" where a file listed them), and over which the
        posterior variance is averaged.
    candidates : int
        How many pairs could be chosen.
    random : Estimate
        The mean posterior variance expected after as many random ones of the same candidates.
    forecast : Forecast
        What the planned labels are expected to bring beyond as many random ones, on new prompts.
    """

    data: PreferenceData
    model: RewardModel
    design: Design
    probability: NDArray[np.float64]
    pairs: str
    target: str
    candidates: int
    random: Estimate
    forecast: Forecast


def plan(
    data: PreferenceData,
    budget: int,
    *,
    candidates: PreferenceData | None = None,
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
        Labelled.
    budget : int
        Comparisons wanted, K.
    candidates : PreferenceData, optional
        Pairs to choose from; they may name further responses.
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
    model = fit(
        embedded(data, embeddings, seed, progress),
        data.comparisons,
        kernel=kernel,
        beta=beta,
        own_variance=0.0,
        scale_spread=SCALE_SPREAD,
        intervals=False,
        landmarks=LANDMARKS,
        seed=seed,
        progress=progress,
    )
    compared = np.stack([data.comparisons.a, data.comparisons.b], axis=1)
    anywhere = candidates is None and pairs == "any"
    if candidates is not None:
        pairs = "given"
        listed = np.stack([candidates.comparisons.a, candidates.comparisons.b], axis=1)
        listed = listed[np.sort(np.unique(_code(listed, m), return_index=True)[1])]
    elif anywhere:
        listed = _either_way(sample_pairs(m, max(pool, 2 * budget + len(compared)), rng), rng)
    else:
        listed = _either_way(pairs_within(data.prompt_of), rng)
    free = listed if repeat else listed[~np.isin(_code(listed, m), _code(compared, m))]
    count = len(free)
    if anywhere:
        done = 0 if repeat else len(np.unique(_code(compared, m)))
        count = m * (m - 1) // 2 - done
    most = count if not repeat else budget if count else 0
    if budget > most:
        fresh = "" if repeat else " that are not compared already"
        raise InputError(
            f"a budget of {budget} is more than the {most} pairs {_where(pairs)}{fresh}",
            fix=_advice(pairs, repeat),
        )
    targets = pairs_within(data.prompt_of) if target == "within" else None
    if targets is None or len(targets) > MOST_TARGETS:
        targets = _sampled(targets, m, rng)
    limits: dict[str, Any] = {"max_uses": max_uses, "repeat": repeat}
    progress(f"choosing {budget} of {count} candidates")
    design = choose_bounded(
        model,
        targets,
        free,
        budget,
        rng,
        control=random_share(len(compared)) if control is None else control,
        anywhere=anywhere,
        excluded=None if repeat else compared,
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
        pairs,
        target,
        count,
        Estimate.of(np.array(draws)),
        expected,
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
    if embeddings is not None:
        return check_embeddings(embeddings, rows=len(data.responses))
    from ibn.bias.embeddings import embed_texts

    progress("embedding texts by TF-IDF and SVD")
    return embed_texts(data.prompts, data.responses, data.prompt_of, seed=seed)


def _code(pairs: NDArray[np.int64], m: int) -> NDArray[np.int64]:
    """Give each pair a number, whichever of the two comes first."""
    return pair_code(pairs[:, 0], pairs[:, 1], m)


def _either_way(pairs: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Swap sides at random: the side must not tell a labeller which response came first."""
    return rng.permuted(pairs, axis=1)


def _where(pairs: str) -> str:
    return {"within": "within prompts", "any": "of any two responses", "given": "given"}[pairs]


def _advice(pairs: str, repeat: bool) -> str:
    ways = ["ask for fewer"]
    ways += [] if repeat else ["allow pairs to repeat"]
    ways += ["compare across prompts"] if pairs == "within" else []
    ways += ["give more candidates" if pairs == "given" else "give candidates"]
    return ", ".join(ways[:-1]) + " or " + ways[-1]
