"""A pool of scored responses: several responses to each of many prompts, each with a score."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from ibn.errors import InputError, unknown_name
from ibn.preferences.files import read_records

NAMES = {"prompt": ("prompt", "question", "instruction"), "response": ("response", "output")}
LINKS = ("none", "logit")
LARGEST = 1e15  # score: its square is kept in single precision
CLOSEST = 1e-9  # to 0 and 1: how sure a judge can be, under the logit


@dataclass(frozen=True, eq=False)
class Pool:
    """Responses by prompt, the prompts behind each other.

    Attributes
    ----------
    prompts, responses : list of str
        The distinct ones, of prompts with at least two.
    prompt_of : ndarray of int, shape (m,)
        The prompt of each response; it never falls.
    score : ndarray of float, shape (m,)
        How good a response is: the mean of its ratings.
    ratings : ndarray of float, shape (k,)
        Of all responses behind each other: rows of the same prompt and response are several.
    rated : ndarray of int, shape (m + 1,)
        Where the ratings of each response begin.
    left_out : int
        Responses that stood alone under their prompt.
    """

    prompts: list[str]
    responses: list[str]
    prompt_of: NDArray[np.int64]
    score: NDArray[np.float64]
    ratings: NDArray[np.float64]
    rated: NDArray[np.int64]
    left_out: int = 0


def read_pool(
    path: str | os.PathLike[str],
    columns: Mapping[str, str] | None = None,
    score: str | None = None,
    link: str = "none",
) -> Pool:
    r"""Read a pool from a file of any format that preferences come in.

    Parameters
    ----------
    path : path-like
        A row a response; or a row a prompt, whose responses stand in columns that are objects.
    columns : mapping of str to str, optional
        What the file calls ``prompt`` and ``response``. ``*.text`` for the response takes the
        field ``text`` of every column that is an object with that field.
    score : str, optional
        The column of the score, by default ``score``; ``*.good`` as for the response.
    link : {"none", "logit"}
        Whether the score is taken as it is, or is a probability whose log-odds are taken.

    Raises
    ------
    InputError
        If a column is missing or a score is no number, naming file and line.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> from ibn.simulations.pools.scored_pool import read_pool
    >>> rows = [{"prompt": "2 + 2?", "response": r, "score": s} for r, s in (("4", 1), ("5", 0))]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "pool.jsonl"
    ...     _ = path.write_text("\n".join(map(json.dumps, rows)))
    ...     read_pool(path).score
    array([1., 0.])
    """
    if link not in LINKS:
        raise unknown_name("link", link, LINKS)
    found: dict[str, dict[str, list[float]]] = {}
    for line, record in read_records(path):
        try:
            for prompt, response, value in _responses(record, dict(columns or {}), score):
                found.setdefault(prompt, {}).setdefault(response, []).append(_linked(value, link))
        except InputError as error:
            raise InputError(error.problem, file=path, line=line, fix=error.fix) from None
    pool = _of(found)
    if len(pool.prompts) < 4:
        raise InputError(
            f"{len(pool.prompts)} prompts with two responses or more, where 4 are the fewest",
            file=path,
        )
    if np.ptp(pool.score) == 0:
        raise InputError("all scores are the same: nothing to learn", file=path)
    return pool


def _of(found: Mapping[str, Mapping[str, Sequence[float]]]) -> Pool:
    several = {prompt: each for prompt, each in found.items() if len(each) > 1}
    ratings = [values for each in several.values() for values in each.values()]
    sizes = [len(each) for each in several.values()]
    return Pool(
        list(several),
        [response for each in several.values() for response in each],
        np.repeat(np.arange(len(sizes)), sizes),
        np.array([np.mean(values) for values in ratings]),
        np.array([value for values in ratings for value in values], float),
        np.cumsum([0, *map(len, ratings)]),
        sum(map(len, found.values())) - sum(sizes),
    )


def _responses(
    record: Mapping[str, Any], columns: dict[str, str], score: str | None
) -> Iterator[tuple[str, str, float]]:
    """Prompt, response and score of each response of a row."""
    prompt = _text(record, _column(record, "prompt", columns))
    said, scored = columns.get("response"), score or "score"
    if said is not None and said.startswith("*."):
        if not scored.startswith("*."):
            raise InputError(f"the score is {scored!r}, not in the same objects", fix="--score *.…")
        sides = said[2:], scored[2:]
        inner = [one for one in record.values() if isinstance(one, Mapping) and sides[0] in one]
        if not inner:
            raise InputError(f"no column is an object with a field {sides[0]!r}")
        for one in inner:
            yield prompt, _text(one, sides[0]), _number(one, sides[1])
    else:
        yield prompt, _text(record, _column(record, "response", columns)), _number(record, scored)


def _column(record: Mapping[str, Any], name: str, columns: dict[str, str]) -> str:
    if name in columns:
        return columns[name]
    for known in NAMES[name]:
        if known in record:
            return known
    raise InputError(f"no {name} column", fix=f"--column {name}=THEIRS, of {', '.join(record)}")


def _text(record: Mapping[str, Any], column: str) -> str:
    value = record.get(column)
    if not isinstance(value, str):
        raise InputError(f"{column!r} holds no text" if column in record else f"no {column!r}")
    return value


def _number(record: Mapping[str, Any], column: str) -> float:
    if column not in record:
        raise InputError(f"no score column {column!r}", fix="--score COLUMN says which it is")
    try:
        value = float(record[column])
    except (TypeError, ValueError):
        value = float("nan")
    if not np.isfinite(value):
        raise InputError(f"{column!r} is {record[column]!r}, no number", fix="leave the row out")
    if abs(value) > LARGEST:
        raise InputError(f"a score of {value:g}", fix=f"at most {LARGEST:g}, or leave the row out")
    return value


def _linked(value: float, link: str) -> float:
    if link == "none":
        return value
    if not 0 <= value <= 1:
        raise InputError(f"{value:g} is no probability", fix="--link none takes scores as they are")
    return float(logit(np.clip(value, CLOSEST, 1 - CLOSEST)))
