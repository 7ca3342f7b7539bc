"""A recommendation: labels to buy, what they would bring, and what as many random ones would."""

from __future__ import annotations

from dataclasses import dataclass

LEAST = 1.1  # random labels that a label must be worth to be recommended


@dataclass(frozen=True)
class Recommendation:
    """Labels to buy, and the pair accuracy on new prompts that they are expected to bring."""

    action: str
    title: str  # what to do, in words
    why: str  # what the figures rest on, in a sentence
    command: str  # that does it, as it can be typed
    labels: int  # that it costs
    # now, then, otherwise: pair accuracy as things are, with these labels, and with as many of
    # random pairs within prompts
    now: float
    then: float
    otherwise: float
    worth: float  # random labels that bring as much
    worth_range: tuple[float, float]  # at the ends of the 95 % interval of the fitted scale
    supported: bool = True  # whether the fitted model predicts held-out labels at all

    @property
    def times(self) -> float:
        """Random labels that one of these is worth."""
        return self.worth / self.labels

    @property
    def helps(self) -> bool:
        """Whether these labels bring clearly more than random ones, by a model that predicts."""
        return self.supported and self.worth_range[0] > LEAST * self.labels
