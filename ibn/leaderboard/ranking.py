"""A leaderboard of whatever holds battles: read, ranked, and asked what biases it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from ibn.errors import InputError
from ibn.leaderboard import board as boards
from ibn.leaderboard.battle_files import BattleFile, read_battles
from ibn.leaderboard.battles import Battles
from ibn.leaderboard.board import Leaderboard, label
from ibn.leaderboard.board_probes import probe
from ibn.preferences.comparisons import Comparisons
from ibn.threads import at_most, in_threads


def rank(
    battles: Any,
    names: Sequence[str] | None = None,
    *,
    both_bad: Literal["tie", "drop"] = "tie",
    controls: Sequence[str] = (),
    by: str | None = None,
    probes: bool = False,
    seed: int = 0,
    jobs: int | None = None,
    columns: Mapping[str, str] | None = None,
    winner: Mapping[str, str] | None = None,
    strict: bool = False,
    **options: Any,
) -> Leaderboard:
    """Rank a few items by many battles.

    Parameters
    ----------
    battles : path-like, list of dict, DataFrame, Dataset, Table, Battles or Comparisons
        What :func:`ibn.leaderboard.battle_files.read_battles` reads or has read; of comparisons,
        with ``winner``, the responses are the items.
    names : sequence of str, optional
        What the items of comparisons are called; by default their numbers.
    both_bad : {"tie", "drop"}
        Battles whose two sides are both called bad are ties, or are left out.
    controls : sequence of str
        Covariates whose effects are taken out: ``position``, or names of columns.
    by : str, optional
        A label, such as ``category``, of which each value is ranked apart, too.
    probes : bool
        Whether to ask what biases the board.
    seed : int
        Of the simulations behind the intervals and probes.
    jobs : int, optional
        Cores used at most, where ``by`` gives several boards; the answer does not depend on it.
    columns, winner, strict
        As for :func:`ibn.leaderboard.battle_files.read_battles`.
    **options
        ``ties``, ``prior``, ``cluster``, ``reliability``, ``level`` and ``draws`` of
        :func:`ibn.leaderboard.board.rank`.

    Returns
    -------
    Leaderboard
        With a short ``repr``; ``to_json()``, ``to_frame()``, ``save(path)`` and ``plot()``.

    Raises
    ------
    InputError
        If the battles cannot be read or ranked, or an option does not fit.

    Examples
    --------
    >>> import ibn
    >>> battles = [
    ...     {"model_a": "x", "model_b": "y", "winner": "model_a" if i < 14 else "model_b"}
    ...     for i in range(20)
    ... ]
    >>> board = ibn.rank(battles)
    >>> board
    Leaderboard(2 items by 20 battles, 0 of them ties; first x, ranks 1 to 2 at 95%)
    >>> board.to_frame().name.tolist()
    ['x', 'y']
    """
    file: BattleFile | None = None
    if isinstance(battles, Comparisons):
        battles = Battles.of(battles, names)
    elif not isinstance(battles, Battles):
        file = read_battles(
            battles, columns=columns, winner=winner, controls=controls, strict=strict
        )
        battles = file.battles
    if both_bad not in ("tie", "drop"):
        raise InputError(f"battles that are both bad are tie or drop, not {both_bad!r}")
    if both_bad == "drop" and battles.both_bad is not None:
        battles = battles.take(~battles.both_bad).met()
    options |= {"controls": controls, "seed": seed}
    with at_most(jobs):
        board = boards.rank(battles, **options)
        parts = {}
        if by is not None:
            codes = label(battles, by)
            values = np.unique(codes).tolist()
            found = in_threads(
                lambda code: boards.rank(battles.take(codes == code).met(), **options), values
            )
            parts = {battles.keys[by][code]: one for code, one in zip(values, found, strict=True)}
        asked = tuple(probe(battles, board, seed=seed)) if probes else None
    return replace(board, file=file, by=parts, probes=asked)
