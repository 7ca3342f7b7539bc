"""Which pairs a plan may choose from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.design.candidates import pairs_within, sample_pairs
from ibn.errors import InputError
from ibn.pair_code import pair_code

Pairs = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Offers:
    """Pairs to choose from.

    Attributes
    ----------
    pairs : ndarray of int, shape (N, 2)
        Distinct, positions of responses; with ``anywhere`` only where the search starts.
    kind : {"given", "within", "any"}
        Where most of them are from.
    count : int
        How many may be chosen.
    anywhere : bool
        Whether any two responses may be.
    """

    pairs: Pairs
    kind: str
    count: int
    anywhere: bool = False


def offers(
    prompt_of: NDArray[np.int64],
    compared: Pairs,
    budget: int,
    rng: np.random.Generator,
    *,
    given: Pairs | None = None,
    only_given: bool = False,
    kind: str = "within",
    repeat: bool = False,
    pool: int = 5000,
) -> Offers:
    """Collect the pairs to choose from.

    Those given come first. Where they are fewer than the budget, unless ``only_given``, other
    pairs within prompts join them; where all these are fewer, so do pairs that have a label, for
    one more each.

    Parameters
    ----------
    prompt_of : ndarray of int, shape (m,)
    compared : ndarray of int, shape (n, 2)
        Pairs that have a label.
    budget : int
    rng : Generator
        Of the order of sides, which must not tell a labeller which response came first.
    given : ndarray of int, shape (g, 2), optional
        Pairs that wait for a label, their sides as they are.
    only_given : bool
        Whether there are no others.
    kind : {"within", "any"}
        Of those that are not given.
    repeat : bool
        Whether pairs may be chosen that have a label, and several times.
    pool : int
        Of any two responses so many pairs are listed, or more where the budget asks for it.

    Raises
    ------
    InputError
        If there are fewer than the budget.
    """
    m = len(prompt_of)
    done = np.unique(_code(compared, m))
    if kind == "any" and given is None:
        listed = _either_way(sample_pairs(m, max(pool, 2 * budget + len(compared)), rng), rng)
        count = m * (m - 1) // 2 - (0 if repeat else len(done))
        free = listed if repeat else listed[~np.isin(_code(listed, m), done)]
        _require(budget, count, kind, repeat)
        return Offers(free, kind, count, anywhere=True)
    free = np.empty((0, 2), np.int64) if given is None else _distinct(given, m)
    found = kind if given is None else "given"
    if not repeat:
        free = free[~np.isin(_code(free, m), done)]
    if len(free) < budget and not only_given:
        within = _either_way(pairs_within(prompt_of), rng)
        known = _code(free, m) if repeat else np.concatenate([done, _code(free, m)])
        free = np.concatenate([free, within[~np.isin(_code(within, m), known)]])
    if not repeat and not only_given and len(free) < budget:
        free = np.concatenate([free, _either_way(_distinct(compared, m), rng)])
    _require(budget, len(free) if not repeat or not len(free) else budget, found, repeat)
    return Offers(free, found, len(free))


def _code(pairs: Pairs, m: int) -> NDArray[np.int64]:
    """Give each pair a number, whichever of the two comes first."""
    return pair_code(pairs[:, 0], pairs[:, 1], m)


def _distinct(pairs: Pairs, m: int) -> Pairs:
    return pairs[np.sort(np.unique(_code(pairs, m), return_index=True)[1])]


def _either_way(pairs: Pairs, rng: np.random.Generator) -> Pairs:
    """Swap sides at random: the side must not tell a labeller which response came first."""
    return rng.permuted(pairs, axis=1)


def _require(budget: int, most: int, kind: str, repeat: bool) -> None:
    if budget <= most:
        return
    where = {"within": "within prompts", "any": "of any two responses", "given": "given"}[kind]
    fresh = "" if repeat or kind != "any" else " that are not compared already"
    ways = ["ask for fewer", *([] if repeat else ["allow pairs to repeat"])]
    ways += ["compare across prompts"] if kind == "within" else []
    ways += ["give more candidates" if kind == "given" else "give candidates"]
    raise InputError(
        f"a budget of {budget} is more than the {most} pairs {where}{fresh}",
        fix=", ".join(ways[:-1]) + " or " + ways[-1],
    )
