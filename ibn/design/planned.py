"""A plan: comparisons to label next, what they are expected to bring, and the file they go to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.design.candidates import rows_behind
from ibn.design.control import PLANNED, RANDOM, ControlFindings
from ibn.design.forecast import Forecast
from ibn.design.greedy import Design
from ibn.design.prompts_in_need import prompts_in_need
from ibn.errors import InputError, unknown_name
from ibn.estimate import Estimate
from ibn.learner.reward_model import RewardModel
from ibn.preferences.files import SUFFIXES
from ibn.preferences.labelling_tools import TOOLS
from ibn.preferences.reading import PreferenceData
from ibn.preferences.replacing import keep_labels
from ibn.preferences.writing import carried, comparison_records, said, write_records
from ibn.results import Result, Table, plain

CHOSEN_BY = "chosen_by"
OWN = ("expected_reduction", "probability_a", CHOSEN_BY, "relabel")
SUPERSEDED = {*OWN, *(f"original_{name}" for name in OWN)}  # what an earlier plan said of a pair


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Result):
    """Comparisons to label next, and what they are expected to bring.

    Attributes
    ----------
    data : PreferenceData
        The labelled data, its responses followed by those that only candidates name.
    model : RewardModel
        Fitted to the labels so far.
    design : Design
        The comparisons, positions in ``data.responses``; the random ones among them first.
    probability : ndarray, shape (K,)
        That the first response of each is preferred, as predicted.
    pairs, target : {"within", "any"}
        Which pairs were candidates ("given" where a file listed them), and over which the
        posterior variance is averaged.
    candidates : int
        How many pairs could be chosen.
    random : Estimate
        The mean posterior variance expected after as many random ones of the same candidates.
    again : ndarray of bool, shape (K,)
        Which of the comparisons have a label already and are to get one more.
    forecast : Forecast
        What the planned labels are expected to bring beyond as many random ones, on new prompts.
    offered : PreferenceData, optional
        What the pairs are from, rows that wait for a label included; ``data`` where not given.
    control : ControlFindings, optional
        What the labels of earlier plans brought.
    sources : tuple of str
        The files that were read.
    """

    data: PreferenceData
    model: RewardModel
    design: Design
    probability: NDArray[np.float64]
    pairs: str
    target: str
    candidates: int
    random: Estimate
    again: NDArray[np.bool_]
    forecast: Forecast
    offered: PreferenceData | None = None
    control: ControlFindings | None = None
    sources: tuple[str, ...] = ()

    endings = tuple(suffix + gz for suffix in SUFFIXES for gz in ("", ".gz"))
    picture = "ibn.report.plan_figure:draw_plan"

    @property
    def headline(self) -> str:
        """How many were chosen, and what they are expected to leave uncertain."""
        return (
            f"{len(self.design.pairs):,} of {self.candidates:,} candidates; mean posterior "
            f"variance {self.design.before:.4g} now, {self.design.after:.4g} when they are "
            f"labelled, {self.random.mean:.4g} ± {self.random.stderr:.1g} after as many at random"
        )

    @property
    def order(self) -> NDArray[np.int64]:
        """Order of the file: random picks mixed with the others, so that a part of it has both."""
        count = len(self.design.pairs)
        if not self.design.control.any():
            return np.arange(count)
        return np.random.default_rng(count).permutation(count)

    def to_json(self) -> dict[str, Any]:
        """Return what ``ibn plan --json`` prints, but for the file that it writes."""
        design, order = self.design, self.order
        document = {
            "source": self.data.source,
            "labels": len(self.data.comparisons),
            "responses": len(self.data.responses),
            "budget": len(design.pairs),
            "candidates": self.candidates,
            "pairs": self.pairs,
            "target": self.target,
            "scale": self.model.scale,
            "beta": self.model.beta,
            "relabels": int(self.again.sum()),
            "random_picks": int(design.control.sum()),
            "forecast": plain(self.forecast),
            "variance": {
                "before": design.before,
                "planned": design.after,
                "random": plain(self.random),
            },
            "comparisons": [
                {"a": a, "b": b, "expected_reduction": reduction, "probability_a": probability}
                for (a, b), reduction, probability in zip(
                    design.pairs[order].tolist(),
                    design.reduction[order].tolist(),
                    self.probability[order].tolist(),
                    strict=True,
                )
            ],
        }
        if self.control is not None:
            document["control"] = {**plain(self.control), "verdict": self.control.verdict}
        return document

    def tables(self) -> dict[str, Table]:
        """Return the comparisons as they are written, and the variances expected."""
        design, random = self.design, self.random
        rows = (
            ("now", design.before, 0.0),
            ("at random", random.mean, random.stderr),
            ("planned", design.after, 0.0),
        )
        return {
            "comparisons": list(self.records()),
            "variance": [
                {"labels": name, "variance": mean, "stderr": stderr} for name, mean, stderr in rows
            ],
        }

    def records(self) -> Iterator[dict[str, Any]]:
        """Lay the comparisons out as they are written, with an empty column ``winner``."""
        pairs, order = self.design.pairs, self.order
        columns: dict[str, Any] = {
            "expected_reduction": self.design.reduction.tolist(),
            "probability_a": self.probability.tolist(),
            "winner": [""] * len(pairs),
            CHOSEN_BY: np.where(self.design.control, RANDOM, PLANNED).tolist(),
        }
        if self.again.any():
            columns["relabel"] = self.again.tolist()
        offered = self.offered or self.data
        rows = rows_behind(offered, pairs)
        kept = {} if rows is None else carried(offered, rows, "ab", columns)
        kept = {name: values for name, values in kept.items() if name not in SUPERSEDED}
        mixed = {name: [values[i] for i in order] for name, values in {**columns, **kept}.items()}
        yield from comparison_records(self.data, pairs[order], mixed)

    def prompts(self) -> Table:
        """List as many prompts as comparisons, those first whose responses are known the least."""
        data = self.data
        count = np.bincount(data.prompt_of, minlength=len(data.prompts))
        which, variance = prompts_in_need(self.model, data.prompt_of)
        which = which[: len(self.design.pairs)]
        spoken = said(data.prompt_messages) or data.prompts
        return [
            {
                "prompt": spoken[p],
                "responses": int(count[p]),
                "variance": float(v) if np.isfinite(v) else None,
            }
            for p, v in zip(which.tolist(), variance.tolist(), strict=False)
        ]

    def _inputs(self) -> tuple[str, ...]:
        return self.sources or (self.data.source,)

    def _write(self, path: Path, ending: str, *, tool: str | None = None) -> None:
        """Write the comparisons, as a labelling ``tool`` takes them if one is named."""
        check_tool(tool, path)
        records = self.records()
        if tool is not None:
            records = (TOOLS[tool](number, record) for number, record in enumerate(records, 1))
        keep_labels(path)
        write_records(path, records, by_people=True)


def check_tool(tool: str | None, path: object) -> None:
    """Refuse a labelling tool that there is not, or a file that it does not take."""
    if tool is None:
        return
    if tool not in TOOLS:
        raise unknown_name("labelling tool", tool, TOOLS)
    if not str(path).endswith(".json"):
        raise InputError(f"{tool} takes JSON", file=path, fix="name a .json file")
