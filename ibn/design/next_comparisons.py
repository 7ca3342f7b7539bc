"""What to label next, of whatever holds preferences or battles."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.bias.embeddings import given_embeddings
from ibn.design.control import compare_control
from ibn.design.planned import CHOSEN_BY, Plan
from ibn.design.planning import embedded
from ibn.design.planning import plan as choose_next
from ibn.errors import InputError
from ibn.leaderboard.battle_files import holds_battles
from ibn.leaderboard.battles import Battles
from ibn.leaderboard.purchase import Purchase, asked, buy
from ibn.leaderboard.ranking import rank
from ibn.preferences.given import each_source, take_reading
from ibn.preferences.reading import PreferenceData, read_for_planning, read_preferences
from ibn.preferences.uniting import concatenate, without_comparisons
from ibn.progress import Tell, telling
from ibn.threads import at_most


def plan(
    data: Any,
    budget: int,
    *,
    candidates: Any = None,
    embeddings: NDArray[np.floating] | str | os.PathLike[str] | None = None,
    pairs: str | None = None,
    ranks: str = "neighbours",
    seed: int = 0,
    jobs: int | None = None,
    progress: bool | Tell = False,
    **options: Any,
) -> Plan | Purchase:
    """Choose the comparisons to label next.

    A Bayesian reward model is fitted to the labels so far, and the comparisons are chosen, one
    after the other, that are expected to reduce most the mean posterior variance of reward
    differences; some are random, to hold the others against. Of a leaderboard's battles, those
    that most narrow the ranks.

    Parameters
    ----------
    data : path-like, list of dict, DataFrame, Dataset, Table, PreferenceData or Battles
        What :func:`ibn.read_preferences` reads or has read, or battles; a list of several is read
        one behind the other. Pairs without a label wait for one and are candidates.
    budget : int
        Comparisons wanted, K.
    candidates : as ``data``, optional
        Pairs to choose from and no others; they need no labels.
    embeddings : ndarray, shape (m, p), or path of a ``.npy`` file, optional
        A row a response in order of first appearance, those that only candidates name last; by
        default TF-IDF with truncated SVD.
    pairs : {"within", "any"}, optional
        Candidates: pairs within prompts, or any two responses.
    ranks : str
        Of battles: ``neighbours``, ``top:K`` or ``item:NAME``.
    seed : int
        Of everything random.
    jobs : int, optional
        Cores used at most; the answer does not depend on it.
    progress : bool or callable
        Whether to tell on standard error what comes next, or what is called with it.
    **options
        ``target``, ``max_uses``, ``repeat``, ``kernel``, ``beta``, ``pool`` and ``control`` of
        :func:`ibn.design.planning.plan`; ``columns``, ``winner``, ``score``, ``no_prompt`` and
        ``strict`` of :func:`ibn.read_preferences`.

    Returns
    -------
    Plan, or Purchase of battles
        With a short ``repr``; ``to_json()``, ``to_frame()``, ``save(path)`` and ``plot()``.

    Raises
    ------
    InputError
        If the data cannot be read, there are fewer candidates than comparisons wanted, or a
        parameter cannot be used.

    Examples
    --------
    >>> import ibn
    >>> rows = [
    ...     {"prompt": f"Question {i}", "chosen": f"a kind answer {i}", "rejected": f"no {i}"}
    ...     for i in range(12)
    ... ]
    >>> planned = ibn.plan(rows, budget=3, pairs="any")
    >>> planned.to_frame().columns[:3].tolist(), len(planned.to_frame())
    (['prompt', 'response_a', 'response_b'], 3)
    """
    reading = take_reading(options)
    sources = each_source(data)
    if len(sources) == 1 and _battles(sources[0], reading.get("columns")):
        wishes = {
            name: reading[name] for name in ("columns", "winner", "strict") if name in reading
        }
        return buy(rank(sources[0], seed=seed, **wishes), budget, **asked(ranks), seed=seed)
    with at_most(jobs), telling(progress) as tell:
        labelled, waiting = _read(sources, reading)
        listed = candidates is not None
        if listed:
            waiting = _candidates(candidates, reading)
        behind = labelled if waiting is None else concatenate(labelled, waiting)
        given = given_embeddings(embeddings, len(behind.responses))
        points = embedded(behind, given, seed, tell)
        planned = choose_next(
            labelled,
            budget,
            candidates=waiting if pairs is None or listed else None,
            only_given=listed,
            embeddings=points,
            pairs=pairs,
            seed=seed,
            progress=tell,
            **options,
        )
        control = compare_control(
            points[: len(labelled.responses)],
            labelled.comparisons,
            _chosen_by(labelled),
            seed=seed,
        )
    files = (getattr(each, "source", each) for each in (*sources, candidates, embeddings))
    named = tuple(os.fspath(each) for each in files if isinstance(each, (str, os.PathLike)))
    return replace(planned, offered=behind, control=control, sources=named)


def _battles(source: Any, columns: Any) -> bool:
    """Whether something is battles of named items."""
    if isinstance(source, PreferenceData):
        return False
    return isinstance(source, Battles) or holds_battles(source, columns)


def _read(
    sources: list[Any], reading: dict[str, Any]
) -> tuple[PreferenceData, PreferenceData | None]:
    """Read the labels of all sources, and the pairs that wait for one."""
    labelled: PreferenceData | None = None
    waiting: PreferenceData | None = None
    for source in sources:
        found, waits = _apart(source, reading)
        if found is not None:
            labelled = found if labelled is None else concatenate(labelled, found)
        if waits is not None:
            waiting = waits if waiting is None else concatenate(waiting, waits)
    if labelled is None:
        if waiting is None:
            raise InputError("nothing to plan with", fix="give preferences, or pairs to label")
        labelled = without_comparisons(waiting)
    return labelled, waiting


def _apart(
    source: Any, reading: dict[str, Any]
) -> tuple[PreferenceData | None, PreferenceData | None]:
    """Read labels and, apart, pairs that wait; what has been read is one or the other."""
    if not isinstance(source, PreferenceData):
        return read_for_planning(source, **reading)
    return (None, source) if source.comparisons.winner is None else (source, None)


def _candidates(given: Any, reading: dict[str, Any]) -> PreferenceData:
    if isinstance(given, PreferenceData):
        return given
    return read_preferences(given, **reading, labelled=False)


def _chosen_by(data: PreferenceData) -> list[str]:
    """Say of each label whether a plan chose its pair, or chance; nothing of those before plans."""
    if data.row_of is None:
        return [""] * len(data.comparisons)
    return [str(data.rows[row].get(CHOSEN_BY, "")) for row in data.row_of[:, 0].tolist()]
