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
    """Something to do, and what it would change.

    Attributes
    ----------
    action : str
        Its short name.
    title : str
        What to do, in words.
    why : str
        What the figures rest on.
    labels : int
        Labels that it costs.
    quantity : str
        What it lowers.
    now, then : Estimate
        Its value as things are, and after.
    change : Estimate
        ``then`` minus ``now``, from samples that share their noise; so its error is smaller than
        theirs.
    against : str, optional
        What the same labels could be used for otherwise.
    otherwise : Estimate, optional
        The value after that.
    supported : bool
        Whether the model that the effect is computed in predicts held-out labels at all.
    """

    action: str
    title: str
    why: str
    labels: int
    quantity: str
    now: Estimate
    then: Estimate
    change: Estimate
    against: str | None = None
    otherwise: Estimate | None = None
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
    """Something to try on the dataset's own network.

    Attributes
    ----------
    action, title, why, labels, against
        As of the :class:`Recommendation` that answers it.
    change : Change
        What is tried.
    kind : {"within", "across"}
        The pairs whose mean variance is to fall.
    now : Estimate, optional
        That mean as things are, where it is known better than samples tell.
    instead : Change, optional
        What the same labels could be used for otherwise.
    base : Change
        What it is compared with.
    prompts : ndarray of int, optional
        The only prompts that the mean is over.
    """

    action: str
    title: str
    why: str
    labels: int
    change: Change
    kind: str
    now: Estimate | None
    against: str | None = None
    instead: Change | None = None
    base: Change = AS_IS
    prompts: NDArray[np.int64] | None = None

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
