"""Who wins against the chain on the synthetic language, and which measure says so beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from ibn.bias.ultrametric import Ultrametric
from ibn.estimate import Estimate
from ibn.figures.report_tables import Cell, Table
from ibn.preferences.noise import LabelNoise
from ibn.report.style import BLUE, COLUMN, GREEN, GREY, ORANGE, PURPLE, SKY
from ibn.simulations.language.outcomes import RECORD, WINS, Outcome, load
from ibn.simulations.language.rules import RULES, scores
from ibn.topology import default_leaves

TITLE = "Who wins against the chain, and which measure of uncertainty tells"
CLAIMS = ("E6",)
RECORDS = "tournament"
NEEDS = (
    "simulations/recorded/tournament.csv, "
    "which python -m ibn.simulations.language.tournament writes"
)
PREDICTORS = {"variance": "exact variance", "distance": "path distance"}
_JUDGES = {**RULES, **PREDICTORS}
DECODERS = {"regularised": "KL-regularised", "best_of_n": "best-of-16", "rft": "RFT"}
PANELS = {
    ("gaussian-process", "regularised"): "Gaussian process,\nKL-regularised",
    ("gaussian-process", "best_of_n"): "Gaussian process,\nbest-of-16",
    ("neural", "best_of_n"): "neural network,\nbest-of-16",
}
TREES = ("tree, few leaves", "tree, many leaves", "tree, grown")
_LOOK: dict[str, dict[str, Any]] = {
    "tree, few leaves": {"color": BLUE, "marker": "^", "ms": 3.4},
    "tree, many leaves": {"color": SKY, "marker": "^", "ms": 3.4},
    "tree, grown": {"color": ORANGE, "marker": "v", "ms": 3.4},
    "stratified star": {"color": GREEN, "marker": "*", "ms": 4.2},
    "expander": {"color": PURPLE, "marker": "D", "ms": 2.4},
}


@dataclass(frozen=True)
class Duel:
    """One topology against the chain, in one setting, with one learner and decoder.

    Attributes
    ----------
    name : str
        The topology, in words.
    learner, decoder : str
        Which reward model was fitted, and the one of ``DECODERS`` that it was decoded by.
    few_labels : bool
        Whether the noise of a label is below F(n), about where regime 𝒜 ends.
    wins : Estimate
        Win rate against the chain.
    variance, distance : float
        The chain's share of both topologies' mean exact posterior variance, added up, and so for
        the mean inference distance: above 1/2 each says that the other topology wins.
    rules : dict
        By trivial rule, +1 if it says that the topology wins, -1 the chain, 0 if it is silent.
    """

    name: str
    learner: str
    decoder: str
    few_labels: bool
    wins: Estimate
    variance: float
    distance: float
    rules: dict[str, int]

    @property
    def winner(self) -> int:
        """+1 if the topology clearly wins, -1 if the chain does, 0 if neither."""
        low, high = self.wins.interval()
        return int(low > 0.5) - int(high < 0.5)

    def told(self, predictor: str) -> bool:
        """Whether a predictor or a trivial rule names the winner."""
        if predictor in RULES:
            return self.rules[predictor] == self.winner
        return bool(np.sign(getattr(self, predictor) - 0.5) == self.winner)


@cache
def duels() -> tuple[Duel, ...]:
    """Read the recorded tournament."""
    rows = load(RECORD)
    chains = {(one.setting, one.learner): one for one in rows if one.topology == "chain"}
    return tuple(
        _duel(one, chains[one.setting, one.learner], decoder)
        for one in rows
        if one.topology != "chain"
        for decoder in DECODERS
    )


def _duel(one: Outcome, chain: Outcome, decoder: str) -> Duel:
    world = Ultrametric("power", one.alpha)
    return Duel(
        _name(one),
        one.learner,
        decoder,
        LabelNoise(one.beta).variance() < float(world.structural_function(one.n)),
        one.wins[WINS.index(decoder)],
        chain.variance / (chain.variance + one.variance),
        chain.distance / (chain.distance + one.distance),
        {rule: int(np.sign(scores(chain)[rule] - score)) for rule, score in scores(one).items()},
    )


def _name(one: Outcome) -> str:
    if one.topology == "tree":
        few = one.leaves == default_leaves(one.n)
        return "tree, few leaves" if few else "tree, many leaves"
    return {"tree-grown": "tree, grown", "stratified-star": "stratified star"}.get(
        one.topology, one.topology
    )


def draw() -> Figure:
    """Draw panels of three learners and decoders, one for each predictor."""
    figure = Figure(figsize=(COLUMN, 4.9), layout="constrained")
    grid = figure.subplots(len(PANELS), len(PREDICTORS), sharex=True, sharey=True)
    for panels, (case, words) in zip(grid, PANELS.items(), strict=True):
        mine = [one for one in duels() if (one.learner, one.decoder) == case]
        for axes, predictor in zip(panels, PREDICTORS, strict=True):
            _panel(axes, mine, predictor)
            decided = [one for one in mine if one.winner]
            told = sum(one.told(predictor) for one in decided)
            named = f"{told} of {len(decided)}\nnamed"
            axes.text(0.02, 0.99, named, va="top", fontsize=6.0, transform=axes.transAxes)
        panels[0].set_ylabel(f"{words}\nwin rate", fontsize=7)
    for axes, words in zip(grid[0], PREDICTORS.values(), strict=True):
        axes.set_title(words)
    for axes in grid[-1]:
        axes.set_xlabel("chain's share")
    looks = [Line2D([], [], ls="none", **look) for look in _LOOK.values()]
    regimes = [
        Line2D([], [], ls="none", color=GREY, marker="o", ms=3.4, mfc=fill)
        for fill in (GREY, "white")
    ]
    names = [*_LOOK, "noise below $F(n)$", "noise above $F(n)$"]
    figure.legend([*looks, *regimes], names, loc="outside lower center", ncols=2)
    return figure


def _panel(axes: Axes, mine: Sequence[Duel], predictor: str) -> None:
    right: dict[str, Any] = {"color": "#f0f0f0", "lw": 0, "zorder": 0}
    for corner in (0.0, 0.5):
        axes.add_patch(Rectangle((corner, corner), 0.5, 0.5, **right))
    for one in mine:
        look = _LOOK[one.name]
        axes.errorbar(
            getattr(one, predictor),
            one.wins.mean,
            one.wins.margin(),
            **look,
            mfc=look["color"] if one.few_labels else "white",
            mew=0.6,
            elinewidth=0.6,
            capsize=0.0,
            ls="none",
        )
    axes.axhline(0.5, color=GREY, lw=0.8, zorder=1)
    axes.axvline(0.5, color=GREY, lw=0.8, zorder=1)
    rates = [one.wins.mean for one in duels()]
    axes.set_ylim(min(rates) - 0.04, max(rates) + 0.08)
    axes.set_xlim(0.0, 1.0)
    axes.set_xticks([0.0, 0.5, 1.0], ["0", "½", "1"])


def caption() -> str:
    """Say what is drawn, count who wins, and what named the winner."""
    won = " ".join(_score(decoder) for decoder in DECODERS)
    decided = [one for one in duels() if one.winner]
    told = ", ".join(f"{words} {count}" for words, count in named())
    return (
        f"Each point is a topology against the chain in one setting (α, n and label noise), judged "
        f"by the true reward, exactly a replicate; bars are 95 % intervals. Across: the chain's "
        f"share of the two topologies' uncertainty, which says that the chain wins where it is "
        f"below ½; shaded are the quarters where that is right, and written is how many of the "
        f"clear winners it names. With all learners, clear wins: {won} Of these {len(decided)} "
        f"winners each rule or measure names, the best first: {told}. The widest of the "
        f"{len(duels())} intervals is ±{max(one.wins.margin() for one in duels()):.3f}."
    )


def named() -> list[tuple[str, int]]:
    """Trivial rules and measures, each with how many clear winners it names, the best first."""
    decided = [one for one in duels() if one.winner]
    each = [(words, sum(one.told(name) for one in decided)) for name, words in _JUDGES.items()]
    return sorted(each, key=lambda one: -one[1])


def tables() -> list[Table]:
    """Tabulate what names the winners, a column a decoder."""
    decided = [one for one in duels() if one.winner]
    rows = []
    for name, words in _JUDGES.items():
        mine = [one.decoder for one in decided if one.told(name)]
        counts = [*map(mine.count, DECODERS), len(mine)]
        rows.append([Cell(words), *(Cell(str(count), "records") for count in counts)])
    counts = [sum(one.decoder == decoder for one in decided) for decoder in DECODERS]
    rows.append([Cell("clear winners"), *(Cell(str(n)) for n in (*counts, len(decided)))])
    return [Table("Clear winners named", ("", *DECODERS.values(), "all"), rows)]


def _score(decoder: str) -> str:
    counts = []
    for words, trees in (("trees", True), ("designs", False)):
        each = [o for o in duels() if o.decoder == decoder and (o.name in TREES) == trees]
        wins, losses = (sum(one.winner == side for one in each) for side in (1, -1))
        counts.append(f"{words} {wins}, chain {losses} of {len(each)}")
    return f"{DECODERS[decoder]}: {'; '.join(counts)}."
