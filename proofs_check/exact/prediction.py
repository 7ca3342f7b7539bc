"""E6: which measure predicts the errors of reward models that are trained."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from ibn.proofs_check.claim import (
    UNDECIDED,
    Check,
    Claim,
    Context,
    Finding,
    Reading,
    judged,
)
from ibn.simulations import recorded
from ibn.simulations.language.language import LEARNERS
from ibn.simulations.language.outcomes import RECORD, load
from ibn.simulations.language.predictors import rule_spearman, spearman, table
from ibn.simulations.language.rules import RULES
from ibn.simulations.pools.foreseen import RULES as POOL_RULES
from ibn.simulations.validation.error_prediction import RULES as TASK_RULES
from ibn.simulations.validation.error_prediction import (
    VARIANCES,
    by_repetition,
    points,
    rule_correlations,
)

RECORDED_ERROR = 0.01  # of any of the claim's checks, were settings and runs drawn at random
POOL_ERROR = 0.01  # of any of the checks on pools of responses, likewise, were seeds drawn so
TASKS = "validation-"
POOLS = {
    "alpaca_eval_pool": "AlpacaEval",
    "gsm8k_model_solutions": "GSM8K solutions",
    "ted_zh_en_mqm": "TED translations",
}
PENALTIES = {"evidence": "evidence", "cv": "cross-validation"}
KINDS = dict(zip(VARIANCES, ("variance of the graph", "variance of the kernel"), strict=True))


def e6(better: str = "variance", learners: tuple[str, ...] = tuple(LEARNERS)) -> Claim:
    """One of the two measures ranks trained reward models by their errors better than the other.

    Parameters
    ----------
    better : {"variance", "distance"}
        Which.
    learners : tuple of str
        Those of the synthetic language that it is claimed for.
    """
    names = {"variance": "exact posterior variance", "distance": "inference distance"}
    (other,) = set(names) - {better}
    sign = 1.0 if better == "variance" else -1.0
    level = RECORDED_ERROR / (len(LEARNERS) + len(KINDS))
    of_pools = POOL_ERROR / (len(POOLS) * len(PENALTIES))
    return Claim(
        id="E6",
        statement=(
            f"Across topologies the {names[better]} ranks reward models that are actually trained "
            f"by their held-out error better than the {names[other]} does: linear, Gaussian "
            "process and neural on the synthetic language, on a language model's features, and "
            "logistic on pools of real responses."
        ),
        latex=(
            r"\rho(\mathrm{Var},\mathrm{error})>\rho(d,\mathrm{error})"
            if better == "variance"
            else r"\rho(d,\mathrm{error})>\rho(\mathrm{Var},\mathrm{error})"
        ),
        source="this project (an empirical question)",
        assumptions=(
            "ρ: Spearman's rank correlation; on the synthetic language between topologies at equal "
            "α, n and noise, averaged over these; on the real tasks between all reward models of "
            "one task and seed, which differ in topology and budget",
            "the settings of the grid, and the runs (a task and a seed each), stand for others as "
            "if drawn at random and independent",
            "both measures are computed on the learner's own inductive bias: the world's, or the "
            "neighbour graph of the model's features; on these the variance also by the kernel of "
            "the Bayesian head that is trained, which has no graph to take a distance on; on pools "
            "of responses the variance is by the learner's kernel, the distance on the neighbour "
            "graph of the same features",
            "on a pool the seeds (splits of its prompts, layouts, labels) stand for others of that "
            "pool, not for other pools",
        ),
        readings=(
            *(
                _recorded(f"{name}, synthetic language", partial(_learner, name, sign, level))
                for name in learners
            ),
            *(
                _recorded(f"three real tasks, {name}", partial(_tasks, measure, sign, level))
                for measure, name in KINDS.items()
            ),
            *(
                _recorded(
                    f"{name}, penalty by {words}", partial(_pool, pool, penalty, sign, of_pools)
                )
                for pool, name in POOLS.items()
                for penalty, words in PENALTIES.items()
            ),
        ),
        rests_on=("E1", "P4"),
    )


def _recorded(name: str, run: Callable[[Context], Finding]) -> Reading:
    check = Check(name, "recorded experiment", run)
    return Reading(
        name, (check,), why="by the paired interval of the two rank correlations on record"
    )


def _learner(learner: str, sign: float, level: float, context: Context) -> Finding:
    outcomes = [one for one in load(RECORD) if one.learner == learner]
    settings = sorted({one.setting for one in outcomes})
    groups = [[one for one in outcomes if one.setting == setting] for setting in settings]
    found = np.array([spearman(table(group, "squared_error")) for group in groups])
    trivial = np.mean([rule_spearman(group, "squared_error") for group in groups], axis=0)
    described = (
        f"{len(outcomes)} datasets in {len(settings)} settings of α, n and noise"
        + _trivial(dict(zip(RULES.values(), trivial, strict=True)))
    )
    return _finding(found, sign, level, described)


def _tasks(measure: str, sign: float, level: float, context: Context) -> Finding:
    documents = [recorded.load(path.stem) for path in recorded.files(TASKS)]
    if not documents:
        return Finding(
            UNDECIDED, "no run of ibn validate is on record; one of each task would decide it"
        )
    found = by_repetition(documents, measure)
    names = ", ".join(one["task"] for one in documents)
    trivial = {TASK_RULES[rule]: one.value for rule, one in rule_correlations(documents).items()}
    described = f"{points(documents)} reward models, {len(found)} runs of {names}" + _trivial(
        trivial
    )
    return _finding(found, sign, level, described)


def _pool(pool: str, penalty: str, sign: float, level: float, context: Context) -> Finding:
    if f"pool-{pool}" not in {path.stem for path in recorded.files("pool-")}:
        return Finding(UNDECIDED, f"no run of ibn validate --pool on {pool} is on record")
    document = recorded.load(f"pool-{pool}")
    features = document["ceiling"][0]["features"]
    rows = {
        row["predictor"]: row
        for row in document["predicted"]
        if (row["features"], row["learner"]) == (features, penalty)
    }
    distance, variance = (np.array(rows[name]["each"]) for name in ("distance", "kernel"))
    described = (
        f"{len(distance)} seeds at n = {rows['kernel']['n']}, features {features}"
        + _trivial({words: rows[rule]["value"] for rule, words in POOL_RULES.items()})
    )
    found = np.column_stack([distance, variance, variance - distance])
    return _finding(found, sign, level, described)


def _trivial(correlations: dict[str, float]) -> str:
    """Say how well rules rank that need no inference."""
    each = ", ".join(f"{rule} {value:+.3f}" for rule, value in correlations.items())
    return f" (rank correlation of trivial rules with the error: {each})"


def _finding(found: NDArray[np.float64], sign: float, level: float, described: str) -> Finding:
    """Decide by a paired t interval of the mean difference between the two correlations."""
    mean = found.mean(axis=0)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    reach = float(t.ppf(1 - level / 2, len(found) - 1) * error[2])
    low, high = float(mean[2]) - reach, float(mean[2]) + reach
    verdict = judged(min(sign * low, sign * high) > 0, max(sign * low, sign * high) < 0)
    distance, variance, difference = (
        f"{value:+.3f} ± {one:.3f}" for value, one in zip(mean, error, strict=True)
    )
    evidence = (
        f"{described}: rank correlation with the error is {distance} for the distance and "
        f"{variance} for the variance; difference {difference}, {1 - level:.2%} interval "
        f"[{low:+.3f}, {high:+.3f}]"
    )
    if verdict == UNDECIDED:
        evidence += "; more settings or seeds would decide it"
    data = {
        "distance": mean[0],
        "variance": mean[1],
        "difference": mean[2],
        "interval": [low, high],
    }
    return Finding(verdict, evidence, data)
