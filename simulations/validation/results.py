"""Win rates with bootstrap intervals over seeds and prompts, in a table beside the paper's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulations.validation.protocol import BUDGETS, Repetition

BOOTSTRAPS = 2000


@dataclass(frozen=True)
class WinRate:
    """How often one policy's response scores above another's, a tie counting as half.

    Attributes
    ----------
    policy, against : str
        ``tree``, ``chain`` or ``base``.
    budget : str
        What chain and tree had in equal number: ``comparisons`` or ``tokens``.
    draws : int
        N of best-of-N.
    rate, low, high : float
        With a 95 % interval: bootstrap over seeds and, within, over prompts.
    prompts : int
        Compared in all.
    ties : float
        Share of ties.
    """

    policy: str
    against: str
    budget: str
    draws: int
    rate: float
    low: float
    high: float
    prompts: int
    ties: float


def win_rates(repetitions: Sequence[Repetition], seed: int = 0) -> list[WinRate]:
    """Compare tree with chain, and each with the base model, at every N and budget.

    The bootstrap draws seeds anew and prompts within each: where seeds make no difference of
    their own, its intervals are wider than they need be, by about the root of 2.
    """
    draws = sorted({n for _, _, n in repetitions[0].scores if n > 1})
    found = []
    rivals = (("tree", "chain"), ("tree", "base"), ("chain", "base"))
    for budget, n, (policy, against) in product(BUDGETS, draws, rivals):
        other = ("base", "", 1) if against == "base" else (against, budget, n)
        margins = [one.scores[policy, budget, n] - one.scores[other] for one in repetitions]
        wins = [(np.sign(margin) + 1.0) / 2.0 for margin in margins]
        low, high = _interval(wins, np.random.default_rng(seed))
        together = np.concatenate(margins)
        rate, ties = float(np.concatenate(wins).mean()), float(np.mean(together == 0))
        found.append(WinRate(policy, against, budget, n, rate, low, high, len(together), ties))
    return found


def _interval(wins: Sequence[NDArray[np.float64]], rng: np.random.Generator) -> tuple[float, float]:
    table = np.stack(wins)  # (seeds, prompts)
    seeds, prompts = table.shape
    chosen = rng.integers(0, seeds, (BOOTSTRAPS, seeds, 1))
    means = table[chosen, rng.integers(0, prompts, (BOOTSTRAPS, seeds, prompts))].mean(axis=(1, 2))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def document(
    task: str, gold: str, paper: float, profile: str, repetitions: Sequence[Repetition]
) -> dict[str, Any]:
    """Everything that was found, as JSON has it."""
    return {
        "task": task,
        "gold": gold,
        "profile": profile,
        "seeds": len(repetitions),
        "paper_tree_against_chain": paper,
        "win_rates": [asdict(rate) for rate in win_rates(repetitions)],
        "reward_models": [asdict(model) for one in repetitions for model in one.models],
    }


def dumps(found: dict[str, Any]) -> str:
    """Write a document; numbers that are not are null, as JSON has it."""
    return json.dumps(_plain(found), indent=1)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
