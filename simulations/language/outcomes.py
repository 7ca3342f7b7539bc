"""Outcomes of the tournament of topologies, and their table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.outputs import write_text
from ibn.simulations.recorded import FOLDER

RECORD = FOLDER / "tournament.csv"
"""What ``ibn.simulations.language.tournament`` made on seed 0."""
LENGTH = 8  # tokens of a sequence of the tournament
WINS = ("regularised", "best_of_n", "rft")
MEASURES = (*WINS, "squared_error", "distance", "variance")


@dataclass(frozen=True)
class Outcome:
    """One setting, learner and topology, averaged over replicates.

    Every average has its standard error in the field of the same name and ``_error``.

    Attributes
    ----------
    alpha, n, beta, topology, leaves : setting
        As in :class:`ibn.simulations.language.language.Language`; ``leaves`` 0 where none.
    learner : str
        One of ``ibn.simulations.language.language.LEARNERS``.
    replicates : int
        Rewards drawn, each with a dataset of every topology, labelled twice, the second time
        with the noise of the first mirrored; a replicate's value is the mean over both, or
        over all four pairs of a rival's and a chain's.
    regularised, best_of_n, rft : float
        Win rate against the chain under each decoder; 0.5 means as good.
    squared_error : float
        Mean of (Δ(y) - Δ(y'))² over all pairs, Δ the reward model's error.
    distance, variance : float
        Mean inference distance and mean exact posterior variance on the same datasets, those of
        the first ``BATCH`` replicates.
    """

    alpha: float
    n: int
    beta: float
    topology: str
    leaves: int
    learner: str
    replicates: int
    regularised: float
    regularised_error: float
    best_of_n: float
    best_of_n_error: float
    rft: float
    rft_error: float
    squared_error: float
    squared_error_error: float
    distance: float
    distance_error: float
    variance: float
    variance_error: float

    @property
    def setting(self) -> tuple[float, int, float]:
        """What it shares with those it competes with."""
        return self.alpha, self.n, self.beta

    @property
    def wins(self) -> list[Estimate]:
        """Win rates under all decoders."""
        return [
            Estimate(getattr(self, name), getattr(self, f"{name}_error"), self.replicates)
            for name in WINS
        ]

    @property
    def widest(self) -> float:
        """Largest half width of the 95 % intervals of its win rates."""
        return max(rate.margin() for rate in self.wins)


def load(path: Path) -> list[Outcome]:
    """Read a table of outcomes.

    Raises
    ------
    InputError
        If it is no such table.
    """
    kinds = {field.name: field.type for field in fields(Outcome)}
    readers = {"float": float, "int": int, "str": str}
    with open(path, newline="") as stream:
        rows = csv.DictReader(stream)
        if rows.fieldnames != list(kinds):
            raise InputError("no table of a tournament", file=path, line=1)
        found = []
        for number, row in enumerate(rows, 2):
            try:
                values = {name: readers[str(kinds[name])](row[name]) for name in kinds}
            except (TypeError, ValueError):
                raise InputError("not a row of a tournament", file=path, line=number) from None
            found.append(Outcome(**values))
    return found


def save(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write a table of outcomes, whole or not at all."""
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, [field.name for field in fields(Outcome)])
    writer.writeheader()
    writer.writerows(asdict(outcome) for outcome in outcomes)
    write_text(path, table.getvalue())
