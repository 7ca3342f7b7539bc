"""Win rates with bootstrap intervals over seeds and prompts, in a table beside the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.simulations.paper import WINS
from ibn.simulations.validation.repetition import BASE, Policy, Repetition

BOOTSTRAPS = 2000


@dataclass(frozen=True)
class WinRate:
    """How often one policy's response scores above another's, a tie counting as half."""

    # tree, chain or base
    policy: str
    against: str
    decoder: str  # best-of-n, rft or policy-optimisation
    budget: str  # what chain and tree had in equal number: comparisons or tokens
    draws: int  # N, chosen among; for what is trained, to each training prompt
    # with a 95 % interval: bootstrap over seeds and, within, over prompts
    rate: float
    low: float
    high: float
    prompts: int  # compared in all
    ties: float  # share of ties


def win_rates(repetitions: Sequence[Repetition], seed: int = 0) -> list[WinRate]:
    """Compare tree with chain, and each with the base model, under every decoder and budget.

    Tree and chain are compared draw by draw, where they chose among the same responses; either
    is compared with the base model on all pairs of their draws and its own, which are others.

    The bootstrap draws seeds anew and prompts within each: where seeds make no difference of
    their own, its intervals are wider than they need be, by about the root of 2; where seeds
    differ much and are few, they are too narrow.
    """
    found = []
    for tree in (policy for policy in repetitions[0].scores if policy.name == "tree"):
        chain = replace(tree, name="chain")
        for policy, other in ((tree, chain), (tree, BASE), (chain, BASE)):
            margins = [_margins(one, policy, other) for one in repetitions]
            wins = [((np.sign(margin) + 1.0) / 2.0).mean(axis=1) for margin in margins]
            low, high = _interval(wins, np.random.default_rng(seed))
            together = np.concatenate(margins)
            found.append(
                WinRate(
                    policy.name,
                    other.name,
                    policy.decoder,
                    policy.budget,
                    policy.draws,
                    rate=float(np.concatenate(wins).mean()),
                    low=low,
                    high=high,
                    prompts=len(together),
                    ties=float(np.mean(together == 0)),
                )
            )
    return found


def _margins(one: Repetition, policy: Policy, other: Policy) -> NDArray[np.float64]:
    """By how much a policy's responses score above another's, shape (prompts, comparisons)."""
    ours, theirs = one.scores[policy], one.scores[other]
    if other == BASE:
        return (ours[:, :, None] - theirs[:, None, :]).reshape(len(ours), -1)
    return ours - theirs


def _interval(wins: Sequence[NDArray[np.float64]], rng: np.random.Generator) -> tuple[float, float]:
    table = np.stack(wins)  # (seeds, prompts)
    seeds, prompts = table.shape
    chosen = rng.integers(0, seeds, (BOOTSTRAPS, seeds, 1))
    means = table[chosen, rng.integers(0, prompts, (BOOTSTRAPS, seeds, prompts))].mean(axis=(1, 2))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def document(
    task: str, gold: str, profile: str, model: str, repetitions: Sequence[Repetition]
) -> dict[str, Any]:
    """Everything that was found, as JSON has it."""
    return {
        "task": task,
        "gold": gold,
        "profile": profile,
        "model": model,
        "seeds": len(repetitions),
        "paper_tree_against_chain": WINS["tree", "chain"][task],
        "win_rates": [asdict(rate) for rate in win_rates(repetitions)],
        "reward_models": [asdict(model) for one in repetitions for model in one.models],
    }
