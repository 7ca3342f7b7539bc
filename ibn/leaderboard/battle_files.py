"""Battles from files: who met whom, who won, and what else a column says of it."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError
from ibn.leaderboard.battles import Battles
from ibn.leaderboard.names import LONGEST, shown
from ibn.preferences.label_codes import MEANINGS, meant
from ibn.preferences.record_sources import open_records
from ibn.preferences.source import Record

KNOWN: dict[str, tuple[str, ...]] = {
    "model_a": ("model_a", "model_1", "left", "item_a", "player_a", "a"),
    "model_b": ("model_b", "model_2", "right", "item_b", "player_b", "b"),
    "winner": ("winner", "outcome", "verdict", "preference", "label", "score"),
    "weight": ("weight",),
    "count": ("count", "votes", "battles"),
    "judge": ("judge", "voter", "voter_id", "annotator", "worker", "user"),
    "prompt": ("prompt", "prompt_id", "question_id", "item_id", "question", "instruction"),
    "category": ("category", "task", "language"),
    "time": ("time", "timestamp", "tstamp", "date"),
}
"""What columns are called, the first that a file has being taken."""

A_WINS = ("model_a", "a", "left", "model_1", "winner_a", "a>b")
B_WINS = ("model_b", "b", "right", "model_2", "winner_b", "b>a")
TIES = ("tie", "draw", "equal", "both", "same", "a=b", "both good", "tie (bothgood)")
BOTH_BAD = ("tie (bothbad)", "both_bad", "bothbad", "both bad", "neither")
LEFT_OUT = "an item with itself or as --winner says"
LABELS = ("judge", "prompt", "category")
TEXTS = ("chosen", "rejected", "response", "conversation", "answer", "completion", "output")


@dataclass(frozen=True, eq=False)
class BattleFile:
    """Battles as read.

    Attributes
    ----------
    battles : Battles
    source : str
        The file.
    columns : dict of str to str
        What was read from which column.
    unused : list of str
        The other columns.
    skipped : int
        Battles left out: of an item with itself, or as the meanings of labels say.
    """

    battles: Battles
    source: str
    columns: dict[str, str]
    unused: list[str]
    skipped: int = 0


class _Codes(dict[Any, int]):
    """Number names in order of first appearance; a number is its text."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __missing__(self, value: Any) -> int:
        text = "" if value is None or value != value else str(value)
        if not text.strip():
            raise InputError("an empty name or label")
        if text is not value and text in self:
            number = self[text]
        else:
            number = self[text] = len(self.names)
            self.names.append(text)
        self[value] = number
        return number


class _Verdicts(dict[Any, float]):
    """Read what a column says of the winner: a's share; NaN where it must be a name."""

    def __init__(self, meanings: Mapping[str, str] | None) -> None:
        super().__init__()
        self.given = meanings is not None
        self.meanings = meant(meanings, MEANINGS | {"skip": math.inf, "both_bad": -1.0})

    def __missing__(self, value: Any) -> float:
        known = self.meanings.get(str(value).strip())
        self[value] = found = _share(value) if known is None else known
        return found

    def require_certain(self, winner: str) -> None:
        """Refuse 0 and 1 alone: either may be the first. With a half they are a's share."""
        numbers = [x for x in self if isinstance(_plain(x), float)]
        if numbers and not self.given and all(_plain(x) in (0.0, 1.0) for x in numbers):
            raise InputError(
                f"{winner} holds only 0 and 1: it is not certain which means the first",
                fix="say so: --winner 1=a,0=b or --winner 0=a,1=b",
            )


