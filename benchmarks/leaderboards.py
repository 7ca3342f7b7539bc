"""A leaderboard's rewards and intervals, beside a 100-fold bootstrap by its peers."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from benchmarks.contest import Contest, Contestant, Faster, Run, Trial, timed
from benchmarks.timing import Agreement
from ibn.leaderboard import Leaderboard, rank
from ibn.preferences.comparisons import Comparisons

ITEMS = 200
FOLDS = 100
LIMIT = 120.0
ENOUGH = 50  # resamples that tell a spread
CLOSE = 0.05  # standard errors by which rewards may differ
SPREAD = 0.05  # share by which mean standard errors may differ

Rewards = NDArray[np.float64]
Fit = Callable[[NDArray[np.float64]], Rewards]
"""Rewards, of how often each item beat each other."""


def battles(n: int) -> Comparisons:
    """Draw n battles among items whose rewards are standard Gaussian."""
    rng = np.random.default_rng(0)
    rewards = rng.standard_normal(ITEMS)
    a = rng.integers(0, ITEMS, n)
    b = (a + rng.integers(1, ITEMS, n)) % ITEMS
    won = rng.random(n) < expit(rewards[a] - rewards[b])
    return Comparisons(np.arange(ITEMS), a, b, winner=np.where(won, 1, -1).astype(np.int8))


def counted(data: Comparisons) -> NDArray[np.float64]:
    """Count how often each item beat each other."""
    won = data.winner > 0  # type: ignore[operator]
    key = np.where(won, data.a * ITEMS + data.b, data.b * ITEMS + data.a)
    return np.bincount(key, minlength=ITEMS**2).reshape(ITEMS, ITEMS).astype(float)


def bootstrap(data: Comparisons, fit: Fit, number: int) -> Run:
    """Fit to all battles, then to resamples of them; the answer has a row each.

    Resamples are drawn from the counts, which is drawing battles with replacement at a cost that
    does not depend on how many there are: the peers are spared counting again. After LIMIT
    seconds no more are fitted.
    """
    start = time.perf_counter()
    wins = counted(data)
    total = wins.sum()
    draws = np.random.default_rng(number).multinomial(int(total), wins.ravel() / total, FOLDS)
    rows = [fit(wins)]
    for drawn in draws:
        if time.perf_counter() - start > LIMIT:
            break
        rows.append(fit(drawn.reshape(wins.shape).astype(float)))
    seconds = time.perf_counter() - start
    cut = len(rows) <= FOLDS
    note = f"cut short after {len(rows) - 1} of {FOLDS} resamples" if cut else ""
    return Run(seconds, np.array(rows), at_least=cut, note=note)


def choix_fit() -> Fit:
    """Use iterative Luce spectral ranking of a dense matrix, choix's way for many battles."""
    import choix

    return choix.ilsr_pairwise_dense


def evalica_fit() -> Fit:
    """Use evalica's compiled solver, with a weight for each ordered pair of items."""
    import evalica
    import pandas as pd

    index = pd.Index(range(ITEMS))
    first, second = (x.tolist() for x in np.nonzero(~np.eye(ITEMS, dtype=bool)))
    winners = [evalica.Winner.X] * len(first)

    def fit(wins: NDArray[np.float64]) -> Rewards:
        found = evalica.bradley_terry(
            first, second, winners, index=index, weights=wins[first, second]
        )
        return np.log(found.scores.reindex(index).to_numpy())

    return fit


def arena_fit() -> Fit:
    """Use arena-rank's model of battles that are counted, as its own bootstrap fits it."""
    import jax.numpy as jnp
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    ends = np.nonzero(~np.eye(ITEMS, dtype=bool))
    pairs = jnp.array(np.stack(ends, axis=1), dtype=jnp.int32)
    ones = jnp.ones(len(ends[0]))

    def fit(wins: NDArray[np.float64]) -> Rewards:
        model = BradleyTerry(ITEMS)
        counts = jnp.array(wins[ends])
        model.fit(PairDataset(list(range(ITEMS)), pairs, ones, counts, ones, counts))
        return np.asarray(model.params["ratings"])

    return fit


def arenakit_fit() -> Fit:
    """Use arenakit's minorisation-maximisation on counts, without its virtual battles."""
    from arenakit.bt import fit_bt
    from arenakit.schema import PairCounts

    none = np.zeros((ITEMS, ITEMS))
    return lambda wins: fit_bt(PairCounts(wins, none, none), prior=0.0).scores


PEERS = {
    "choix": ("choix", "ilsr_pairwise_dense", choix_fit),
    "evalica": ("evalica", "bradley_terry", evalica_fit),
    "arena_rank": ("arena-rank", "BradleyTerry", arena_fit),
    "arenakit": ("arenakit", "fit_bt", arenakit_fit),
}


def _prepare(n: int) -> Trial:
    data = battles(n)
    right = rank(data)
    error = np.sqrt(np.diagonal(right.covariance))

    def check_ours(found: Leaderboard) -> Agreement:
        wins = counted(data)
        chance = expit(found.rewards[:, None] - found.rewards)
        slope = (wins - (wins + wins.T) * chance).sum(axis=1)
        steepest = float(np.abs(slope * error).max())
        return Agreement(steepest < 1e-6, f"slope {steepest:.0e} per standard error")

    def check(rows: NDArray[np.float64]) -> Agreement:
        rows = rows - rows.mean(axis=1, keepdims=True)
        off = float(np.max(np.abs(rows[0] - right.rewards) / error))
        if len(rows) <= ENOUGH:
            return Agreement(off < CLOSE, f"rewards within {off:.0e} standard errors")
        ratio = float(np.mean(rows[1:].std(axis=0, ddof=1) / error))
        text = f"rewards within {off:.0e} standard errors, these {ratio:.3f} × ours"
        return Agreement(off < CLOSE and abs(ratio - 1.0) < SPREAD, text)

    peers, absent = [], {}
    for package, (name, method, make) in PEERS.items():
        if find_spec(package) is None:
            absent[name] = "not installed"
            continue
        fit = make()
        fit(counted(data))  # compiles, where anything is compiled
        peers.append(
            Contestant(
                f"{name} {method}, {FOLDS}-fold bootstrap",
                lambda number, fit=fit: bootstrap(data, fit, number),
                check,
            )
        )
    return Trial(
        ours=Contestant("ibn.leaderboard.rank", timed(lambda number: rank(data)), check_ours),
        peers=peers,
        absent=absent,
        notes=(
            f"{n:,} battles among {ITEMS} items, as arrays of item numbers. Ours are rewards, "
            "simultaneous 95 % intervals of rewards, differences and ranks; the peers' are "
            f"rewards, and those of {FOLDS} resamples, which are drawn from the counts of battles "
            "so that none counts a million battles more than once.",
        ),
    )


CASES = (
    Contest(
        name="leaderboard",
        what=f"Bradley-Terry rewards and intervals of {ITEMS} items",
        n=1_000_000,
        small=50_000,
        prepare=_prepare,
        targets=(Faster(10),),
    ),
)
