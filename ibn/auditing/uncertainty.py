"""Uncertainty of reward differences, within and across prompts."""

from __future__ import annotations

from dataclasses import dataclass

from ibn.estimate import Estimate


@dataclass(frozen=True)
class PairUncertainty:
    """Mean uncertainty of reward differences over one kind of pairs, in squared units of reward.

    Attributes
    ----------
    variance : Estimate
        Mean posterior variance: every path at once (theory §6).
    distance : Estimate
        Mean inference distance: the best path alone (theory §1).
    """

    variance: Estimate
    distance: Estimate


@dataclass(frozen=True)
class Uncertainty:
    """Uncertainty of reward differences that one set of comparisons leaves.

    Attributes
    ----------
    within : PairUncertainty, optional
        Between responses to the same prompt; ``None`` where no prompt has two.
    across : PairUncertainty, optional
        Between responses to different prompts; ``None`` where there is one prompt.
    """

    within: PairUncertainty | None
    across: PairUncertainty | None

    @property
    def decisive(self) -> PairUncertainty:
        """Within prompts, since a policy answers the prompt it is given; else across."""
        chosen = self.within or self.across
        assert chosen is not None
        return chosen
