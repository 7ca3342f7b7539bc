"""What the texts and the answers show by themselves, before any network is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ibn.auditing.contradictions import Contradictions, find_contradictions
from ibn.auditing.settings import AuditSettings, Progress
from ibn.auditing.similarity import Similarity
from ibn.auditing.task_structure import TaskStructure, measure_structure
from ibn.preferences.near_duplicates import NearDuplicates, find_near_duplicates
from ibn.preferences.reading import PreferenceData
from ibn.threads import in_threads


@dataclass(frozen=True, eq=False)
class Inspection:
    """What the texts and the answers show."""

    near_duplicates: NearDuplicates  # prompts and responses that are nearly the same
    # the structural function of the responses; ``None`` where there are too few
    structure: TaskStructure | None
    contradictions: Contradictions  # labels that disagree, and cycles


def inspect_data(
    data: PreferenceData,
    similarity: Similarity,
    settings: AuditSettings,
    rng: np.random.Generator,
    progress: Progress,
) -> Inspection:
    """Look for near-duplicates, structure and contradictions, side by side."""
    progress("contradictions, near-duplicates and structural function")
    points, stream = similarity.graph.points, rng.spawn(1)[0]
    searches: list[Callable[[], Any]] = [
        lambda: find_near_duplicates(data, seed=settings.seed),
        lambda: measure_structure(points, settings.bias_scale, data.prompt_of, stream),
        lambda: find_contradictions(data),
    ]
    return Inspection(*in_threads(lambda find: find(), searches))
