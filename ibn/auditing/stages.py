"""What the stages before the recommendations have found, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ibn.auditing.inspection import Inspection
from ibn.auditing.learned import LearnedLabels
from ibn.auditing.prior import Prior
from ibn.auditing.remaining import Remaining
from ibn.auditing.settings import AuditSettings
from ibn.auditing.similarity import Similarity
from ibn.auditing.uncertainty import Uncertainty
from ibn.preferences.reading import PreferenceData


@dataclass(frozen=True, eq=False)
class Stages:
    """What the stages have found, in their order; ``layouts`` by name of the topology.

    ``learned`` is ``None`` where no reward model was fitted.
    """

    data: PreferenceData
    settings: AuditSettings
    similarity: Similarity
    inspection: Inspection
    prior: Prior
    posterior: Remaining
    layouts: Mapping[str, Uncertainty]
    learned: LearnedLabels | None
