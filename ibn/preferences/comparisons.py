"""Comparisons: which responses were compared with which, and what the labels said."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError


@dataclass(frozen=True, eq=False)
class Comparisons:
    """A set of pairwise comparisons over a list of responses.

    Attributes
    ----------
    responses : ndarray, shape (m,)
        The distinct responses: addresses of a simulated world, texts, or row numbers.
    a, b : ndarray of int, shape (n,)
        The two sides of each comparison, as positions in ``responses``; ``a != b``.
    delta : ndarray of float, shape (n,), optional
        Continuous labels: how much better ``a`` is than ``b``.
    winner : ndarray of int8, shape (n,), optional
        Binary labels: +1 where ``a`` is preferred, -1 where ``b`` is, 0 for a tie.

    Raises
    ------
    InputError
        If lengths differ, an index is out of range or a response meets itself.
    """

    responses: NDArray
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    delta: NDArray[np.float64] | None = None
    winner: NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        a, b = (np.ascontiguousarray(x, dtype=np.int64) for x in (self.a, self.b))
        object.__setattr__(self, "a", a)
        object.__setattr__(self, "b", b)
        for name in ("b", "delta", "winner"):
            label = getattr(self, name)
            if label is not None and len(label) != len(a):
                raise InputError(f"{name} has {len(label)} entries for {len(a)} comparisons")
        if len(a) and (min(a.min(), b.min()) < 0 or max(a.max(), b.max()) >= len(self.responses)):
            raise InputError("a comparison names a response outside the list of responses")
        if (same := np.flatnonzero(a == b)).size:
            raise InputError(f"comparison {same[0]} compares a response with itself")

    def __len__(self) -> int:
        """Return the number of comparisons, n."""
        return len(self.a)

    @property
    def uses(self) -> NDArray[np.int64]:
        """How many comparisons each response takes part in, shape (m,)."""
        ends = np.concatenate([self.a, self.b])
        return np.bincount(ends, minlength=len(self.responses))

    def labelled(
        self,
        *,
        delta: NDArray[np.float64] | None = None,
        winner: NDArray[np.int8] | None = None,
    ) -> Comparisons:
        """Return the same comparisons with these labels."""
        return replace(self, delta=delta, winner=winner)
