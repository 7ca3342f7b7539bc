"""What an audit finds, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.effort import Effort, effort_for
from ibn.auditing.gate import Gate
from ibn.auditing.learned import LabelFindings
from ibn.auditing.recommendation import Recommendation
from ibn.auditing.remaining import PLOTTED_PAIRS
from ibn.auditing.similarity import Components
from ibn.auditing.stages import Stages
from ibn.auditing.uncertainty import Uncertainty
from ibn.estimate import Estimate
from ibn.plurals import count_of
from ibn.results import Result, Table, plain, standing_at


@dataclass(frozen=True, eq=False, repr=False)
class Audit(Result, Stages):
    """The uncertainty of a preference dataset: what the stages found, and what follows from it.

    Attributes
    ----------
    data, settings, similarity, inspection, prior, posterior, layouts, learned
        As of :class:`ibn.auditing.stages.Stages`: ``prior.before`` is the uncertainty by inductive
        bias alone, and ``posterior.after`` that with the labels.
    recommendations : tuple of Recommendation
        What to do next, labels of most worth first, also what would not help.
    components : Components
        Connected components.
    recall : Estimate
        Share of the true nearest neighbours that the graph ties, measured on a sample where they
        are sought approximately, else 1.
    effort : Effort, optional
        How much was computed of what is sampled; ``None`` where all pairs are.
    within_variance : ndarray
        Posterior variances of (at most so many, then random) pairs within a prompt, for plots.
    seconds : float
        Wall-clock time.
    gate : Gate, optional
        Whether a limit is kept, where one was given.
    """

    recommendations: tuple[Recommendation, ...]
    components: Components
    recall: Estimate
    effort: Effort | None
    within_variance: NDArray[np.float64]
    seconds: float
    gate: Gate | None = None

    endings = (".html", ".htm")
    picture = "ibn.report.audit_page:draw_summary"

    @property
    def headline(self) -> str:
        """How much there is, and how much of the uncertainty the labels leave."""
        report = self.data.report
        lost = f", {report.skipped_count:,} rows or parts left out" if report.skipped else ""
        kind = "within" if self.prior.before.within else "across"
        return (
            f"{Path(self.data.source).name}: {count_of(len(self.data.comparisons), 'comparison')} "
            f"of {count_of(len(self.data.responses), 'response')} to "
            f"{count_of(len(self.data.prompts), 'prompt')}{lost}; "
            f"the labels leave {self.remaining:.1%} of the uncertainty {kind} prompts"
        )

    @property
    def remaining(self) -> float:
        """Share of the decisive prior variance that the labels leave."""
        before, after = self.prior.before, self.posterior.after
        return after.decisive.variance.mean / before.decisive.variance.mean

    @cached_property
    def uses(self) -> NDArray[np.int64]:
        """Number of responses by how many comparisons they take part in."""
        return np.bincount(self.data.comparisons.uses)

    @property
    def reuse(self) -> float:
        """Mean comparisons a response; 1.0 is a pure chain."""
        return float(self.data.comparisons.uses.mean())

    @property
    def labels(self) -> LabelFindings | None:
        """What a reward model fitted to the labels says; ``None`` where there are too few."""
        return self.learned.found if self.learned else None

    def to_json(self) -> dict[str, Any]:
        """Return the findings as one JSON document, without the arrays that are for plots."""
        data, posterior, winner = self.data, self.posterior, self.data.comparisons.winner
        return {
            "source": data.source,
            "shape": data.shape,
            "comparisons": len(data.comparisons),
            "prompts": len(data.prompts),
            "responses": len(data.responses),
            "ties": 0 if winner is None else int(np.sum(winner == 0)),
            "reuse": {
                "mean": self.reuse,
                "responses_by_uses": {
                    str(k): int(count) for k, count in enumerate(self.uses) if count
                },
            },
            "components": vars(self.components),
            "uncertainty": {
                "before_labels": _uncertainty(self.prior.before),
                "after_labels": _uncertainty(posterior.after),
                "remaining": self.remaining,
            },
            "topologies": {name: _uncertainty(left) for name, left in self.layouts.items()},
            "most_uncertain_pairs": [vars(pair) for pair in posterior.pairs],
            "most_uncertain_prompts": [vars(prompt) for prompt in posterior.prompts],
            "structure": plain(self.inspection.structure),
            "redundancy": plain(posterior.redundancy),
            "contradictions": plain(self.inspection.contradictions),
            "near_duplicates": plain(self.inspection.near_duplicates),
            "recommendations": [
                {**plain(one), "times": one.times, "helps": one.helps}
                for one in self.recommendations
            ],
            "labels": plain(self.labels),
            "assumptions": self._assumptions(),
            "effort": plain(self.effort),
            "seconds": self.seconds,
            **({"gate": vars(self.gate)} if self.gate else {}),
        }

    def tables(self) -> dict[str, Table]:
        """Return what each layout leaves uncertain, what to do next, and where it is."""
        posterior = self.posterior
        layouts = {"no labels": self.prior.before, "this data": posterior.after, **self.layouts}
        return {
            "uncertainty": [_row(name, left) for name, left in layouts.items()],
            "recommendations": [
                {**plain(one), "times": one.times, "helps": one.helps}
                for one in self.recommendations
            ],
            "prompts": [plain(prompt) for prompt in posterior.prompts],
            "pairs": [plain(pair) for pair in posterior.pairs],
        }

    def _inputs(self) -> tuple[str, ...]:
        return (self.data.source, self.similarity.embedding_file)

    def _write(self, path: Path, ending: str, *, show_texts: bool = False) -> None:
        """Write the report, one page; with ``show_texts`` it quotes the last words of prompts."""
        write = standing_at("ibn.report.audit_page:write_report")
        write(self, path, self.data if show_texts else None, self.gate and vars(self.gate))

    def _assumptions(self) -> dict[str, Any]:
        """Say what the figures rest on."""
        settings, similarity = self.settings, self.similarity
        return {
            "beta": settings.beta,
            "noise": settings.noise,
            "noise_variance": settings.noise_variance,
            "bias_scale": settings.bias_scale,
            "agreement": settings.agreement,
            "embedding": similarity.embedding_name,
            "dimensions": similarity.embeddings.shape[1],
            "metric": settings.metric,
            "neighbours": min(settings.neighbours, len(self.data.responses) - 1),
            "edges": len(similarity.bias.fixed.u),
            "recall": self.recall.mean,
            "recall_stderr": self.recall.stderr,
            "exact": self.effort is None,
        }


def build_result(
    stages: Stages,
    recommendations: tuple[Recommendation, ...],
    rng: np.random.Generator,
) -> Audit:
    """Add to the stages what follows from them; ``seconds`` are 0 yet."""
    m = len(stages.data.responses)
    return Audit(
        **vars(stages),
        recommendations=recommendations,
        recall=stages.similarity.recall(rng),
        components=stages.similarity.components(stages.data.comparisons),
        effort=None if m <= stages.settings.exact else effort_for(m),
        within_variance=rng.spawn(1)[0].permutation(stages.posterior.within)[:PLOTTED_PAIRS],
        seconds=0.0,
    )


def _row(layout: str, left: Uncertainty) -> dict[str, Any]:
    """Lay what a layout leaves out as a row of a table."""
    row: dict[str, Any] = {"layout": layout}
    for quantity in ("variance", "distance"):
        for kind in ("within", "across"):
            if pairs := getattr(left, kind):
                value = getattr(pairs, quantity)
                row[f"{quantity}_{kind}"] = value.mean
                row[f"{quantity}_{kind}_stderr"] = value.stderr
    return row


def _uncertainty(found: Uncertainty) -> dict[str, Any]:
    return {"within_prompt": plain(found.within), "across_prompts": plain(found.across)}
