"""What the cells of a pool say: every table of the answer, as one JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, t

from ibn.simulations.pools import foreseen
from ibn.simulations.pools.choosing import DRAWS, MEASURES
from ibn.simulations.pools.clustered import Means, means
from ibn.simulations.pools.falling import fall
from ibn.simulations.pools.gridding import Plan
from ibn.simulations.pools.laying import LEAVES
from ibn.simulations.pools.measuring import Cell, Prepared, load_prepared, read

Answers = list[dict[str, NDArray]]
TREES = tuple(name for size in LEAVES for name in (f"tree-{size}", f"tree-{size}-grouped"))
SHOWN = ("accuracy", "log_loss", "error")
LEARNER = "cv"
TARGET = "error"
COIN = 0.6  # accuracy of the ceiling below which a pool is said to decide little


def settings(cells: Iterable[Cell]) -> dict[Cell, list[Cell]]:
    """Put together the seeds of each setting."""
    found: dict[Cell, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.setting, []).append(cell)
    return found


def taken(answers: Answers, where: Sequence[tuple[int, int, str]], against: int | None) -> Means:
    """Average some outcomes, or by how much they exceed those of another topology.

    ``where``: topology, learner and measure of each, as positions and name; ``against``: the other
    topology's position.
    """
    rows = []
    for one in answers:
        found = one["outcomes"]
        own = np.stack([found[i, j, MEASURES.index(m)] for i, j, m in where]).astype(float)
        if against is not None:
            own -= np.stack([found[against, j, MEASURES.index(m)] for _, j, m in where])
        rows.append(own)
    return means(rows, [one["prompts"] for one in answers])


def with_ends(found: Means) -> list[dict[str, float]]:
    """Value, simultaneous interval and standard error of each mean."""
    errors = np.sqrt(np.diagonal(found.covariance))
    return [
        {"value": float(v), "low": float(v - r), "high": float(v + r), "stderr": float(e)}
        for v, r, e in zip(found.value, found.reach(), errors, strict=True)
    ]


def compared(setting: Cell, answers: Answers) -> list[dict[str, Any]]:
    """Every topology and learner beside the chain of the same learner."""
    found = []
    grid = list(product(range(len(setting.topologies)), range(len(setting.learners))))
    layouts = np.mean([one["layouts"] for one in answers], axis=0)
    for measure in SHOWN:
        where = [(i, j, measure) for i, j in grid]
        alone = with_ends(taken(answers, where, None))
        apart = with_ends(taken(answers, where, 0))
        for (i, j), value, difference in zip(grid, alone, apart, strict=True):
            found.append(
                {
                    **_named(setting, i, j),
                    "measure": measure,
                    **value,
                    "difference": difference,
                    "responses": float(layouts[i, 0]),
                    "prompts": float(layouts[i, 1]),
                    "words": float(layouts[i, 2]),
                }
            )
    return found


def _named(setting: Cell, i: int, j: int) -> dict[str, Any]:
    return {
        "features": setting.features,
        "n": setting.n,
        "agreement": setting.agreement,
        "topology": setting.topologies[i],
        "learner": setting.learners[j],
    }


def wins(setting: Cell, answers: Answers, learner: str = LEARNER) -> list[dict[str, Any]]:
    """Best of N: every topology over the chain and over a random response, and its regret."""
    j, found = setting.learners.index(learner), []
    draws = [
        n
        for n in DRAWS
        if any(
            np.isfinite(one["outcomes"][0, j, MEASURES.index(f"regret@{n}")]).mean() > 0.5
            for one in answers
        )
    ]
    for kind in ("against_chain", "same", "against_base", "regret"):
        where = [
            (i, j, f"{kind}@{n}")
            for i, name in enumerate(setting.topologies)
            for n in draws
            if name != "chain" or kind in ("against_base", "regret")
        ]
        for (i, _, measure), value in zip(
            where, with_ends(taken(answers, where, None)), strict=True
        ):
            n = int(measure.partition("@")[2])
            found.append({**_named(setting, i, j), "kind": kind, "draws": n, **value})
    return found


def penalties(setting: Cell, answers: Answers) -> list[dict[str, Any]]:
    """By how much each way to choose the penalty falls short of the oracle's, by topology."""
    j0 = setting.learners.index("oracle")
    grid = [
        (i, j)
        for i in range(len(setting.topologies))
        for j in range(len(setting.learners))
        if j != j0
    ]
    rows = []
    for one in answers:
        found = one["outcomes"][:, :, MEASURES.index("log_loss")].astype(float)
        rows.append(np.stack([found[i, j] - found[i, j0] for i, j in grid]))
    ends = with_ends(means(rows, [one["prompts"] for one in answers]))
    return [{**_named(setting, i, j), **e} for (i, j), e in zip(grid, ends, strict=True)]


