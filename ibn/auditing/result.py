"""What an audit finds, as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.contradictions import Contradictions
from ibn.auditing.effort import Effort, effort_for
from ibn.auditing.held_out import LearningCurve
from ibn.auditing.learned import LabelFindings
from ibn.auditing.listing import UncertainPair, UncertainPrompt
from ibn.auditing.recommendation import Recommendation
from ibn.auditing.redundancy import Redundancy
from ibn.auditing.remaining import PLOTTED_PAIRS
from ibn.auditing.similarity import Components
from ibn.auditing.stages import Stages
from ibn.auditing.task_structure import TaskStructure
from ibn.auditing.uncertainty import Uncertainty
from ibn.estimate import Estimate
from ibn.preferences.near_duplicates import NearDuplicates


@dataclass(frozen=True)
class Assumptions:
    """What the figures rest on.

    Attributes
    ----------
    beta : float
        Inverse temperature of the labels, per unit of reward.
    noise : str
        Reading of a label's noise, see ``LabelNoise``.
    noise_variance : float
        σ² of a label under it, at P = 1/2.
    bias_scale : float
        Prior variance of the reward difference of two random responses. It sets the unit.
    agreement : float
        How often a label agrees with the better of two random responses if β and the scale are
        right: what to compare with annotators' agreement.
    embedding : str
        Where the embeddings come from.
    dimensions : int
        Their columns.
    metric : str
        Distance between them.
    neighbours : int
        Of each response in the neighbour graph.
    edges : int
        Edges of the neighbour graph, links included.
    recall : float
        Share of the true nearest neighbours that the graph ties, measured on a sample where they
        are sought approximately, else 1.
    recall_stderr : float
        Its standard error; 0 where it was not measured.
    exact : bool
        Whether uncertainty before and after the labels covers all pairs without sampling error.
    """

    beta: float
    noise: str
    noise_variance: float
    bias_scale: float
    agreement: float
    embedding: str
    dimensions: int
    metric: str
    neighbours: int
    edges: int
    recall: float
    recall_stderr: float
    exact: bool


@dataclass(frozen=True, eq=False)
class Audit:
    """The uncertainty of a preference dataset.

    Attributes
    ----------
    source : str
        The file.
    shape : str
        The columns read and what they held.
    comparisons, prompts, responses, ties : int
        How many there are; prompts and responses are distinct ones.
    reuse : float
        Mean comparisons a response; 1.0 is a pure chain.
    uses : ndarray of int
        Number of responses by how many comparisons they take part in.
    components : Components
        Connected components.
    before, after : Uncertainty
        By inductive bias alone, and with the labels.
    topologies : dict of str to Uncertainty
        What as many comparisons would leave under other topologies on the same responses; means
        over independently drawn ones.
    uncertain_pairs : tuple of UncertainPair
        The most uncertain pairs within a prompt, the most uncertain first.
    uncertain_prompts : tuple of UncertainPrompt
        The most uncertain prompts, the most uncertain first.
    redundancy : Redundancy
        How much of what is known of the compared pairs comes from elsewhere.
    contradictions : Contradictions
        Labels that disagree, and cycles.
    near_duplicates : NearDuplicates
        Prompts and responses that are nearly the same.
    structure : TaskStructure, optional
        The structural function of the responses; ``None`` where there are too few.
    recommendations : tuple of Recommendation
        What to do next, the largest relative effect first, also what would not help.
    curve : LearningCurve, optional
        Variance against the number of comparisons; ``None`` where there are too few prompts.
    learned : LabelFindings, optional
        What a reward model fitted to the labels says; ``None`` where there are too few.
    assumptions : Assumptions
        What the figures rest on.
    effort : Effort, optional
        How much was computed of what is sampled; ``None`` where all pairs are.
    seconds : float
        Wall-clock time.
    compared : ndarray, shape (n, 2)
        The comparisons, for plots.
    within_variance, across_variance : ndarray
        Posterior variances of (at most so many, then random) pairs, for plots.
    position : ndarray, shape (m, 2)
        Responses on a plane: the two leading principal components of their embeddings.
    response_variance : ndarray, shape (m,)
        Mean posterior variance of each response: within its prompt where it has company, else
        against all others.
    """

    source: str
    shape: str
    comparisons: int
    prompts: int
    responses: int
    ties: int
    reuse: float
    uses: NDArray[np.int64]
    components: Components
    before: Uncertainty
    after: Uncertainty
    topologies: Mapping[str, Uncertainty]
    uncertain_pairs: tuple[UncertainPair, ...]
    uncertain_prompts: tuple[UncertainPrompt, ...]
    redundancy: Redundancy
    contradictions: Contradictions
    near_duplicates: NearDuplicates
    structure: TaskStructure | None
    recommendations: tuple[Recommendation, ...]
    curve: LearningCurve | None
    learned: LabelFindings | None
    assumptions: Assumptions
    effort: Effort | None
    seconds: float
    compared: NDArray[np.int64]
    within_variance: NDArray[np.float64]
    across_variance: NDArray[np.float64]
    position: NDArray[np.float64]
    response_variance: NDArray[np.float64]

    @property
    def remaining(self) -> float:
        """Share of the decisive prior variance that the labels leave."""
        return self.after.decisive.variance.mean / self.before.decisive.variance.mean

    def to_json(self) -> dict[str, Any]:
        """Return the findings as one JSON document, without the arrays that are for plots."""
        return {
            "source": self.source,
            "shape": self.shape,
            "comparisons": self.comparisons,
            "prompts": self.prompts,
            "responses": self.responses,
            "ties": self.ties,
            "reuse": {
                "mean": self.reuse,
                "responses_by_uses": {
                    str(k): int(count) for k, count in enumerate(self.uses) if count
                },
            },
            "components": vars(self.components),
            "uncertainty": {
                "before_labels": _uncertainty(self.before),
                "after_labels": _uncertainty(self.after),
                "remaining": self.remaining,
            },
            "topologies": {name: _uncertainty(left) for name, left in self.topologies.items()},
            "most_uncertain_pairs": [vars(pair) for pair in self.uncertain_pairs],
            "most_uncertain_prompts": [vars(prompt) for prompt in self.uncertain_prompts],
            "structure": plain(self.structure),
            "redundancy": plain(self.redundancy),
            "contradictions": plain(self.contradictions),
            "near_duplicates": plain(self.near_duplicates),
            "recommendations": [
                {**plain(one), "relative": plain(one.relative), "helps": one.helps}
                for one in self.recommendations
            ],
            "learning_curve": plain(self.curve),
            "labels": plain(self.learned),
            "assumptions": vars(self.assumptions),
            "effort": plain(self.effort),
            "seconds": self.seconds,
        }


def build_result(
    stages: Stages,
    recommendations: tuple[Recommendation, ...],
    curve: LearningCurve | None,
    rng: np.random.Generator,
) -> Audit:
    """Gather what the stages found; ``seconds`` are 0 yet."""
    data, settings, similarity = stages.data, stages.settings, stages.similarity
    inspection, prior, remaining = stages.inspection, stages.prior, stages.remaining
    comparisons, m = data.comparisons, len(data.responses)
    exact, uses = m <= settings.exact, comparisons.uses
    recall = similarity.recall(rng)
    return Audit(
        source=data.source,
        shape=data.shape,
        comparisons=len(comparisons),
        prompts=len(data.prompts),
        responses=m,
        ties=0 if comparisons.winner is None else int(np.sum(comparisons.winner == 0)),
        reuse=float(uses.mean()),
        uses=np.bincount(uses),
        components=similarity.components(comparisons),
        before=prior.before,
        after=remaining.after,
        topologies=stages.layouts,
        uncertain_pairs=remaining.pairs,
        uncertain_prompts=remaining.prompts,
        redundancy=remaining.redundancy,
        contradictions=inspection.contradictions,
        near_duplicates=inspection.near_duplicates,
        structure=inspection.structure,
        recommendations=recommendations,
        learned=stages.learned.found if stages.learned else None,
        curve=curve,
        assumptions=Assumptions(
            beta=settings.beta,
            noise=settings.noise,
            noise_variance=settings.noise_variance,
            bias_scale=settings.bias_scale,
            agreement=settings.agreement,
            embedding=similarity.embedding_name,
            dimensions=similarity.embeddings.shape[1],
            metric=settings.metric,
            neighbours=min(settings.neighbours, m - 1),
            edges=len(similarity.bias.fixed.u),
            recall=recall.mean,
            recall_stderr=recall.stderr,
            exact=exact,
        ),
        effort=None if exact else effort_for(m),
        seconds=0.0,
        compared=prior.compared,
        within_variance=rng.spawn(1)[0].permutation(remaining.within)[:PLOTTED_PAIRS],
        across_variance=remaining.across,
        position=similarity.plane(settings.seed),
        response_variance=remaining.of_responses,
    )


def plain(value: Any) -> Any:
    """Turn findings into what JSON can say, without arrays, which are for plots."""
    if isinstance(value, Estimate):
        return {"mean": value.mean, "stderr": value.stderr, "count": value.count}
    if is_dataclass(value):
        held = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: plain(x) for name, x in held.items() if not isinstance(x, np.ndarray)}
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and np.isnan(value) else value


def _uncertainty(found: Uncertainty) -> dict[str, Any]:
    return {"within_prompt": plain(found.within), "across_prompts": plain(found.across)}
