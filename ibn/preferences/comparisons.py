"""Comparisons: which responses were compared with which, and what the labels said."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibn.checks import frozen, numbers, positions
from ibn.errors import InputError

EACH = "comparisons"  # what has an entry of each column


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
        Binary labels: +1 where ``a`` is preferred, -1 where ``b`` is, 0 for a tie. Where there
        are soft labels, it is what they lean to. Values of 0 and 1 alone are refused unless they
        are int8: they might be another code.
    share : ndarray of float, shape (n,), optional
        Soft labels: the share of a win that goes to ``a``, from 0 to 1; 1/2 is a tie.
    weight : ndarray of float, shape (n,), optional
        How many labels each comparison stands for, above 0; 1 each without it.

    Raises
    ------
    InputError
        If lengths differ, an index is out of range or no whole number, a label is none of its
        codes or not finite, a weight is not positive, or a response meets itself.

    Notes
    -----
    The arrays are copied and can be written to no more, so that what was checked stays so.

    Examples
    --------
    >>> import numpy as np
    >>> from ibn import Comparisons
    >>> Comparisons(np.arange(3), [0, 1], [1, 2], share=[0.75, 0.5]).winner
    array([1, 0], dtype=int8)
    """

    responses: NDArray
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    delta: NDArray[np.float64] | None = None
    winner: NDArray[np.int8] | None = None
    share: NDArray[np.float64] | None = None
    weight: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        responses = np.asarray(self.responses)
        if responses.ndim != 1:
            raise InputError(f"responses have shape {responses.shape}, not one dimension")
        a = positions("a", self.a, len(responses), of="the list of responses")
        shape = a.shape
        b = positions("b", self.b, len(responses), shape, of="the list of responses", each=EACH)
        if (same := np.flatnonzero(a == b)).size:
            raise InputError(f"comparison {same[0]} compares a response with itself")
        parts: dict[str, NDArray] = {"a": a, "b": b}
        if self.delta is not None:
            parts["delta"] = numbers("delta", self.delta, shape, each=EACH)
        if self.winner is not None:
            parts["winner"] = _winners(self.winner, shape)
        if self.share is not None:
            share = numbers("share", self.share, shape, each=EACH)
            _require("share", share, (share >= 0) & (share <= 1), "a number from 0 to 1")
            leans = np.sign(share - 0.5).astype(np.int8)
            if "winner" in parts and not np.array_equal(leans, parts["winner"]):
                raise InputError("winner and share disagree", fix="give one of the two")
            parts |= {"share": share, "winner": leans}
        if self.weight is not None:
            weight = numbers("weight", self.weight, shape, each=EACH)
            _require("weight", weight, weight > 0, "a positive number")
            parts["weight"] = weight
        for name, values in parts.items():
            object.__setattr__(self, name, frozen(values))

    def __len__(self) -> int:
        """Return the number of comparisons, n."""
        return len(self.a)

    @property
    def uses(self) -> NDArray[np.int64]:
        """How many comparisons each response takes part in, shape (m,)."""
        ends = np.concatenate([self.a, self.b])
        return np.bincount(ends, minlength=len(self.responses))

    @property
    def preferred(self) -> NDArray[np.float64]:
        """Share of each label that prefers ``a``: 1, 0, 1/2 for a tie, or as soft labels say.

        Raises
        ------
        InputError
            If there are no labels.
        """
        if self.share is not None:
            return self.share
        if self.winner is None:
            raise InputError("the comparisons have no winner")
        return (1.0 + self.winner.astype(np.float64)) / 2.0

    def labelled(
        self,
        *,
        delta: NDArray[np.float64] | None = None,
        winner: NDArray[np.int8] | None = None,
    ) -> Comparisons:
        """Return the same comparisons with these labels, and no others."""
        return replace(self, delta=delta, winner=winner, share=None)

    def select(self, chosen: ArrayLike) -> Comparisons:
        """Return some of the comparisons, by mask or position, over the same responses."""
        which = np.asarray(chosen)
        parts: dict[str, Any] = {}
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            parts[field.name] = None if value is None else value[which]
        return replace(self, **parts)


def _winners(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.int8]:
    kind = values.dtype if isinstance(values, np.ndarray) else None
    if kind is not None and kind.kind == "b":
        raise InputError(
            "winner is true and false, not +1, -1 or 0 (a tie)",
            fix="np.where(a_won, 1, -1) makes it of true and false",
        )
    given = numbers("winner", values, shape, each=EACH)
    _require("winner", np.asarray(values), np.isin(given, (-1, 0, 1)), "+1, -1 or 0 (a tie)")
    if kind != np.int8 and np.array_equal(np.unique(given), [0.0, 1.0]):
        raise InputError(
            "winner is 1 and 0 alone, which are +1 and a tie here and elsewhere +1 and -1",
            fix="np.where(winner == 1, 1, -1) where 0 says that b won; as int8 where 0 is a tie",
        )
    return given.astype(np.int8)


def _require(name: str, values: NDArray, fine: NDArray[np.bool_], what: str) -> None:
    if not np.all(fine):
        at = np.flatnonzero(~fine)[0]
        raise InputError(f"{name} {at} is {values[at]}, not {what}")