def predicted(setting: Cell, answers: Answers, learner: str) -> list[dict[str, Any]]:
    """E6: how rules and measures rank the topologies by error, within a seed, averaged.

    The interval of each, and of each less the exact variance by the learner's kernel, is t over
    seeds and simultaneous over all (Bonferroni).
    """
    j, names = setting.learners.index(learner), foreseen.NAMES
    row = MEASURES.index(TARGET)
    errors = np.array([np.nanmean(one["outcomes"][:, j, row], axis=1) for one in answers])
    scores = np.array([one["foreseen"] for one in answers])
    shown = [k for k in range(len(names)) if np.isfinite(scores[:, :, k]).all()]
    each = np.array(
        [[_spearman(s[:, k], e) for k in shown] for s, e in zip(scores, errors, strict=True)]
    )
    kernel = shown.index(names.index("kernel"))
    apart = each - each[:, [kernel]]
    found = []
    for at, k in enumerate(shown):
        whole = _spearman(scores[:, :, k].mean(axis=0), errors.mean(axis=0))
        found.append(
            {
                "features": setting.features,
                "n": setting.n,
                "agreement": setting.agreement,
                "learner": learner,
                "predictor": names[k],
                **_t_interval(each[:, at], 2 * len(shown) - 1),
                "difference": _t_interval(apart[:, at], 2 * len(shown) - 1),
                "of_means": whole,
                "each": each[:, at].tolist(),
            }
        )
    return found


def _spearman(a: NDArray, b: NDArray) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def _t_interval(values: NDArray[np.float64], together: int) -> dict[str, float]:
    mean, count = float(values.mean()), len(values)
    error = float(values.std(ddof=1) / np.sqrt(count)) if count > 1 else np.inf
    reach = float(t.ppf(1.0 - 0.025 / together, max(count - 1, 1)) * error)
    return {"value": mean, "low": mean - reach, "high": mean + reach}


def label_units(
    found: dict[Cell, Answers], setting: Cell, learner: str = LEARNER
) -> list[dict[str, Any]]:
    """How many chain labels reach the log loss of each topology at the setting's n, over n.

    The chain's curve is interpolated in log n; where it never gets so far, the end it stops at.
    Intervals: draws of the joint errors of the curve and the topology, simultaneous by Bonferroni.
    """
    curve = sorted(
        (s for s in found if _alike(s, setting) and s.topologies == setting.topologies),
        key=lambda s: s.n,
    )
    j = setting.learners.index(learner)
    row = MEASURES.index("log_loss")
    rivals = [i for i in range(len(setting.topologies)) if i]
    rows = []
    for k, own in enumerate(found[setting]):
        chain = [found[s][k]["outcomes"][0, j, row] for s in curve]
        rows.append(np.stack([*chain, *(own["outcomes"][i, j, row] for i in rivals)]))
    joint = means(rows, [one["prompts"] for one in found[setting]])
    drawn = np.vstack([joint.value, joint.value + joint.noise()])
    ns = np.log([s.n for s in curve])
    rated = []
    for at, i in enumerate(rivals):
        units = np.array([_reached(ns, one[: len(ns)], one[len(ns) + at]) for one in drawn])
        units /= setting.n
        share = 0.025 / len(rivals)
        low, high = np.quantile(units[1:], [share, 1 - share])
        rated.append(
            {
                **_named(setting, i, j),
                "value": float(units[0]),
                "low": float(low),
                "high": float(high),
                "ends": [curve[0].n / setting.n, curve[-1].n / setting.n],
            }
        )
    return rated


def _alike(one: Cell, other: Cell) -> bool:
    return (one.features, one.agreement) == (other.features, other.agreement)


def _reached(ns: NDArray, curve: NDArray, level: float) -> float:
    falling = np.minimum.accumulate(curve)
    if level >= falling[0]:
        return float(np.exp(ns[0]))
    if level <= falling[-1]:
        return float(np.exp(ns[-1]))
    return float(np.exp(np.interp(-level, -falling, ns)))


