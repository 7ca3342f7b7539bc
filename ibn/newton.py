"""Damped Newton steps up a function with one summit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ibn.errors import STIFF, InputError

MOST_STEPS = 200  # a dozen are usual; where these do not suffice rounding stands in the way
ROUNDING = 1e-12  # of the function's value: by so much a step may seem to go down

Local = TypeVar("Local")


@dataclass(frozen=True, eq=False)
class Summit(Generic[Local]):
    """Where a function is greatest."""

    point: NDArray[np.float64]
    value: float  # of the function there
    local: Local  # what the Newton step there was computed from
    steps: int  # Newton steps computed


def climb(
    start: NDArray[np.float64],
    value: Callable[[NDArray[np.float64]], float],
    newton: Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], float, Local]],
    enough: float,
    fix: str = STIFF,
) -> Summit[Local]:
    """Climb by Newton steps, each halved until it gains a quarter of what its slope promises.

    ``start``: where to begin; ``value``: the function; ``newton``: the Newton step at a point, its
    product with the gradient, and what it was computed from; ``enough``: stop where that product,
    the squared length of the step in units of the summit's own width, is no more; ``fix``: what to
    do where no summit is found. Raises InputError if no summit is found.
    """
    point, now = start, value(start)
    for step in range(1, MOST_STEPS + 1):
        move, gain, local = newton(point)
        if gain <= enough:
            return Summit(point, now, local, step)
        length, slack = 1.0, ROUNDING * abs(now)
        while (then := value(point + length * move)) < now + length * gain / 4.0 - slack:
            length /= 2.0
        point, now = point + length * move, then
    raise InputError(f"no maximum was found within {MOST_STEPS} Newton steps", fix=fix)
