"""What biases a leaderboard: probes, each with an effect, an interval and what to do.

A probe is flagged where its whole interval lies beyond a size that matters, which its constant
names, so that chance alone seldom flags a sound board.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from ibn.leaderboard.battles import Battles, tally
from ibn.leaderboard.board import Leaderboard, rank
from ibn.leaderboard.bradley_terry import Fit, Floats, fit
from ibn.leaderboard.intervals import deviations
from ibn.leaderboard.probe import Probe
from ibn.leaderboard.spread import FEWEST_CLUSTERS, scores, spread
from ibn.leaderboard.standing import listed
from ibn.leaderboard.tie_models import Davidson

POSITION_MATTERS = 0.05  # log-odds: 1.2 points of a win rate between equals
TIES_MATTER = 0.2  # log-odds of a tie
CYCLE_MATTERS = 0.2  # log-odds around three items
DRIFT_MATTERS = 0.1  # log-odds between the two halves
CLUSTERS_MATTER = 1.15  # factor of standard errors
DUPLICATES_MATTER = 0.01  # share of the battles
WASTE_MATTERS = 1.5  # factor of the mean variance
UNRESOLVED_MATTERS = 0.25  # share of neighbours
FEW_BATTLES, FEW_OPPONENTS = 30, 2
SHUFFLES, FEW_SHUFFLES = 200, 5
MOST_IN_CYCLES = 100  # items with the most battles, among which cycles are sought
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Evidence:
    """What all probes look at."""

    battles: Battles
    board: Leaderboard
    fitted: Fit
    seed: int

    @property
    def names(self) -> list[str]:
        """The items."""
        return list(self.battles.names)


def probe(battles: Battles, board: Leaderboard, *, seed: int = 0) -> list[Probe]:
    """Run all probes.

    Parameters
    ----------
    battles : Battles
    board : Leaderboard
        Of them.
    seed : int
        Of the shuffles.
    """
    evidence = Evidence(battles, board, fit(tally(battles), jeffreys=True), seed)
    return [run(evidence) for run in PROBES]


def _unknown(name: str, question: str, why: str) -> Probe:
    return Probe(name, question, None, None, None, False, why)


def _beyond(low: float, high: float, size: float) -> bool:
    """Whether an interval lies wholly beyond -size to size."""
    return low > size or high < -size


def _widest(z: Floats, error: Floats, comparisons: int) -> tuple[int, float, float, float]:
    """Find the effect furthest from 0 in standard errors, with an interval for all of them."""
    best = int(np.argmax(np.abs(z)))
    half = float(norm.isf((1.0 - LEVEL) / 2.0 / comparisons) * error[best])
    effect = float(z[best] * error[best])
    return best, effect, effect - half, effect + half


def position(evidence: Evidence) -> Probe:
    """Is the item that is shown first preferred for it?"""
    name, question = "position", "Is the item that stands first preferred for standing first?"
    battles = evidence.battles
    k = len(battles.names)
    code = np.minimum(battles.a, battles.b) * k + np.maximum(battles.a, battles.b)
    forward = battles.a < battles.b
    pair = np.unique(code, return_inverse=True)[1]
    ahead, all_of = np.bincount(pair, forward), np.bincount(pair)
    both = all_of[(ahead > 0) & (ahead < all_of)].sum() / len(battles)
    if both < 0.2 or not 0.2 <= forward.mean() <= 0.8:
        why = f"{both:.0%} of the battles are of pairs seen in both orders: sides say nothing"
        return _unknown(name, question, why)
    corrected = rank(battles, controls=["position"], prior="on", draws=100)
    effect = corrected.effects["position"]
    low, high = effect.interval
    moved = _reversed(evidence.board, corrected.rewards)
    flagged = _beyond(low, high, POSITION_MATTERS)
    found = f"Standing first is worth {effect.value:+.3f} of log-odds"
    found += f"; {moved} separated pairs turn round without it." if moved else "."
    advice = "Rank with --control position, and show each pair in either order." if flagged else ""
    return Probe(name, question, effect.value, low, high, flagged, found, advice)


def _reversed(board: Leaderboard, other: Floats) -> int:
    """Count the pairs that the board separates and other rewards order the other way."""
    reach = board.pair_width * deviations(board.spread, board.standing.group)
    sure = board.centre[:, None] - board.centre > reach
    return int(np.count_nonzero(sure & (other[:, None] < other)))


def ties(evidence: Evidence) -> Probe:
    """Do some items tie more often than equal items of their strength would?"""
    name, question = "ties", "Does an item tie more, or less, than its strength explains?"
    battles = evidence.battles
    k = len(battles.names)
    rows = tally(battles)
    if rows.score[1].sum() < 20 or rows.score[[0, 2]].sum() < 20:
        return _unknown(name, question, "fewer than 20 ties, or decided battles")
    fitted = fit(rows, Davidson(), jeffreys=True)
    chance = np.exp(fitted.slopes.log_chance[1])
    excess = rows.score[1] - rows.weight * chance
    variance = rows.weight * chance * (1.0 - chance)

    def by_item(values: Floats) -> Floats:
        return np.asarray(
            np.bincount(rows.a, values, k) + np.bincount(rows.b, values, k), np.float64
        )

    information = by_item(variance)
    seen = by_item(rows.weight) >= FEW_BATTLES
    if not seen.any():
        return _unknown(name, question, f"no item has {FEW_BATTLES} battles")
    error = 1.0 / np.sqrt(information[seen])
    z = by_item(excess)[seen] * error
    best, effect, low, high = _widest(z, error, int(seen.sum()))
    item = np.flatnonzero(seen)[best : best + 1]
    others = {
        way: rank(battles, ties=way, prior="on", draws=100).rewards for way in ("drop", "davidson")
    }
    turned = max(_reversed(evidence.board, x) for x in others.values())
    flagged = _beyond(low, high, TIES_MATTER) or turned > 0
    found = f"{listed(item, evidence.names)} ties {'more' if effect > 0 else 'less'} than its "
    found += f"strength explains, by {effect:+.2f} of log-odds; {turned} separated pairs turn "
    found += "round where ties are dropped or modelled (Davidson)."
    advice = "Say how ties are counted; look at --ties drop and --ties davidson." if flagged else ""
    return Probe(name, question, effect, low, high, flagged, found, advice)


def cycles(evidence: Evidence) -> Probe:
    """Look for A that beats B, B that beats C and C that beats A, beyond chance."""
    name, question = "cycles", "Do three items beat each other in a circle?"
    battles, board = evidence.battles, evidence.board
    k = len(battles.names)
    rows = tally(battles)
    decided = rows.score[0] + rows.score[2]  # a draw-prone item is no circle
    share = (rows.score[0] + 0.5) / (decided + 1.0)
    odds = np.log(share / (1.0 - share))
    deviation = 1.0 / np.sqrt((decided + 1.0) * share * (1.0 - share))
    odds[decided == 0] = np.nan
    logit, error = np.full((k, k), np.nan), np.full((k, k), np.nan)
    logit[rows.a, rows.b], logit[rows.b, rows.a] = odds, -odds
    error[rows.a, rows.b] = error[rows.b, rows.a] = deviation
    most = np.argsort(-np.bincount(rows.a, rows.weight, k) - np.bincount(rows.b, rows.weight, k))
    among = list(combinations(np.sort(most[:MOST_IN_CYCLES]), 3))
    i, j, h = np.array(among, dtype=np.int64).reshape(-1, 3).T
    curl = logit[i, j] + logit[j, h] + logit[h, i]
    spread_of = np.sqrt(error[i, j] ** 2 + error[j, h] ** 2 + error[h, i] ** 2)
    met = np.isfinite(curl)
    if not met.any():
        return _unknown(name, question, "no three items have all met")
    best, effect, low, high = _widest((curl / spread_of)[met], spread_of[met], int(met.sum()))
    items = np.array([x[met][best] for x in (i, j, h)])
    flagged = _beyond(low, high, CYCLE_MATTERS)
    order = items if effect > 0 else items[::-1]
    beats = " over ".join(listed(x, board.names) for x in (*order[:, None], order[:1]))
    found = f"The strongest circle of {met.sum():,} is {beats}: {abs(effect):.2f} of log-odds."
    advice = "One reward an item cannot say this: rank by category (--by)." if flagged else ""
    return Probe(name, question, effect, low, high, flagged, found, advice)


def drift(evidence: Evidence) -> Probe:
    """Do items become better or worse in the course of the battles?"""
    name, question = "drift", "Does an item's reward change in the course of the battles?"
    battles = evidence.battles
    times = np.arange(len(battles)) if battles.times is None else battles.times
    early = times < np.median(times)
    if min(early.sum(), (~early).sum()) < 2 * len(battles.names):
        return _unknown(name, question, "too few battles, or all at one time")
    halves = []
    for chosen in (battles.take(early), battles.take(~early)):
        rows = tally(chosen)
        fitted = fit(rows, jeffreys=True)
        halves.append((fitted.rewards, np.diagonal(spread(rows, fitted, halves=True))))
    (before, first), (after, second) = halves
    error = np.sqrt(first + second)
    known = error > 0
    change, error = (after - before)[known], error[known]
    best, effect, low, high = _widest(change / error, error, len(error))
    flagged = _beyond(low, high, DRIFT_MATTERS)
    by = "time" if battles.times is not None else "their order in the file"
    found = (
        f"{listed(np.flatnonzero(known)[best : best + 1], evidence.names)} changes most between "
    )
    found += f"the first and the second half by {by}: {effect:+.2f}."
    advice = "Rank the halves apart; an item, or the judges, changed." if flagged else ""
    return Probe(name, question, effect, low, high, flagged, found, advice)


def clusters(evidence: Evidence) -> Probe:
    """Do battles of one judge, or on one prompt, agree more than battles at large?"""
    name, question = "clusters", "Are the battles of one judge, or on one prompt, alike?"
    battles = evidence.battles
    rows = tally(battles)
    each = scores(battles, rows, evidence.fitted, np.arange(len(battles)))
    alone = np.square(each @ evidence.fitted.covariance).sum(axis=1)
    found: tuple[float, float, float, str] | None = None
    for label in ("judge", "prompt"):
        codes = battles.labels.get(label)
        if codes is None or len(np.unique(codes)) < FEWEST_CLUSTERS:
            continue
        codes = np.unique(codes, return_inverse=True)[1]
        together = np.square(
            scores(battles, rows, evidence.fitted, codes) @ evidence.fitted.covariance
        ).sum(axis=1)
        apart = np.bincount(codes, alone)
        ratio = together.sum() / apart.sum()
        count = len(apart)
        residual = together - ratio * apart
        error = np.sqrt(count / (count - 1) * np.square(residual).sum()) / apart.sum()
        low, high = np.sqrt(ratio * np.exp(norm.isf(0.025) * error / ratio * np.array([-1, 1])))
        if found is None or ratio > found[0] ** 2:
            found = (float(np.sqrt(ratio)), float(low), float(high), label)
    if found is None:
        return _unknown(name, question, f"no judges or prompts, or fewer than {FEWEST_CLUSTERS}")
    effect, low, high, label = found
    flagged = low > CLUSTERS_MATTER
    text = f"Standard errors are {effect:.2f} times as large when the battles of one {label} are "
    advice = f"Rank with --cluster {label}." if flagged else ""
    return Probe(name, question, effect, low, high, flagged, text + "taken together.", advice)


def influence(evidence: Evidence) -> Probe:
    """Ask whether one judge moves the board."""
    name, question = "influence", "Does one judge move the board more than its share of battles?"
    battles, board = evidence.battles, evidence.board
    codes = battles.labels.get("judge")
    if codes is None or len(np.unique(codes)) < FEWEST_CLUSTERS:
        return _unknown(name, question, f"no judges, or fewer than {FEWEST_CLUSTERS}")
    values, codes = np.unique(codes, return_inverse=True)
    rows = tally(battles)
    order = np.argsort(-board.centre)
    neighbours = np.stack([order[:-1], order[1:]])
    rng = np.random.default_rng(evidence.seed)

    def shifts(codes: NDArray[np.int64]) -> Floats:
        moved = scores(battles, rows, evidence.fitted, codes) @ evidence.fitted.covariance
        return np.abs(moved[:, neighbours[0]] - moved[:, neighbours[1]])

    apart = deviations(board.spread, board.standing.group)[neighbours[0], neighbours[1]]
    found = shifts(codes) / apart
    by_chance = [float((shifts(rng.permutation(codes)) / apart).max()) for _ in range(SHUFFLES)]
    usual = float(np.quantile(by_chance, LEVEL))
    judge, pair = np.unravel_index(int(np.argmax(found)), found.shape)
    effect = float(found[judge, pair])
    flagged = effect > usual and effect > 1.0
    who = battles.keys.get("judge", [str(x) for x in values])[values[judge]]
    share = np.bincount(codes)[judge] / len(codes)
    text = f"Judge {listed(np.array([0]), [who])} ({share:.1%} of the battles) moves "
    text += f"{listed(neighbours[:, pair], evidence.names)} apart by {effect:.1f} standard errors; "
    text += f"with judges shuffled, 95 % of boards stay below {usual:.1f}."
    advice = "Look at this judge's battles; rank without them." if flagged else ""
    return Probe(name, question, effect, None, usual, flagged, text, advice)


def duplicates(evidence: Evidence) -> Probe:
    """Are battles in the file twice?"""
    name, question = "duplicates", "Are there battles twice: one judge, one prompt, one pair?"
    battles = evidence.battles
    if not {"judge", "prompt"} <= battles.labels.keys():
        return _unknown(name, question, "needs both judge and prompt")
    low, high = np.minimum(battles.a, battles.b), np.maximum(battles.a, battles.b)
    share = np.where(battles.a < battles.b, battles.outcome, 1.0 - battles.outcome)
    rng = np.random.default_rng(evidence.seed)

    def repeated(prompt: NDArray[np.int64]) -> float:
        key = np.stack([low, high, battles.labels["judge"], prompt, share])
        return 1.0 - np.unique(key, axis=1).shape[1] / len(battles)

    prompts = battles.labels["prompt"]
    chance = np.mean([repeated(rng.permutation(prompts)) for _ in range(FEW_SHUFFLES)])
    again = repeated(prompts)
    flagged = bool(again - chance > DUPLICATES_MATTER)
    found = f"{again:.1%} of the battles repeat one of the same judge, prompt, pair and verdict; "
    found += f"{chance:.1%} would with prompts shuffled."
    advice = "Remove them, or rank with --cluster judge." if flagged else ""
    return Probe(name, question, float(again - chance), None, None, flagged, found, advice)


def connection(evidence: Evidence) -> Probe:
    """Do battles join all items?"""
    name, question = "connection", "Do battles join all items?"
    group = evidence.board.standing.group
    groups = int(group.max()) + 1
    if groups == 1:
        return Probe(name, question, 1.0, None, None, False, "All items are joined by battles.")
    small = np.flatnonzero(group != np.argmax(np.bincount(group)))
    found = f"The items fall into {groups} groups that never met: apart from the largest are "
    found += f"{listed(small, evidence.names)}. Between groups the order is unknown."
    return Probe(name, question, float(groups), None, None, True, found, "Have them meet.")


def thin(evidence: Evidence) -> Probe:
    """Are there items with few battles or few opponents?"""
    name, question = (
        "thin",
        f"Has an item under {FEW_BATTLES} battles or {FEW_OPPONENTS} opponents?",
    )
    battles = evidence.battles
    k = len(battles.names)
    rows = tally(battles)
    number = np.bincount(rows.a, rows.number, k) + np.bincount(rows.b, rows.number, k)
    opponents = np.bincount(rows.a, minlength=k) + np.bincount(rows.b, minlength=k)
    few = np.flatnonzero((number < FEW_BATTLES) | (opponents < min(FEW_OPPONENTS, k - 1)))
    if not len(few):
        least = f"The fewest are {number.min():g} battles and {opponents.min()} opponents."
        return Probe(name, question, 0.0, None, None, False, least)
    found = f"{len(few)} of {k}: {listed(few, evidence.names)}."
    advice = "ibn plan BATTLES --budget K says which battles help most."
    return Probe(name, question, float(len(few)), None, None, True, found, advice)


def balance(evidence: Evidence) -> Probe:
    """Compare the variance with that of battles spread evenly over pairs."""
    name, question = "balance", "How much surer would as many battles be, spread evenly?"
    board = evidence.board
    group = board.standing.group
    k = len(group)
    if group.any():
        return _unknown(name, question, "the items are not joined")
    gap = board.centre[:, None] - board.centre
    even = np.exp(-np.logaddexp(gap, 0.0) - np.logaddexp(-gap, 0.0))
    even *= evidence.board.battles / (k * (k - 1) / 2.0)
    np.fill_diagonal(even, 0.0)
    laplacian = np.diag(even.sum(axis=1)) - even + 1.0 / k
    ideal = np.trace(np.linalg.inv(laplacian)) - 1.0
    effect = float(np.trace(evidence.fitted.covariance[:k, :k]) / ideal)
    flagged = effect > WASTE_MATTERS
    found = f"The mean variance of differences is {effect:.2f} times that of an even spread."
    advice = "Let the next battles be those that ibn plan names." if flagged else ""
    return Probe(name, question, effect, None, None, flagged, found, advice)


def separation(evidence: Evidence) -> Probe:
    """How much of the order is supported?"""
    name, question = "separation", "How many neighbours can be told apart?"
    board = evidence.board
    order = np.argsort(-board.centre)
    upper, lower = order[:-1], order[1:]
    reach = board.pair_width * deviations(board.spread, board.standing.group)
    sure = board.centre[upper] - board.centre[lower] > reach[upper, lower]
    effect = float(1.0 - sure.mean())
    flagged = effect > UNRESOLVED_MATTERS
    found = f"{sure.sum()} of {len(sure)} neighbours are told apart."
    advice = "Quote the intervals of the ranks; ibn plan says what would help." if flagged else ""
    return Probe(name, question, effect, None, None, flagged, found, advice)


PROBES: tuple[Callable[[Evidence], Probe], ...] = (
    position,
    ties,
    cycles,
    clusters,
    influence,
    drift,
    duplicates,
    connection,
    thin,
    balance,
    separation,
)
