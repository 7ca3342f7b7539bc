"""Values given to the library's constructors and functions: as they should be, or an InputError."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError, unknown_name


def numbers(
    name: str,
    values: Any,
    shape: tuple[int | None, ...] = (None,),
    *,
    infinite: bool = False,
    each: str = "",
) -> NDArray[np.float64]:
    """Return an array of real numbers of a shape, in which ``None`` is any length.

    ``each``: what each is a number of, for the error.

    Raises InputError if it is none, a number is NaN, or infinite where that is not allowed.
    """
    given = _array(name, values, "iuf", "real numbers", len(shape))
    _fit(name, given, shape, each)
    found = given.astype(np.float64, copy=False)
    fine = ~np.isnan(found) if infinite else np.isfinite(found)
    if not fine.all():
        at = tuple(int(i) for i in np.argwhere(~fine)[0])
        where = at[0] if len(at) == 1 else at
        raise InputError(
            f"{name} {where} is {found[at]}, not a {'' if infinite else 'finite '}number"
        )
    return found


def positions(
    name: str,
    values: Any,
    size: int,
    shape: tuple[int | None, ...] = (None,),
    *,
    of: str,
    each: str = "",
) -> NDArray[np.int64]:
    """Return an array of whole numbers from 0 to ``size`` - 1, of a shape as for ``numbers``.

    ``of``: what they are positions in, and ``each``: what each is one of, for the error.
    """
    given = _array(name, values, "iuf", f"whole numbers, positions in {of}", len(shape))
    _fit(name, given, shape, each)
    if given.dtype.kind == "f" and not np.all(given == np.floor(given)):
        raise InputError(f"{name} must be whole numbers, positions in {of}")
    if given.size and not (given.min() >= 0 and given.max() < size):
        wrong = given[(given < 0) | (given >= size)]
        raise InputError(f"{name} names {wrong[0]:.0f}, outside {of}, which has {size}")
    return np.ascontiguousarray(given, dtype=np.int64)


def positive(name: str, value: Any, *, zero: bool = False) -> float:
    """Return one positive, finite number; 0 will do where ``zero`` says so."""
    number = real(name, value)
    if not (np.isfinite(number) and (number > 0 or (zero and number == 0))):
        raise InputError(
            f"{name} must be {'0 or ' if zero else ''}positive and finite, not {value}"
        )
    return number


def share(name: str, value: Any) -> float:
    """Return one number strictly between 0 and 1."""
    number = real(name, value)
    if not 0.0 < number < 1.0:
        raise InputError(f"{name} must lie between 0 and 1, not {value}")
    return number


def whole(name: str, value: Any, least: int = 0) -> int:
    """Return one whole number that is not below ``least``."""
    number = real(name, value)
    if not (np.isfinite(number) and number == np.floor(number) and number >= least):
        raise InputError(f"{name} must be a whole number of at least {least}, not {value}")
    return int(value)


def one_of(kind: str, value: Any, known: Iterable[str]) -> str:
    """Return a name that is one of the known ones; ``kind`` is what it names."""
    if not (isinstance(value, str) and value in known):
        raise unknown_name(kind, str(value), known)
    return value


def generator(rng: Any) -> np.random.Generator:
    """Return a source of randomness."""
    if not isinstance(rng, np.random.Generator):
        raise InputError(
            f"rng is {type(rng).__name__}, not a Generator", fix="np.random.default_rng(seed)"
        )
    return rng


def frozen(values: NDArray) -> NDArray:
    """Return an array that nobody can write to: itself, or else a copy."""
    if values.flags.owndata and not values.flags.writeable:
        return values
    kept = values.copy()
    kept.flags.writeable = False
    return kept


def _array(name: str, values: Any, kinds: str, what: str, dimensions: int) -> NDArray:
    try:
        given = np.asarray(values)
    except (ValueError, TypeError, OverflowError):
        raise InputError(f"{name} is no array of {what}", fix="give rows of one length") from None
    if not given.size and given.dtype.kind in "fO" and given.ndim == dimensions:
        return np.empty(given.shape, np.float64)  # an empty list has no type of its own
    if given.dtype.kind not in kinds:
        held = "true and false" if given.dtype.kind == "b" else f"of type {given.dtype}"
        raise InputError(f"{name} is {held}, not {what}")
    return given


def _fit(name: str, given: NDArray, shape: tuple[int | None, ...], each: str) -> None:
    fits = given.ndim == len(shape) and all(
        wanted is None or length == wanted
        for length, wanted in zip(given.shape, shape, strict=True)
    )
    if not fits and given.ndim == len(shape) == 1:
        raise InputError(f"{name} has {len(given)} entries for {shape[0]}{each and ' ' + each}")
    if not fits:
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise InputError(f"{name} has shape {given.shape}, not ({wanted})")


def real(name: str, value: Any) -> float:
    """Return one real number, NaN and the infinities among them."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise InputError(f"{name} must be a number, not {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"{name} must be a number that a float can hold") from None
