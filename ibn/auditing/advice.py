"""Something to do next, and what it would change."""

from __future__ import annotations

from dataclasses import dataclass

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
        What the same labels would be spent on otherwise.
    otherwise : Estimate, optional
        The value after that.
    supported : bool
        Whether the model that the effect is computed in foretells held-out labels at all.
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