def document(name: str, plan: Plan, folder: Path) -> dict[str, Any]:
    """Say everything that was found.

    Parameters
    ----------
    name : str
        The pool's.
    plan : Plan
        All of whose cells are in the folder.
    folder : Path
    """
    pool = load_prepared(str((folder / "prepared.npz").resolve()))
    main = {s: read(cells, folder) for s, cells in settings(plan.main).items()}
    middle = [s for s in main if s.foreseen]
    largest = max(main, key=lambda s: s.n)
    shown = list(dict.fromkeys([*middle[:1], largest]))

    def others(cells: Sequence[Cell]) -> dict[Cell, Answers]:
        return {s: read(each, folder) for s, each in settings(cells).items()}

    noise, spent, across, own = map(others, (plan.noise, plan.spent, plan.across, plan.own))
    once = {(s.features, s.n) for s in own}
    asked = [*own, *(s for s in main if (s.features, s.n) not in once)]
    every = {**main, **noise, **spent, **across, **own}
    found = {
        "pool": name,
        "responses": len(pool.score),
        "prompts": int(pool.prompt_of[-1]) + 1,
        "pairs": int(sum(k * (k - 1) // 2 for k in np.bincount(pool.prompt_of).tolist())),
        "rated_twice": int(np.sum(np.diff(pool.rated) > 1)),
        "seeds": len({cell.seed for cell in plan.main}),
        "features": {k: v.shape[1] for k, v in pool.features.items()},
        "ceiling": ceilings(others(plan.ceilings)),
        "compared": [row for s, found in main.items() for row in compared(s, found)],
        "noise": [row for s, found in noise.items() for row in compared(s, found)],
        "spent": [row for s, found in spent.items() for row in compared(s, found)],
        "across": [row for s, found in across.items() for row in compared(s, found)],
        "wins": [row for s in main for row in wins(s, main[s])],
        "penalties": [row for s in asked for row in penalties(s, every[s])],
        "predicted": [
            row for s in middle for learner in s.learners for row in predicted(s, main[s], learner)
        ],
        "fall": falling_of(main, largest, pool),
        "foreseen": [row for s, each in spent.items() for row in variances_beside(s, each)],
        "units": [row for s in shown for row in label_units(main, s)],
    }
    return dict(rounded(found))


def falling_of(main: dict[Cell, Answers], last: Cell, pool: Prepared) -> dict[str, Any]:
    """Say how fast the chain's log loss falls with the labels, at the first features."""
    curve = sorted((s for s in main if _alike(s, last)), key=lambda s: s.n)
    j, row = last.learners.index(LEARNER), MEASURES.index("log_loss")
    values = [
        np.stack([main[s][k]["outcomes"][0, j, row] for s in curve]) for k in range(len(main[last]))
    ]
    joint = means(values, [one["prompts"] for one in main[last]])
    return fall([s.n for s in curve], joint, pool.features[last.features], pool.prompt_of)


def rounded(value: Any) -> Any:
    """Round every float to four digits that count."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def variances_beside(setting: Cell, answers: Answers) -> list[dict[str, Any]]:
    """Exact variances of the layouts of a setting over the chain's, and the measured errors'."""
    scores = np.mean([one["foreseen"] for one in answers], axis=0)
    j, row = setting.learners.index(LEARNER), MEASURES.index("error")
    where = [(i, j, MEASURES[row]) for i in range(len(setting.topologies))]
    errors = taken(answers, where, None).value
    kernel, own = (foreseen.NAMES.index(name) for name in ("kernel", "own"))
    return [
        {
            **_named(setting, i, j),
            "kernel": float(scores[i, kernel] / scores[0, kernel]),
            "own": float(scores[i, own] / scores[0, own]),
            "error": float(errors[i] / errors[0]),
        }
        for i in range(len(setting.topologies))
    ]


def ceilings(found: dict[Cell, Answers]) -> list[dict[str, Any]]:
    """Say what the learner reaches on the true scores, by features."""
    rated = []
    for setting, answers in found.items():
        last = max(
            n
            for n in DRAWS
            if np.isfinite(answers[0]["outcomes"][0, 0, MEASURES.index(f"regret@{n}")]).any()
        )
        where = [(0, 0, "accuracy"), (0, 0, f"against_base@{last}")]
        accuracy, base = with_ends(taken(answers, where, None))
        rated.append(
            {"features": setting.features, "accuracy": accuracy, "best_of": last, "wins": base}
        )
    return rated