def read_battles(
    path: Any,
    *,
    columns: Mapping[str, str] | None = None,
    winner: Mapping[str, str] | None = None,
    controls: Sequence[str] = (),
    strict: bool = False,
) -> BattleFile:
    """Read battles.

    Parameters
    ----------
    path : path-like, list of dict, DataFrame, Dataset or Table
        A ``.jsonl``, ``.json``, ``.csv`` or ``.parquet`` file, each also ``.gz``, or what
        :func:`ibn.read_preferences` reads beside. A record is a
        battle: ``model_a``, ``model_b`` and ``winner``, which is model_a, model_b, tie, tie
        (bothbad) or the like, the winner's name, or a's share of the win: 1, 0.5, 0. It may have
        ``weight``, ``count``, ``judge``, ``prompt``, ``category`` and ``time``. Files of
        preferences, as ``ibn audit`` reads them, are battles of responses.
    columns : mapping, optional
        What the file calls a column: ``{"judge": "rater"}``.
    winner : mapping, optional
        What labels mean, where it is not certain: ``{"0": "a", "1": "b", "2": "tie"}``;
        beside these skip and both_bad.
    controls : sequence of str
        Covariates: of ``length``, the columns ``length_a`` and ``length_b`` are read, and
        (a - b) / (a + b) is taken, in standard deviations; or ``length`` itself, a's minus b's.
    strict : bool
        Whether a battle of an item with itself refuses the file; else it is left out and counted.

    Raises
    ------
    InputError
        If anything is wrong with the file, naming it and the line.
    """
    source, records = open_records(path)
    with closing(records):
        first = next(records, None)
    if first is None:
        raise InputError("no records", file=source)
    chosen = _choose(first[1], columns or {}, source)
    if chosen is None:
        return _from_preferences(path, source, columns, winner, strict)
    reader = _Reader(source, chosen, _control_columns(first[1], controls, source), winner)
    with closing(open_records(path)[1]) as records:
        reader.read(records, skip=not strict)
    used = {*chosen.values(), *(column for x in reader.controls.values() for column in x)}
    unused = [name for name in first[1] if name not in used]
    return BattleFile(reader.battles(), source, chosen, unused, reader.skipped)


def holds_battles(path: Any, columns: Mapping[str, str] | None = None) -> bool:
    """Whether a file, or what Python holds, has battles of named items, and no responses."""
    source, records = open_records(path)
    with closing(records):
        first = next(records, None)
    if first is None:
        return False
    if any(name.lower().startswith(TEXTS) for name in first[1]):
        return False
    try:
        return _choose(first[1], columns or {}, source) is not None
    except InputError:
        return False


class _Reader:
    """Columns of battles, as they grow record by record."""

    def __init__(
        self,
        source: str,
        columns: dict[str, str],
        controls: dict[str, tuple[str, ...]],
        winner: Mapping[str, str] | None = None,
    ) -> None:
        self.source, self.columns, self.controls = source, columns, controls
        self.verdicts = _Verdicts(winner)
        self.items = _Codes()
        self.codes = {name: _Codes() for name in LABELS if name in columns}
        self.a, self.b, self.lines = array("q"), array("q"), array("q")
        self.outcome = array("d")
        self.bad: list[Any] = []
        self.labels = {name: array("q") for name in self.codes}
        self.numbers: dict[str, tuple[array[float], str, Callable[[Any, str], float]]] = {
            name: (array("d"), columns[name], _time if name == "time" else _number)
            for name in ("weight", "count", "time")
            if name in columns
        }
        for name, given in controls.items():
            for column in given:
                self.numbers[f"{name}:{column}"] = (array("d"), column, _number)
        self.skipped = 0

    def read(self, records: Any, *, skip: bool) -> None:
        """Read all records."""
        a_column, b_column, winner = (self.columns[x] for x in ("model_a", "model_b", "winner"))
        verdicts, line = self.verdicts, 0
        try:
            for line, record in records:
                a, b = self.items[record[a_column]], self.items[record[b_column]]
                if a == b:
                    if not skip:
                        raise InputError("an item meets itself", fix="leave --strict out")
                    self.skipped += 1
                    continue
                share = verdicts[record[winner]]
                if share == math.inf:
                    self.skipped += 1
                    continue
                if share != share:
                    share = _by_name(record, a_column, b_column, winner)
                if share < 0.0:  # a tie of which both sides are bad
                    self.bad.append(len(self.a))
                    share = 0.5
                self.a.append(a)
                self.b.append(b)
                self.outcome.append(share)
                self.lines.append(line)
                for name, codes in self.codes.items():
                    self.labels[name].append(codes[record[self.columns[name]]])
                for values, column, parse in self.numbers.values():
                    values.append(parse(record[column], column))
            line = 0
            verdicts.require_certain(winner)
        except InputError as error:
            raise InputError(
                error.problem, file=self.source, line=error.line or line or None, fix=error.fix
            ) from None
        except KeyError as error:
            raise InputError(
                f"no {shown(error.args[0], LONGEST)}", file=self.source, line=line
            ) from None
        except TypeError:
            raise InputError(
                "a name, label or winner is a list or an object", file=self.source, line=line
            ) from None

    def battles(self) -> Battles:
        """Put the columns together."""
        if not self.a:
            out = f": all {self.skipped} are left out, {LEFT_OUT}" if self.skipped else ""
            raise InputError(f"no battles{out}", file=self.source)
        numbers = {name: np.array(values) for name, (values, _, _) in self.numbers.items()}
        bad = np.zeros(len(self.a), bool)
        bad[self.bad] = True
        controls = {
            name: _contrast([numbers[f"{name}:{column}"] for column in given])
            for name, given in self.controls.items()
        }
        try:
            return Battles(
                names=self.items.names,
                a=np.array(self.a, np.int64),
                b=np.array(self.b, np.int64),
                outcome=np.array(self.outcome),
                weight=numbers.get("weight"),
                count=numbers.get("count"),
                both_bad=bad if self.bad else None,
                labels={name: np.array(codes, np.int64) for name, codes in self.labels.items()},
                keys={name: codes.names for name, codes in self.codes.items()},
                controls=controls,
                times=numbers.get("time"),
                lines=np.array(self.lines, np.int64),
            )
        except InputError as error:
            raise InputError(
                error.problem, file=self.source, line=error.line, fix=error.fix
            ) from None


