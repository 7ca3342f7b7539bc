"""Two states of a dataset, or two datasets: which labels teach a reward model more.

Prompts are held out of both, a model is fitted to the rest of each, and both predict the labels of
the held-out prompts: those that the first state has, and those that the second has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ibn.auditing.evaluation import deal, groups_of
from ibn.auditing.scoring import hits_of
from ibn.auditing.settings import Progress
from ibn.bias.neighbours import check_embeddings
from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.learner.log_loss import log_losses
from ibn.learner.reward_model import fit
from ibn.plurals import count_of
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import PreferenceData
from ibn.preferences.uniting import unite
from ibn.threads import in_threads

SPLITS = 5
CLEAR = 2.0  # standard errors of a difference that decides


@dataclass(frozen=True)
class Judged:
    """How models fitted to either state predict one state's labels, of prompts held out.

    Attributes
    ----------
    labels : int
        That are judged.
    accuracy, log_loss : tuple of Estimate
        Of models fitted to the first state, to the second, and to as many of the larger state's
        labels, drawn at random, as the smaller has.
    gain, gain_equal : Estimate
        Log loss of the first state's model less that of the second's: all labels, and as many of
        either. Standard errors are over prompts, with the fits as they are.
    """

    labels: int
    accuracy: tuple[Estimate, Estimate, Estimate]
    log_loss: tuple[Estimate, Estimate, Estimate]
    gain: Estimate
    gain_equal: Estimate


@dataclass(frozen=True)
class TwoStates:
    """What a comparison of two states finds: ``on_first`` and ``on_second`` state's labels."""

    sources: tuple[str, str]
    labels: tuple[int, int]
    on_first: Judged
    on_second: Judged

    def verdict(self, judged: Judged) -> str:
        """Say in words which state teaches more, by one state's labels."""
        off = judged.gain
        if abs(off.mean) <= CLEAR * off.stderr:
            return "neither is clearly better"
        return f"{self.sources[int(off.mean > 0)]} is better"


def compare_states(
    first: PreferenceData,
    second: PreferenceData,
    *,
    embeddings: NDArray[np.floating] | None = None,
    seed: int = 0,
    progress: Progress = lambda message: None,
) -> TwoStates:
    """Compare what two states of a dataset, or two datasets, teach.

    Parameters
    ----------
    first, second : PreferenceData
        Labelled.
    embeddings : ndarray, shape (m, p), optional
        A row a response of the first, then of the second what is new; by default TF-IDF with
        truncated SVD.
    seed : int
        Of the splits.
    progress : callable, optional
        Called with what comes next.

    Raises
    ------
    InputError
        If either has no labels, or both together have too few prompts.
    """
    one, two = unite(first, second)
    from ibn.bias.embeddings import compact, embed_texts

    if embeddings is None:
        progress("embedding texts by TF-IDF and SVD")
        embeddings = embed_texts(one.prompts, one.responses, one.prompt_of, seed=seed)
    elif len(embeddings) != len(one.responses):
        raise InputError(
            f"{count_of(len(embeddings), 'embedding')} for "
            f"{count_of(len(one.responses), 'response')}",
            fix="a row a response of the first file, then of the second what is new",
        )
    else:
        embeddings = compact(check_embeddings(embeddings))
    states = (one.comparisons, two.comparisons)
    both = Comparisons(
        np.arange(len(one.responses)),
        np.concatenate([state.a for state in states]),
        np.concatenate([state.b for state in states]),
        share=np.concatenate([state.preferred for state in states]),
    )
    state_of = np.repeat([0, 1], [len(state) for state in states])
    group, _ = groups_of(both, one.prompt_of, SPLITS)
    part = deal(group, SPLITS, np.random.default_rng(seed))
    chance = _predictions(embeddings, both, state_of, part, seed, progress)
    target = both.preferred
    equal = (0, 2) if len(states[1]) > len(states[0]) else (2, 1)
    judged = [
        _judged(chance[:, own], target[own], group[own], equal)
        for own in (state_of == 0, state_of == 1)
    ]
    return TwoStates(
        (first.source, second.source), (len(states[0]), len(states[1])), judged[0], judged[1]
    )


def _predictions(
    embeddings: NDArray[np.floating],
    both: Comparisons,
    state_of: NDArray[np.int64],
    part: NDArray[np.int64],
    seed: int,
    progress: Progress,
) -> NDArray[np.float64]:
    """Probability of each label by three fits to other prompts, shape (3, n)."""
    found = np.full((3, len(both)), 0.5)
    larger = int(np.sum(state_of == 1) > np.sum(state_of == 0))

    def predict(job: tuple[int, int]) -> NDArray[np.float64]:
        number, which = job
        progress(f"split {number + 1} of {SPLITS}")
        free = part != number
        train = free & (state_of == (larger if which == 2 else which))
        if which == 2:
            fewer = int(np.sum(free & (state_of != larger)))
            kept = np.random.default_rng([seed, number]).permutation(np.flatnonzero(train))
            train = np.isin(np.arange(len(both)), kept[:fewer])
        if not train.any():
            return np.full(int(np.sum(~free)), 0.5)
        model = fit(embeddings, both.select(train), own_variance=0.0, intervals=False, seed=seed)
        return model.probability(both.a[~free], both.b[~free])

    jobs = [(number, which) for number in range(SPLITS) for which in range(3)]
    with threadpool_limits(1, user_api="blas"):
        for (number, which), values in zip(jobs, in_threads(predict, jobs), strict=True):
            found[which, part == number] = values
    return found


def _judged(
    chance: NDArray[np.float64],
    target: NDArray[np.float64],
    group: NDArray[np.int64],
    equal: tuple[int, int],
) -> Judged:
    losses = np.stack([log_losses(each, target) for each in chance])
    hits = np.stack([hits_of(each, target) for each in chance])
    return Judged(
        labels=len(target),
        accuracy=tuple(over_groups(each, group) for each in hits),  # type: ignore[arg-type]
        log_loss=tuple(over_groups(each, group) for each in losses),  # type: ignore[arg-type]
        gain=over_groups(losses[0] - losses[1], group),
        gain_equal=over_groups(losses[equal[0]] - losses[equal[1]], group),
    )


def over_groups(values: NDArray[np.float64], group: NDArray[np.int64]) -> Estimate:
    """Mean of values, its standard error over groups whose members may be alike."""
    mean = float(values.mean())
    _, at = np.unique(group, return_inverse=True)
    off = np.bincount(at, values - mean)
    count = len(off)
    scale = count / max(count - 1, 1)
    return Estimate(mean, float(np.sqrt(scale * np.sum(off**2)) / len(values)), count)
