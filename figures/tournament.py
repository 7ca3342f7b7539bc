"""Who wins against the chain on the synthetic language, and which measure says so beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.figure import Figure

from ibn.bias.ultrametric import Ultrametric
from ibn.estimate import Estimate
from ibn.figures.report_tables import Cell, Table
from ibn.preferences.noise import LabelNoise
from ibn.report.style import BLUE, COLUMN, GREEN, GREY, VERMILION
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
TREES = ("tree, few leaves", "tree, many leaves", "tree, grown")
TOPOLOGIES = (*TREES, "stratified star", "expander")
_OUTCOMES = (
    ("it wins", GREEN, 1),
    ("neither, clearly", "#d0d0d0", 0),
    ("the chain wins", VERMILION, -1),
)


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
    """Draw who wins, a bar a topology, and what names the winners, a bar a rule or measure."""
    standings, judged = _standings(), named()
    rows = len(standings), len(judged)
    figure = Figure(figsize=(COLUMN, 0.2 * sum(rows) + 1.7), layout="constrained")
    above, below = figure.subplots(2, height_ratios=rows)
    place = np.arange(rows[0])[::-1]
    left = np.zeros(rows[0])
    for words, color, which in _OUTCOMES:
        count = np.array([counts[which] for counts in standings.values()])
        above.barh(place, count, left=left, color=color, label=words, height=0.7)
        left += count
    above.set_yticks(place, list(standings))
    above.set_xlabel("duels with the chain")
    figure.legend(*above.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    decided = sum(one.winner != 0 for one in duels())
    place = np.arange(rows[1])[::-1]
    colors = [BLUE if words in PREDICTORS.values() else GREY for words, _ in judged]
    bars = below.barh(place, [count for _, count in judged], color=colors, height=0.7)
    below.bar_label(bars, padding=2, size=7)
    below.set_yticks(place, [words for words, _ in judged])
    below.set_xlim(0.0, 1.15 * decided)
    below.set_xlabel(f"winners named, of {decided}")
    for axes in (above, below):
        axes.grid(visible=False, axis="y")
    return figure


def _standings() -> dict[str, dict[int, int]]:
    """By topology, how often it clearly wins (1), neither does (0), and the chain does (-1)."""
    each = {name: [one.winner for one in duels() if one.name == name] for name in TOPOLOGIES}
    return {
        name: {side: winners.count(side) for side in (1, 0, -1)} for name, winners in each.items()
    }


def caption() -> str:
    """Say what is drawn, and who wins."""
    won = " ".join(_score(decoder) for decoder in DECODERS)
    return (
        "Above: how often a topology beats the chain by the true reward, beyond 95 % intervals "
        f"(at most ±{max(one.wins.margin() for one in duels()):.3f}). Below: how many of the clear "
        f"winners each trivial rule (grey) or measure (blue) names beforehand. Clear wins: {won}"
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
