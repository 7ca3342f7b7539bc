"""Leaderboards: battles in, rewards with simultaneous intervals out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ibn.errors import InputError, unknown_name
from ibn.leaderboard.battles import MOST_ITEMS, Battles, Tally, tally
from ibn.leaderboard.bradley_terry import Fit, fit
from ibn.leaderboard.intervals import deviations, ranks, widths
from ibn.leaderboard.names import LONGEST, shown
from ibn.leaderboard.probe import Probe
from ibn.leaderboard.reliability import with_reliability
from ibn.leaderboard.spread import clustered, spread
from ibn.leaderboard.standing import Standing, require_maximum, standing
from ibn.leaderboard.tie_models import MODELS
from ibn.outputs import write_text
from ibn.preferences.comparisons import Comparisons
from ibn.results import Result, Table, standing_at

if TYPE_CHECKING:
    from ibn.leaderboard.battle_files import BattleFile

DRAWS = 4000
LARGEST_CONTROL = 1e15  # whose square and sums of it fit
IDENTIFIED = 1e-9  # share of a covariate that items must leave unexplained
FEWEST_DRAWS = 100
NORMAL_95 = 1.959963984540054

Prior = Literal["auto", "on", "off"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """A covariate's effect on the log-odds, with its standard error."""

    value: float
    stderr: float

    @property
    def interval(self) -> tuple[float, float]:
        """An interval of 95 %, of this effect alone."""
        return self.value - NORMAL_95 * self.stderr, self.value + NORMAL_95 * self.stderr


