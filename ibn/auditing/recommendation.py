"""A recommendation: an idea of what to do next, which asks what it would change and answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.scenarios import AS_IS, Change
from ibn.estimate import Estimate

SHARE = 0.1  # of the comparisons: what each recommendation may cost
CLEAR = 0.997  # confidence at which an effect is one: three standard errors of many draws
LEAST = 1e-3  # relative effect worth a recommendation


@dataclass(frozen=True)
class Recommendation:
    """Something to do, and what it would change."""

    action: str
    title: str  # what to do, in words
    why: str  # what the figures rest on
    labels: int  # labels that it costs
    quantity: str
    # now, then: its value as things are, and after
    now: Estimate
    then: Estimate
    # ``then`` minus ``now``, from samples that share their noise; so its error is smaller than
    # theirs
    change: Estimate
    against: str | None = None  # what the same labels could be used for otherwise
    otherwise: Estimate | None = None  # the value after that
    # whether the model that the effect is computed in predicts held-out labels at all
    supported: bool = True

    @property
    def relative(self) -> Estimate:
        """Change over ``now``."""
        now, change = self.now.mean, self.change
        return Estimate(change.mean / now, change.stderr / now, change.count)

    @property
    def helps(self) -> bool:
        """Whether it lowers the quantity, enough to matter and more than the alternative would."""
        relative = self.relative
        better = self.otherwise is None or self.then.mean < self.otherwise.mean
        return self.supported and better and relative.mean < -max(relative.margin(CLEAR), LEAST)


@dataclass(frozen=True, eq=False)
class Idea:
    """Something to try on the dataset's own network."""

    # action, title, why, labels, against: as of the :class:`Recommendation` that answers it
    action: str
    title: str
    why: str
    labels: int
    change: Change
    kind: str  # {"within", "across"}: the pairs whose mean variance is to fall
    now: Estimate | None  # that mean as things are, where it is known better than samples tell
    against: str | None = None
    instead: Change | None = None  # what the same labels could be used for otherwise
    base: Change = AS_IS  # what it is compared with
    prompts: NDArray[np.int64] | None = None  # the only prompts that the mean is over

    def asks(self) -> list[Change]:
        """List the changes that samples are needed under."""
        return [self.base, self.change, *([self.instead] if self.instead else [])]

    def answer(self, draws: Callable[[Change], NDArray[np.float64]]) -> Recommendation:
        """Say what it would change, given draws of the mean variance under each change asked."""
        before, after = draws(self.base), draws(self.change)
        moved = Estimate.of(after - before)

        def value(then: NDArray[np.float64]) -> Estimate:
            if self.now is None:
                return Estimate.of(then)
            return _moved(self.now, Estimate.of(then - before))

        unlabelled = "" if self.prompts is None else " that have no labels yet"
        return Recommendation(
            self.action,
            self.title,
            self.why,
            self.labels,
            f"mean posterior variance {self.kind} prompts{unlabelled}",
            self.now or Estimate.of(before),
            value(after),
            moved,
            self.against,
            value(draws(self.instead)) if self.instead else None,
        )


def _moved(value: Estimate, change: Estimate) -> Estimate:
    """Add a change to a value: where the value is exact, the change alone has an error."""
    stderr = float(np.hypot(value.stderr, change.stderr))
    return Estimate(value.mean + change.mean, stderr, change.count)