def _choose(record: Record, columns: Mapping[str, str], source: str) -> dict[str, str] | None:
    """Choose the columns; none where the file has no two items and a winner."""
    for name, theirs in columns.items():
        if name not in KNOWN and name not in ("prompt", "chosen", "rejected"):
            known = ", ".join(KNOWN)
            raise InputError(f"unknown column {name!r}", file=source, fix=f"known: {known}")
        if theirs not in record:
            raise InputError(f"no column {shown(theirs, LONGEST)}", file=source)
    found = {
        name: columns[name] if name in columns else next((x for x in known if x in record), None)
        for name, known in KNOWN.items()
    }
    if None in (found["model_a"], found["model_b"]):
        return None
    if found["winner"] is None:  # one-hot, winner and loser, …: the reader of preferences knows
        return None
    return {name: column for name, column in found.items() if column is not None}


def _control_columns(
    record: Record, controls: Sequence[str], source: str
) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name in controls:
        pair = (f"{name}_a", f"{name}_b")
        if name == "position":
            continue
        if all(column in record for column in pair):
            found[name] = pair
        elif name in record:
            found[name] = (name,)
        else:
            raise InputError(f"no columns {pair[0]} and {pair[1]}, and no {name}", file=source)
    return found


def _contrast(values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Take a's minus b's, over their sum, in standard deviations."""
    if len(values) == 1:
        return values[0]
    a, b = values
    total = np.abs(a) + np.abs(b)
    contrast = np.divide(a - b, total, out=np.zeros_like(a), where=total > 0)
    deviation = contrast.std()
    return contrast / deviation if deviation else contrast


def _share(value: Any) -> float:
    """Read a verdict as a's share: -1 for both bad, NaN for a text that may be a name."""
    if isinstance(value, str):
        text = value.strip().lower()
        for known, share in ((A_WINS, 1.0), (B_WINS, 0.0), (TIES, 0.5), (BOTH_BAD, -1.0)):
            if text in known:
                return share
        try:
            value = float(text)
        except ValueError:
            return float("nan")
    if not isinstance(value, (int, float)) or not 0.0 <= value <= 1.0:
        raise InputError(
            f"winner is {shown(value, LONGEST)}",
            fix="model_a, model_b, tie, the winner's name, or a's share: 1, 0.5, 0",
        )
    return float(value)


def _by_name(record: Record, a: str, b: str, winner: str) -> float:
    value = record[winner]
    if value == record[a]:
        return 1.0
    if value == record[b]:
        return 0.0
    problem = f"{winner} is '{shown(value, LONGEST)}'" if str(value).strip() else f"no {winner}"
    raise InputError(problem, fix="model_a, model_b, tie, the winner's name, or 1, 0.5, 0")


def _number(value: Any, column: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not math.isfinite(number):
        raise InputError(f"{column} is '{shown(value, LONGEST)}', not a number")
    return number


def _time(value: Any, column: str) -> float:
    try:
        return _number(value, column)
    except InputError:
        try:
            return datetime.fromisoformat(str(value)).timestamp()
        except ValueError:
            raise InputError(
                f"{column} is '{shown(value, LONGEST)}', no time", fix="2024-05-13, or a number"
            ) from None


def _from_preferences(
    path: Any,
    source: str,
    columns: Mapping[str, str] | None,
    winner: Mapping[str, str] | None,
    strict: bool,
) -> BattleFile:
    from ibn.preferences import reading

    try:
        data = reading.read_battles(path, columns=columns, winner=winner, strict=strict)
    except InputError:
        data = reading.read_preferences(path, columns=columns, winner=winner, strict=strict)
    battles = Battles.of(data.comparisons, data.responses)
    return BattleFile(battles, source, {"comparisons": data.shape}, [], data.skipped)


def _plain(value: Any) -> Any:
    """Read a number from its text, if it is one."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