@dataclass(frozen=True, eq=False, repr=False)
class Leaderboard(Result):
    """Bradley-Terry rewards, with simultaneous intervals.

    Attributes
    ----------
    names : sequence of str
        The items.
    rewards : ndarray of float, shape (K,)
        In nats of log-odds, their mean 0 in each group: P(i beats j) = σ(r_i - r_j). Of greatest
        likelihood, or under the prior if ``prior``.
    low, high : ndarray of float, shape (K,)
        Simultaneous intervals of the rewards against the mean: with probability ``level`` all
        hold at once. They are centred on ``centre``, so a newcomer's are not about its reward;
        infinite for an item without battles that count.
    first, last : ndarray of int, shape (K,)
        Simultaneous intervals of the ranks, 1 the best: rank 1 + the number of items that are
        better, among those whose difference has an interval above 0. They follow from the
        simultaneous intervals of all differences, so with probability ``level`` all hold at once.
    covariance : ndarray of float, shape (K, K)
        Of the rewards: the inverse Fisher information.
    centre : ndarray of float, shape (K,)
        Rewards under Jeffreys' prior, where the likelihood's leading bias is taken out.
    spread : ndarray of float, shape (K, K)
        Covariance behind the intervals; see :mod:`ibn.leaderboard.spread`.
    battles, ties, both_bad : int
        How many there were; ``ties`` includes ``both_bad``.
    level : float
        Of the intervals.
    item_width, pair_width : float
        Half widths of the intervals in deviations: the ``level`` quantile of the greatest |z|
        over items, and over pairs of items, z ~ N(0, spread), by simulation.
    prior : bool
        Whether the rewards are under Jeffreys' prior.
    standing : Standing
        Who is undefeated or winless, and which items no battle joins.
    fitted : Fit
        The fit that the rewards are of.
    of_item : ndarray of int, shape (K,)
        Battles of each item.
    ties_as : str
        How ties were counted.
    effects : dict of str to Effect
        Of the covariates.
    judges : dict of str to float
        Reliability of each judge, 1 the usual one; empty where all are taken as equal.
    file : BattleFile, optional
        What the battles were read from, and how.
    by : dict of str to Leaderboard
        A board of each category's battles, where they were asked for.
    probes : tuple of Probe, optional
        What biases the board, where that was asked.
    """

    names: Sequence[str]
    rewards: Floats
    low: Floats
    high: Floats
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    covariance: Floats
    centre: Floats
    spread: Floats
    battles: int
    ties: int
    both_bad: int
    level: float
    item_width: float
    pair_width: float
    prior: bool
    standing: Standing
    fitted: Fit
    of_item: NDArray[np.int64]
    ties_as: str = "half"
    effects: dict[str, Effect] = field(default_factory=dict)
    judges: dict[str, float] = field(default_factory=dict)
    file: BattleFile | None = None
    by: dict[str, Leaderboard] = field(default_factory=dict)
    probes: tuple[Probe, ...] | None = None

    endings = (".html", ".htm")
    picture = "ibn.report.board_page:draw"

    @property
    def source(self) -> str:
        """The file, or what held the battles."""
        return self.file.source if self.file else ""

    @property
    def order(self) -> list[int]:
        """The items, the best first."""
        return sorted(range(len(self.names)), key=lambda i: -self.rewards[i])

    @property
    def headline(self) -> str:
        """How many items and battles, and who leads."""
        i = self.order[0]
        ranks = "rank 1" if self.last[i] == 1 else f"ranks {self.first[i]} to {self.last[i]}"
        return (
            f"{len(self.names)} items by {self.battles:,} battles, {self.ties:,} of them ties; "
            f"first {shown(self.names[i], LONGEST)}, {ranks} at {self.level:.0%}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return what ``ibn rank --json`` prints."""
        document = self._alone()
        if self.file is not None:
            document |= {"source": self.source, "columns": self.file.columns}
            document |= {"unused": self.file.unused, "skipped": self.file.skipped}
        if self.by:
            document["by"] = {name: board._alone() for name, board in self.by.items()}
        if self.probes is not None:
            document["probes"] = [asdict(one) for one in self.probes]
        return document

    def _alone(self) -> dict[str, Any]:
        """Return the board itself as JSON has it."""
        return {
            "battles": self.battles,
            "ties": self.ties,
            "both_bad": self.both_bad,
            "ties_as": self.ties_as,
            "tie_parameter": self.fitted.tie,
            "prior": self.prior,
            "level": self.level,
            "item_width": self.item_width,
            "pair_width": self.pair_width,
            "effects": {
                name: {"value": x.value, "stderr": x.stderr, "interval": x.interval}
                for name, x in self.effects.items()
            },
            "judges": self.judges,
            "items": self.tables()["items"],
        }

    def tables(self) -> dict[str, Table]:
        """Return the items, the best first; and the probes, where that was asked."""

        def finite(value: float) -> float | None:
            return float(value) if np.isfinite(value) else None

        variance = np.maximum(np.diagonal(self.covariance), 0.0)
        stderr = np.where(np.isfinite(self.low), np.sqrt(variance), np.nan)
        items = [
            {
                "name": str(self.names[i]),
                "reward": float(self.rewards[i]),
                "low": finite(self.low[i]),
                "high": finite(self.high[i]),
                "stderr": finite(stderr[i]),
                "ranks": [int(self.first[i]), int(self.last[i])],
                "battles": int(self.of_item[i]),
                "flags": self.flags(i),
            }
            for i in self.order
        ]
        probes = {} if self.probes is None else {"probes": [asdict(one) for one in self.probes]}
        return {"items": items, **probes}

    def _inputs(self) -> tuple[str, ...]:
        return (self.source,)

    def _write(self, path: Path, ending: str) -> None:
        page = standing_at("ibn.report.board_page:board_page")
        write_text(path, page(self, self.to_json()))

    def difference(self, i: int, j: int) -> tuple[float, float, float]:
        """r_i - r_j, and the ends of its simultaneous interval among all pairs."""
        gap = float(self.rewards[i] - self.rewards[j])
        middle = float(self.centre[i] - self.centre[j])
        half = self.pair_width * float(deviations(self.spread, self.standing.group)[i, j])
        return gap, middle - half, middle + half

    def flags(self, i: int) -> list[str]:
        """Say what is special about an item.

        ``undefeated``: it never lost or tied; ``winless``: it never won or tied; ``apart``: no
        battle joins it to some other items.
        """
        found = ["apart"] if self.standing.group.any() else []
        for name in ("undefeated", "winless"):
            if any(i in items and len(items) == 1 for items in getattr(self.standing, name)):
                found.append(name)
        return found


# Small matrices are faster on one core, and give the same bits whatever the number of cores.
@threadpool_limits.wrap(limits=1, user_api="blas")
def rank(
    battles: Battles | Comparisons,
    names: Sequence[str] | None = None,
    *,
    ties: str = "half",
    prior: Prior = "auto",
    cluster: str | None = None,
    controls: Sequence[str] = (),
    reliability: bool = False,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Leaderboard:
    """Rank items by their battles.

    Parameters
    ----------
    battles : Battles or Comparisons
        Of comparisons, with ``winner``, the responses are the items.
    names : sequence of str, optional
        What the items of comparisons are called; by default their numbers.
    ties : {"half", "drop", "davidson", "rao-kupper"}
        A tie is half a win each, is left out, or is an outcome of its own in a model of ties.
    prior : {"auto", "on", "off"}
        Jeffreys' prior, worth one battle an item, half won and half lost. "auto" uses it
        where the likelihood has no maximum, because an item won or lost everything; "off" refuses
        such battles.
    cluster : str, optional
        A label of the battles, such as ``judge``: battles that share it may depend on each other.
    controls : sequence of str
        Covariates whose effects are taken out: names in ``battles.controls``, or ``position``,
        which is 1 for the item shown first.
    reliability : bool
        Each judge's log-odds are their own multiple of the rewards' differences; see
        :mod:`ibn.leaderboard.reliability`.
    level : float
        Probability with which all intervals hold, between 0 and 1.
    draws : int
        Of the simulation that finds the widths of the intervals.
    seed : int
        Of that simulation.

    Raises
    ------
    InputError
        If labels are missing, an option does not fit, or, with ``prior`` off, the likelihood has
        no maximum: then it names the items that no battle joins to the rest, or that never lose
        or never win.

    Examples
    --------
    >>> import numpy as np, ibn
    >>> battles = ibn.Battles(["x", "y"], np.zeros(10, int), np.ones(10, int), np.arange(10) < 7)
    >>> board = ibn.rank(battles)
    >>> round(float(board.rewards[0] - board.rewards[1]), 3)
    0.847
    """
    if isinstance(battles, Comparisons):
        battles = Battles.of(battles, names)
    _check(battles, ties, prior, level, draws)
    counted = battles.take(~battles.tie) if ties == "drop" else battles
    if not len(counted):
        raise InputError("all battles are ties", fix="count them: --ties half")
    model = MODELS[ties]
    x = covariates(counted, controls)
    rows = tally(counted, x, label(counted, "judge") if reliability else None)
    if model.tied and not rows.score[1].any():
        raise InputError(f"{ties} needs ties, and there are none", fix="--ties half")
    placed = standing(rows)
    if prior == "off":
        require_maximum(placed, battles.names)
    if reliability:
        rows = with_reliability(rows, counted.labels["judge"], model)
    corrected = fit(rows, model, jeffreys=True)
    fitted = corrected
    if placed.finite and prior != "on":
        try:
            fitted = fit(rows, model, start=corrected)
        except InputError:  # with a tie parameter a maximum may lie at infinity none the less
            if prior == "off":
                raise
    covariance = spread(rows, corrected, halves=not model.tied)
    if cluster is not None:
        codes = label(counted, cluster)
        covariance = clustered(counted, rows, corrected, codes, covariance)
    # Rounding may leave an item that stands alone with less than none.
    np.fill_diagonal(covariance, np.maximum(np.diagonal(covariance), 0.0))
    board = _board(battles, fitted, corrected, covariance, placed, level, draws, seed)
    return replace(
        board,
        ties_as=ties,
        effects=_effects(controls, fitted, covariance, len(battles.names)),
        judges=_judges(counted, rows) if reliability else {},
    )


def _board(
    battles: Battles,
    fitted: Fit,
    corrected: Fit,
    covariance: Floats,
    placed: Standing,
    level: float,
    draws: int,
    seed: int,
) -> Leaderboard:
    """Put intervals about the rewards."""
    k = len(battles.names)
    of_items = covariance[:k, :k]
    group = placed.group
    item_width, pair_width = widths(of_items, level, draws, np.random.default_rng(seed), group)
    first, last = ranks(corrected.rewards, pair_width * deviations(of_items, group))
    alone = np.bincount(group)[group] == 1
    half = np.where(alone, np.inf, item_width * np.sqrt(np.diagonal(of_items)))
    number = np.ones(len(battles)) if battles.count is None else battles.count
    bad = 0.0 if battles.both_bad is None else number[battles.both_bad].sum()
    return Leaderboard(
        names=battles.names,
        rewards=fitted.rewards,
        low=corrected.rewards - half,
        high=corrected.rewards + half,
        first=first,
        last=last,
        covariance=fitted.covariance[:k, :k],
        centre=corrected.rewards,
        spread=of_items,
        battles=int(number.sum()),
        ties=int(number[battles.tie].sum()),
        both_bad=int(bad),
        level=level,
        item_width=item_width,
        pair_width=pair_width,
        prior=fitted is corrected,
        standing=placed,
        fitted=fitted,
        of_item=(np.bincount(battles.a, number, k) + np.bincount(battles.b, number, k)).astype(int),
    )


def _effects(
    controls: Sequence[str], fitted: Fit, covariance: Floats, items: int
) -> dict[str, Effect]:
    errors = np.sqrt(np.diagonal(covariance)[items:])
    return {
        name: Effect(float(value), float(error))
        for name, value, error in zip(controls, fitted.effects, errors, strict=True)
    }


def _judges(battles: Battles, rows: Tally) -> dict[str, float]:
    """Return the reliability of each judge, by name."""
    assert rows.slope is not None
    codes, where = np.unique(battles.labels["judge"], return_index=True)
    keys = battles.keys.get("judge")
    names = [str(code) for code in codes] if keys is None else [keys[code] for code in codes]
    return dict(zip(names, rows.slope[rows.row[where]].tolist(), strict=True))


def _check(battles: Battles, ties: str, prior: str, level: float, draws: int) -> None:
    if ties not in MODELS:
        raise unknown_name("way with ties", ties, MODELS)
    if prior not in ("auto", "on", "off"):
        raise unknown_name("prior", prior, ("auto", "on", "off"))
    if not 0.0 < level < 1.0:
        raise InputError(f"the level must lie between 0 and 1, not {level}")
    if draws < FEWEST_DRAWS:
        raise InputError(f"there must be at least {FEWEST_DRAWS} draws, not {draws}")
    k = len(battles.names)
    if k < 2:
        raise InputError("a leaderboard needs at least 2 items")
    if k > MOST_ITEMS:
        raise InputError(
            f"{k} items are too many for a leaderboard of at most {MOST_ITEMS}",
            fix="audit them: responses that are hardly reused need an inductive bias",
        )


def covariates(battles: Battles, controls: Sequence[str]) -> Floats | None:
    """Stack the covariates named, shape (n, q).

    Raises
    ------
    InputError
        If there is no such covariate, it has values too large for their squares, or its effect
        could as well be the items' own.
    """
    if not controls:
        return None
    known: Mapping[str, Floats] = {"position": np.ones(len(battles)), **battles.controls}
    for name in controls:
        if name not in known:
            raise unknown_name("control", name, known)
        if not (np.abs(known[name]) <= LARGEST_CONTROL).all():
            raise InputError(
                f"the control {name} has values beyond {LARGEST_CONTROL:g}",
                fix="give it in a larger unit",
            )
    x = np.stack([known[name] for name in controls], axis=1)
    _require_identified(battles, x, controls)
    return x


def _require_identified(battles: Battles, x: Floats, controls: Sequence[str]) -> None:
    """Refuse covariates that say no more than who meets whom, or than one another."""
    k, q = len(battles.names), x.shape[1]
    meetings = np.bincount(battles.a * k + battles.b, minlength=k * k).reshape(k, k)
    meetings = meetings + meetings.T
    cross = np.zeros((k, q))
    np.add.at(cross, battles.a, x)
    np.subtract.at(cross, battles.b, x)
    between = np.linalg.pinv(np.diag(meetings.sum(axis=1)) - meetings, hermitian=True)
    length = np.sqrt(np.einsum("nq,nq->q", x, x))
    length[length == 0] = 1.0
    left = (x.T @ x - cross.T @ between @ cross) / np.outer(length, length)
    if np.linalg.eigvalsh(left)[0] < IDENTIFIED:
        raise InputError(
            f"the effect of {' and '.join(controls)} could as well be that of the items, or of one "
            "another",
            fix="leave out a --control, or compare pairs in both orders",
        )


def label(battles: Battles, name: str) -> NDArray[np.int64]:
    """Return the codes of a label.

    Raises
    ------
    InputError
        If the battles do not have it.
    """
    if name not in battles.labels:
        known = ", ".join(battles.labels) or "none"
        raise InputError(f"the battles have no label {name!r}", fix=f"there are: {known}")
    return battles.labels[name]
