"""What to do next: which labels to buy, tried in the reward model that the labels fit best.

Every idea is measured in one model and one unit: pair accuracy on new prompts, beside that of as
many random labels; gains over these are shrunk by what real labels gave where forecasts were
held against them. Without a model that predicts held-out labels nothing is recommended.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ibn.auditing.expected_accuracy import Outlook, information
from ibn.auditing.learned import LearnedLabels
from ibn.auditing.recommendation import Recommendation
from ibn.auditing.settings import Progress
from ibn.auditing.stages import Stages
from ibn.design.forecast import ACCURACY_CORRECTION
from ibn.errors import InputError
from ibn.learner.reward_model import posterior
from ibn.plurals import count_of


class Idea(NamedTuple):
    """Pairs to label, positions among the responses that the model was fitted to."""

    action: str
    title: str
    why: str
    command: str
    pairs: NDArray[np.int64]


def recommend(
    found: Stages, rng: np.random.Generator, progress: Progress = lambda message: None
) -> tuple[Recommendation, ...]:
    """Try every idea, the best first; none where no model could be fitted.

    ``rng``: of the pairs whose accuracy counts.
    """
    learned = found.learned
    if learned is None:
        return ()
    progress("what to do next")
    seed = int(rng.integers(2**31))
    with threadpool_limits(1, user_api="blas"):  # the same bits on any number of cores
        outlooks = [_outlook(found, learned, scale, seed) for scale in _scales(learned)]
        known = [each for each in outlooks if each is not None]
        if not known or outlooks[0] is None:
            return ()
        answered = [_answer(idea, known, learned) for idea in ideas(found, learned)]
    return tuple(sorted(answered, key=lambda one: -one.times))


def ideas(found: Stages, learned: LearnedLabels) -> list[Idea]:
    """List what can be tried."""
    data, plans = found.data, learned.plans
    used = learned.found.comparisons
    sampled = ""
    if used < len(data.comparisons):
        sampled = f"; weighed on {count_of(used, 'comparison')} drawn at random"
    file = found.similarity.embedding_file
    read = ("--embeddings", file) if file else ()
    proposed = []
    if plans is not None:
        end = (*read, "--budget", str(plans.budget), "--out", "next.jsonl")
        proposed.append(
            Idea(
                "plan",
                f"Label {count_of(plans.budget, 'pair')} within prompts, chosen by ibn plan",
                f"pairs that the fitted reward model would learn most from{sampled}",
                data.command("plan", *end),
                plans.within.pairs,
            )
        )
    if plans is not None and plans.anywhere is not None:
        proposed.append(
            Idea(
                "plan-anywhere",
                f"Label {count_of(plans.budget, 'pair')} of any prompts, chosen by ibn plan",
                f"where annotators can compare answers to different prompts{sampled}",
                data.command("plan", *end, "--pairs", "any", "--target", "within"),
                plans.anywhere.pairs,
            )
        )
    if count := learned.rechecked:
        proposed.append(
            Idea(
                "recheck",
                f"Label the {count_of(count, 'most doubted pair')} once more",
                "labels that a reward model fitted to the others thinks least likely; the effect "
                f"counts them as further evidence, not as corrections{sampled}",
                data.command("audit", *read, "--recheck", "recheck.jsonl"),
                learned.compared[:count],
            )
        )
    return proposed


def _scales(learned: LearnedLabels) -> tuple[float, ...]:
    """Scale of rewards as fitted, and the ends of its interval."""
    fitted = learned.found.scale
    ends = (fitted.low, fitted.high)
    return (learned.model.scale, *(end for end in ends if np.isfinite(end) and end > 0))


def _outlook(found: Stages, learned: LearnedLabels, scale: float, seed: int) -> Outlook | None:
    model, rng = learned.model, np.random.default_rng(seed)
    if scale != model.scale:
        try:
            other = posterior(model.features, learned.comparisons, scale=scale, beta=model.beta)
        except (InputError, np.linalg.LinAlgError):  # an end too far away to be computed with
            return None
        model = replace(model, mean=other.mean, covariance=other.covariance, scale=scale)
    return Outlook.of(model, found.data.prompt_of[learned.rows], rng)


def _answer(idea: Idea, outlooks: list[Outlook], learned: LearnedLabels) -> Recommendation:
    """Say what an idea brings: as fitted, and at the ends of the scale's interval."""
    labels = len(idea.pairs)
    shrink, _ = ACCURACY_CORRECTION
    reached, worths = [], []
    for outlook in outlooks:
        random = outlook.accuracy(labels * outlook.typical)
        then = outlook.accuracy(information(outlook.model, idea.pairs))
        reached.append(random + shrink * (then - random))
        worths.append(outlook.worth(reached[-1], labels))
    fitted = outlooks[0]
    return Recommendation(
        action=idea.action,
        title=idea.title,
        why=idea.why,
        command=idea.command,
        labels=labels,
        now=fitted.accuracy(),
        then=reached[0],
        otherwise=fitted.accuracy(labels * fitted.typical),
        worth=worths[0],
        worth_range=(min(worths), max(worths)),
        supported=learned.found.predicts,
    )
