"""Which battles to buy: those that most narrow the ranks that are asked for.

What a leaderboard knows of r_i - r_j is the effective resistance R between i and j in the network
whose conductances are the battles' Fisher information. One more battle between u and v with
information w lowers it by w X² / (1 + w R_uv), where X is the potential between u and v when a
unit current flows from i to j. Battles are chosen greedily, in batches, to lower the sum of
log(1 + R / g²) over the pairs asked for, g the difference of their rewards now: pairs that are
told apart already hardly count, and pairs as good as equal count no more than others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError
from ibn.leaderboard.board import Leaderboard
from ibn.leaderboard.intervals import deviations, ranks, widths
from ibn.leaderboard.tie_models import MODELS
from ibn.plurals import count_of
from ibn.preferences.files import SUFFIXES
from ibn.preferences.replacing import keep_labels
from ibn.preferences.writing import write_records
from ibn.results import Result, Table

BATCHES = 200
DRAWS = 1000
EQUAL = 1e-6  # log-odds below which neighbours are as good as equal
APART = 3.0  # log-odds that groups of items that never met are taken to differ by

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Target = Literal["neighbours", "top", "item"]


@dataclass(frozen=True, eq=False, repr=False)
class Purchase(Result):
    """Battles to buy.

    Attributes
    ----------
    a, b, battles : ndarray of int, shape (m,)
        How many battles of which two items, most first.
    first, last : ndarray of int, shape (K,)
        Simultaneous intervals of the ranks expected with them, rewards staying as they are.
    target : ndarray of int, shape (t, 2)
        Pairs that are to be told apart.
    deviation_before, deviation_after : ndarray of float, shape (t,)
        Standard deviations of their differences.
    needed : ndarray of float, shape (K - 1,)
        Battles between each two neighbours, best first, that would tell them apart, rewards and
        width staying as they are; 0 where they are, infinite for equals.
    board : Leaderboard
        What is known before.
    """

    a: Ints
    b: Ints
    battles: Ints
    first: Ints
    last: Ints
    target: Ints
    deviation_before: Floats
    deviation_after: Floats
    needed: Floats
    board: Leaderboard

    endings = tuple(suffix + gz for suffix in SUFFIXES for gz in ("", ".gz"))
    picture = "ibn.report.plan_figure:draw_purchase"

    @property
    def headline(self) -> str:
        """How many are bought, and what they are expected to do."""
        return (
            f"{count_of(int(self.battles.sum()), 'battle')} of {count_of(len(self.a), 'pair')}; "
            f"mean deviation of the differences asked for {self.deviation_before.mean():.3f} now, "
            f"{self.deviation_after.mean():.3f} with them"
        )

    def to_json(self) -> dict[str, Any]:
        """Return what ``ibn plan --json`` prints of battles, but for the file that it writes."""
        order = np.argsort(-self.board.centre)
        names = [str(name) for name in self.board.names]
        return {
            "source": self.board.source,
            "budget": int(self.battles.sum()),
            **self.tables(),
            "neighbours": [
                {
                    "better": names[i],
                    "worse": names[j],
                    "battles_to_separate": int(n) if np.isfinite(n) else None,
                }
                for i, j, n in zip(order[:-1], order[1:], self.needed, strict=True)
            ],
            "deviation": {
                "before": float(self.deviation_before.mean()),
                "after": float(self.deviation_after.mean()),
            },
        }

    def tables(self) -> dict[str, Table]:
        """Return the battles to buy, and the ranks of the items now and with them."""
        board = self.board
        names = [str(name) for name in board.names]
        return {
            "pairs": [
                {"model_a": names[a], "model_b": names[b], "battles": int(n)}
                for a, b, n in zip(self.a, self.b, self.battles, strict=True)
            ],
            "items": [
                {
                    "name": names[i],
                    "ranks": [int(board.first[i]), int(board.last[i])],
                    "expected_ranks": [int(self.first[i]), int(self.last[i])],
                }
                for i in np.argsort(-board.centre)
            ],
        }

    def _inputs(self) -> tuple[str, ...]:
        return (self.board.source,)

    def _write(self, path: Path, ending: str) -> None:
        keep_labels(path)
        write_records(path, self.tables()["pairs"], by_people=True)


def asked(ranks: str) -> dict[str, Any]:
    """Read the ranks that are to be narrowed: neighbours, top:K or item:NAME.

    Raises InputError if it is none of them.
    """
    kind, _, which = ranks.partition(":")
    if kind == "neighbours" and not which:
        return {"target": kind}
    if kind == "top" and which.isdigit():
        return {"target": kind, "top": int(which)}
    if kind == "item" and which:
        return {"target": kind, "item": which}
    raise InputError(f"unknown ranks {ranks!r}", fix="neighbours, top:5 or item:NAME")


def buy(
    board: Leaderboard,
    budget: int,
    *,
    target: Target = "neighbours",
    top: int = 1,
    item: str | None = None,
    allowed: NDArray[np.bool_] | None = None,
    seed: int = 0,
) -> Purchase:
    """Choose battles.

    Parameters
    ----------
    board : Leaderboard
    budget : int
        How many.
    target : {"neighbours", "top", "item"}
        Ranks to narrow: of all neighbours; of the ``top`` items against the rest; of one item.
    top : int
        With "top", how many items.
    item : str, optional
        With "item", its name.
    allowed : ndarray of bool, shape (K, K), optional
        Pairs that may meet, symmetric.
    seed : int
        Of the simulation of widths.

    Raises
    ------
    InputError
        If the budget is not positive, or there is no such item.
    """
    if budget < 1:
        raise InputError(f"the budget must be at least 1, not {budget}")
    k = len(board.names)
    pairs = _targets(board, target, top, item)
    covariance = _joined(board)
    gap = board.centre[pairs[:, 0]] - board.centre[pairs[:, 1]]
    u, v = np.triu_indices(k, 1)
    if allowed is not None:
        u, v = u[allowed[u, v]], v[allowed[u, v]]
    worth = information(board, u, v)
    bought = np.zeros(len(u), np.int64)
    batch = -(-budget // BATCHES)
    before = _variance(covariance, pairs)
    while (left := budget - int(bought.sum())) > 0:
        number = min(batch, left)
        now = _variance(covariance, pairs)
        urgency = 1.0 / (gap**2 + now)
        current = covariance[:, pairs[:, 0]] - covariance[:, pairs[:, 1]]
        resistance = _variance(covariance, np.stack([u, v], axis=1))
        drop = np.square(current[u] - current[v]) @ urgency
        best = int(np.argmax(worth * drop / (1.0 + number * worth * resistance)))
        bought[best] += number
        covariance = _with(covariance, u[best], v[best], number * worth[best])
    group = np.zeros(k, np.int64)
    _, width = widths(covariance, board.level, DRAWS, np.random.default_rng(seed), group)
    first, last = ranks(board.centre, width * deviations(covariance, group))
    order = np.argsort(-bought, kind="stable")[: np.count_nonzero(bought)]
    return Purchase(
        a=u[order],
        b=v[order],
        battles=bought[order],
        first=first,
        last=last,
        target=pairs,
        deviation_before=np.sqrt(before),
        deviation_after=np.sqrt(_variance(covariance, pairs)),
        needed=needed(board),
        board=board,
    )


def information(board: Leaderboard, u: Ints, v: Ints) -> Floats:
    """Fisher information that one more battle of each pair brings, ties making it more."""
    model = MODELS[board.ties_as]
    fisher = model.at(board.centre[u] - board.centre[v], board.fitted.tie).information
    of_model = float(np.trace(board.fitted.covariance[: len(board.names), : len(board.names)]))
    return fisher * of_model / max(float(np.trace(board.spread)), 1e-300)


def needed(board: Leaderboard) -> Floats:
    """Battles between each two neighbours that would tell them apart, shape (K - 1,)."""
    order = np.argsort(-board.centre)
    upper, lower = order[:-1], order[1:]
    gap = board.centre[upper] - board.centre[lower]
    worth = information(board, upper, lower)
    with np.errstate(divide="ignore"):
        wanted = (board.pair_width / gap) ** 2
        now = 1.0 / deviations(board.spread, board.standing.group)[upper, lower] ** 2
        number = np.maximum(np.ceil((wanted - now) / worth), 0.0)
    return np.where(gap > EQUAL, number, np.inf)


def _targets(board: Leaderboard, target: Target, top: int, item: str | None) -> Ints:
    order = np.argsort(-board.centre)
    k = len(order)
    if target == "neighbours":
        return np.stack([order[:-1], order[1:]], axis=1)
    if target == "top":
        if not 0 < top < k:
            raise InputError(f"top must lie between 1 and {k - 1}, not {top}")
        return np.array([(i, j) for i in order[:top] for j in order[top:]])
    if item not in board.names:
        raise InputError(f"no item {item!r}")
    chosen = list(board.names).index(str(item))
    return np.array([(chosen, j) for j in order if j != chosen])


def _joined(board: Leaderboard) -> Floats:
    """Covariance in which groups that never met are as far apart as APART says."""
    group = board.standing.group
    between = (group[:, None] == np.arange(int(group.max()) + 1)).astype(float)
    return board.spread + (APART**2 / 2.0 * between @ between.T if group.any() else 0.0)


def _variance(covariance: Floats, pairs: Ints) -> Floats:
    i, j = pairs.T
    return np.maximum(covariance[i, i] + covariance[j, j] - 2.0 * covariance[i, j], 0.0)


def _with(covariance: Floats, u: int, v: int, information: float) -> Floats:
    """Add information on r_u - r_v (Sherman and Morrison)."""
    flow = covariance[:, u] - covariance[:, v]
    scale = information / (1.0 + information * (flow[u] - flow[v]))
    return covariance - scale * np.outer(flow, flow)
