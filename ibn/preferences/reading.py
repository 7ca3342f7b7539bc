"""Preference datasets, read as people hold them: files, tables and lists of records.

Records come first, then the roles of their columns, chosen once from the first thousand; each
record becomes comparisons whose labels keep the file's codes; once all codes are known their
meaning is decided, and the comparisons are laid out over distinct responses.
"""

from __future__ import annotations

import shlex
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError, MissingExtra
from ibn.preferences.column_roles import Columns, Wishes
from ibn.preferences.columns import choose_columns
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.fields import number, value_at
from ibn.preferences.label_codes import decide_codes, decide_goodness
from ibn.preferences.message_trees import sibling_replies
from ibn.preferences.reading_report import ReadingReport, describe_skipped
from ibn.preferences.record_sources import KEPT, keeping, open_records
from ibn.preferences.shapes import (
    Judgement,
    Side,
    Text,
    is_tag,
    judgements,
    pool_entry,
    ranked_pairs,
)
from ibn.preferences.source import Record
from ibn.preferences.transcripts import Messages, render

SAMPLED = 1000  # records from which the roles of columns are chosen
SAMPLED_SIZE = 2**24  # characters of them, about
MOST_REASONS = 20
IDENTICAL = "a comparison of a response with itself"


@dataclass(frozen=True, eq=False)
class PreferenceData:
    """Human preferences over responses to prompts.

    Attributes
    ----------
    prompts : list of str
        The distinct prompts, in order of first appearance; the empty one where none is given.
    responses : list of str
        The distinct responses that are compared: the same text to two prompts is two of them. In
        order of first appearance, comparison by comparison, **the preferred response before the
        other** (of a tie, and of candidates, the file's first before its second): the order of
        the rows of an embedding matrix.
    prompt_of : ndarray of int, shape (m,)
        The prompt of each response, as a position in ``prompts``.
    comparisons : Comparisons
        Over ``arange(m)``, ``a`` the preferred response. Repeated comparisons, as by several
        annotators, are kept, also where they disagree. ``winner`` is +1, or 0 for a tie (``None``
        where candidates were read); ``delta``, where the file gives margins, is the margin;
        ``share`` and ``weight`` where it gives soft labels and weights.
    lines : ndarray of int, shape (n,)
        The line of each comparison in the file (the record's number in tables), counted from 1.
    source : str
        The file.
    shape : str
        The columns read and what they held.
    swapped : ndarray of bool, shape (n,)
        Whether the file has ``b`` first.
    annotators : list of (str or None), shape (n,), optional
        Who labelled, where the file says so.
    rows : list of dict
        Columns that take no part, a row of the file each.
    row_of : ndarray of int, shape (n, 2)
        The row that ``a`` and ``b`` of each comparison are from, as a position in ``rows``.
    report : ReadingReport
        What became of every column and row.
    prompt_messages, response_messages : list of tuple of (role, content), optional
        What ``prompts`` and ``responses`` are as conversations, where the file holds such.
    """

    prompts: list[str]
    responses: list[str]
    prompt_of: NDArray[np.int64]
    comparisons: Comparisons
    lines: NDArray[np.int64]
    source: str
    shape: str = ""
    swapped: NDArray[np.bool_] | None = None
    annotators: list[str | None] | None = None
    rows: list[Record] = field(default_factory=list)
    row_of: NDArray[np.int64] | None = None
    report: ReadingReport = field(default_factory=ReadingReport)
    prompt_messages: list[Messages] | None = None
    response_messages: list[Messages] | None = None

    @property
    def skipped(self) -> int:
        """Rows and parts of rows that were left out."""
        return self.report.skipped_count

    def command(self, verb: str, *options: str) -> str:
        """Write a command on what was read, read as it was; what memory holds is kept first."""
        kept = self.report.keeping
        file = KEPT if kept else self.source
        line = shlex.join(["ibn", verb, file, *self.report.flags, *options])
        return f"# first, in Python: {kept}\n{line}" if kept else line


def read_preferences(
    source: Any,
    *,
    columns: Mapping[str, str] | None = None,
    winner: Mapping[str, str] | None = None,
    score: str | None = None,
    no_prompt: bool = False,
    strict: bool = False,
    labelled: bool = True,
) -> PreferenceData:
    r"""Read a preference dataset.

    The page *Formats* of the documentation lists every shape that is read, the rule by which a
    label's direction counts as certain, and what to do about each refusal.

    Parameters
    ----------
    source : path-like, list of dict, DataFrame, Dataset or Table
        A ``.jsonl``, ``.json``, ``.csv`` or ``.parquet`` file, each also ``.gz``; a directory saved
        by Hugging Face ``datasets``, or a name on its hub; or records in memory: dicts, a pandas
        or polars DataFrame, a ``datasets.Dataset``, a pyarrow Table.
    columns : mapping, optional
        What the file calls a column, by role: ``{"prompt": "title"}``. Columns that together make
        the prompt are joined: ``{"prompt": "instruction+input"}``.
    winner : mapping, optional
        What labels mean, where it is not certain: ``{"0": "a", "1": "b", "2": "tie"}``; ``skip``
        leaves rows out.
    score : str, optional
        The column, or the place in each response's object, that says how good a response is.
    no_prompt : bool
        There are no prompts: all responses are to the same.
    strict : bool
        Refuse the file at the first row that cannot be used instead of leaving it out.
    labelled : bool
        ``False`` reads pairs that need no ``winner``, such as candidates for comparison.

    Raises
    ------
    InputError
        If the file cannot be used, naming it, the line and the fix.

    Examples
    --------
    >>> from ibn import read_preferences
    >>> data = read_preferences(
    ...     [{"prompt": "Hi!", "response_a": "Go.", "response_b": "Hello!", "winner": "B"}]
    ... )
    >>> data.responses, data.comparisons.winner.tolist()
    (['Hello!', 'Go.'], [1])
    """
    wishes = Wishes(columns or {}, winner, score, no_prompt, labelled)
    return _read(source, wishes, strict)


def read_battles(
    source: Any,
    *,
    columns: Mapping[str, str] | None = None,
    winner: Mapping[str, str] | None = None,
    strict: bool = False,
) -> PreferenceData:
    """Read battles of models: what is compared are the models, whatever they said and to what.

    Parameters
    ----------
    source, columns, winner, strict
        As for :func:`read_preferences`. Columns are ``model_a``, ``model_b`` and ``winner``,
        ``left`` and ``right``, ``winner`` and ``loser``, or ``chosen`` and ``rejected``; what the
        models said may stand beside.

    Returns
    -------
    PreferenceData
        ``responses`` are the models' names, all to one empty prompt.

    Raises
    ------
    InputError
        If the file cannot be used, or a model has no name.
    """
    wishes = Wishes(columns or {}, winner, no_prompt=True, models=True)
    return _read(source, wishes, strict)


def read_for_planning(
    source: Any,
    *,
    columns: Mapping[str, str] | None = None,
    winner: Mapping[str, str] | None = None,
    score: str | None = None,
    no_prompt: bool = False,
    strict: bool = False,
) -> tuple[PreferenceData | None, PreferenceData | None]:
    """Read the labels of a file, and apart from them the pairs that wait for one.

    Parameters
    ----------
    source, columns, winner, score, no_prompt, strict
        As for :func:`read_preferences`. Pairs wait whose label is empty, and all pairs of a file
        without labels: two responses a row, lists of responses, or one response a row.

    Returns
    -------
    labelled, waiting : PreferenceData or None
        Those without labels as candidates are read: their ``winner`` is ``None``.

    Raises
    ------
    InputError
        If the file cannot be used.

    Examples
    --------
    >>> from ibn.preferences.reading import read_for_planning
    >>> rows = [{"prompt": "Hi!", "response_a": "Go.", "response_b": "Hello!", "winner": ""}]
    >>> labelled, waiting = read_for_planning(rows)
    >>> labelled is None, len(waiting.comparisons)
    (True, 1)
    """
    wishes = Wishes(columns or {}, winner, score, no_prompt, waiting=True)
    gathered = _gather(source, wishes, strict)
    labelled = gathered.laid() if gathered.labels or not gathered.waiting else None
    return labelled, gathered.laid(waiting=True) if gathered.waiting else None


def _read(source: Any, wishes: Wishes, strict: bool) -> PreferenceData:
    return _gather(source, wishes, strict).laid()


def _gather(source: Any, wishes: Wishes, strict: bool) -> _Gathered:
    name, records = open_records(source)
    gathered = _Gathered(name, wishes, strict, keeping(source))
    with closing(records):
        try:
            gathered.read(records)
            gathered.decide()
            return gathered
        except MissingExtra:
            raise
        except InputError as error:
            if error.file is None:
                raise InputError(error.problem, file=name, fix=error.fix) from None
            raise


class _Gathered:
    """Comparisons of a file as they come, their labels still the file's codes."""

    def __init__(self, source: str, wishes: Wishes, strict: bool, keeping: str) -> None:
        self.source, self.wishes, self.strict, self.keeping = source, wishes, strict, keeping
        self.columns: Columns | None = None
        self.prompts: dict[Text, int] = {}
        self.responses: dict[tuple[int, Text], int] = {}
        self.tokens: Counter[str] = Counter()
        self.codes: dict[str, int] = {}
        self.ends, self.row_of, self.lines = array("q"), array("q"), array("q")
        self.share, self.margin, self.weight = array("d"), array("d"), array("d")
        self.token = array("q")
        self.annotators: list[str | None] = []
        self.rows: list[Record] = []
        self.row_lines = array("q")
        self.carried: dict[str, None] = {}
        self.unused: dict[str, None] = {}
        self.skipped: dict[str, list[int]] = {}
        self.count = self.lost_rows = self.idle = 0
        self.first_lost: InputError | None = None
        self.shares: NDArray[np.float64] = np.empty(0)  # decided once all is read
        self.waits: NDArray[np.bool_] = np.empty(0, bool)

    def read(self, records: Iterator[tuple[int, Record]]) -> None:
        """Take in all records, the roles of columns chosen from the first."""
        sample = _sample(records)
        if not sample:
            raise InputError("no records", file=self.source)
        try:
            self.columns = choose_columns([record for _, record in sample], self.wishes)
        except InputError as error:
            raise InputError(
                error.problem, file=self.source, line=sample[0][0], fix=error.fix
            ) from None
        pool: dict[Text, list[tuple[int, Side, float | str]]] = {}
        for line, record in self._rows(chain(sample, records)):
            row = self._keep(line, record)
            try:
                if self.columns.kind == "pool":
                    side, merit = pool_entry(self.columns, record)
                    pool.setdefault(side.prompt, []).append((row, side, merit))
                else:
                    self._take(line, row, record)
            except InputError as error:
                if error.line is not None:  # refused whatever else the file holds
                    raise
                self._lose_row(line, error)
        self._take_pool(pool)

    def _rows(self, records: Iterator[tuple[int, Record]]) -> Iterator[tuple[int, Record]]:
        """Count the rows; of trees of messages, give the replies that have a common parent."""
        columns = self.columns
        assert columns is not None

        def counted() -> Iterator[tuple[int, Record]]:
            for found in records:
                self.count += 1
                if columns.tree:
                    self.unused.update(dict.fromkeys(found[1].keys() - columns.used))
                yield found

        if columns.kind != "tree":
            return counted()
        return sibling_replies(counted(), columns.tree)

    def _keep(self, line: int, record: Record) -> int:
        """Keep what takes no part of a row."""
        columns = self.columns
        assert columns is not None
        used = columns.used
        rest = {key: value for key, value in record.items() if key not in used}
        if columns.kind == "solutions":
            rest = {k: v for k, v in rest.items() if not isinstance(v, dict)}
        for place in columns.unused_places(record):
            kept = place.partition(".")[0] in rest
            (self.carried if kept else self.unused)[place] = None
        self.carried.update(dict.fromkeys(key for key in rest if key not in columns.opened))
        self.rows.append(rest)
        self.row_lines.append(line)
        return len(self.rows) - 1

    def _take(self, line: int, row: int, record: Record) -> None:
        columns = self.columns
        assert columns is not None
        weight = 1.0
        if columns.weight:
            weight = number(value_at(record, columns.weight), columns.weight)
            if not weight > 0:
                raise InputError(f"{columns.weight} is {weight:g}, not above 0")
        before, same = len(self.lines), 0
        lost = len(self.skipped)
        for one in judgements(columns, record, self.wishes, lambda why: self._lose(line, why)):
            if one.a == one.b:
                same += 1
                continue
            if columns.kind == "battles" and not (one.a.response and one.b.response):
                raise InputError(
                    "a model without a name",
                    file=self.source,
                    line=line,
                    fix="name it, or remove the row",
                )
            self._add(line, (row, row), one, weight)
        if same and len(self.lines) == before:
            raise InputError(IDENTICAL, fix="remove it")
        for _ in range(same):
            self._lose(line, IDENTICAL)
        self.idle += len(self.lines) == before and len(self.skipped) == lost

    def _take_pool(self, pool: Mapping[Text, list[tuple[int, Side, float | str]]]) -> None:
        columns = self.columns
        assert columns is not None
        tagged = columns.kind == "pool" and is_tag(columns)
        goodness: dict[str, float] = {}
        if tagged:
            found = Counter(str(merit) for group in pool.values() for *_, merit in group)
            goodness = decide_goodness(found, columns.judge or "", self.wishes.winner)
        ties = not tagged and columns.judge != "is_correct"
        for group in pool.values():
            row_of: dict[Side, int] = {}
            judged = []
            for row, side, merit in group:
                value = goodness[str(merit)] if tagged else float(merit)
                row_of.setdefault(side, row)
                if self.wishes.waiting or not np.isnan(value):
                    judged.append((side, value))
            before = len(self.lines)
            for one in ranked_pairs(judged, ties):
                if one.a == one.b:
                    self._lose(self.row_lines[row_of[one.a]], IDENTICAL)
                    continue
                rows = row_of[one.a], row_of[one.b]
                self._add(self.row_lines[max(rows)], rows, one, 1.0)
            self.idle += len(group) * (len(self.lines) == before)
        if tagged and pool and not len(self.lines):
            raise InputError(
                f"no prompt has both a good and a bad {columns.sides[0]}, so nothing is compared",
                file=self.source,
                fix="unpaired labels (KTO) compare nothing by themselves; give pairs",
            )

    def _add(self, line: int, rows: tuple[int, int], one: Judgement, weight: float) -> None:
        for side in (one.a, one.b):
            prompt = "" if self.wishes.models else side.prompt
            at = self.prompts.setdefault(prompt, len(self.prompts))
            self.ends.append(self.responses.setdefault((at, side.response), len(self.responses)))
        self.lines.append(line)
        self.row_of.extend(rows)
        self.margin.append(one.margin)
        self.weight.append(weight)
        self.annotators.append(one.annotator)
        if isinstance(one.label, str):
            self.tokens[one.label] += 1
            self.token.append(self.codes.setdefault(one.label, len(self.codes)))
            self.share.append(0.5)
        else:
            self.token.append(-1)
            self.share.append(one.label)

    def _lose(self, line: int, why: str) -> None:
        if self.strict:
            raise InputError(why)
        reason = why if why in self.skipped or len(self.skipped) < MOST_REASONS else "other"
        self.skipped.setdefault(reason, []).append(line)

    def _lose_row(self, line: int, error: InputError) -> None:
        placed = InputError(error.problem, file=self.source, line=line, fix=error.fix)
        if self.strict:
            raise placed from None
        self.first_lost = self.first_lost or placed
        self.lost_rows += 1
        self._lose(line, error.problem)

    def decide(self) -> None:
        """Decide what labels mean, and refuse a file of which too much cannot be used."""
        columns = self.columns
        assert columns is not None
        if self.lost_rows * 2 > self.count:
            assert self.first_lost is not None
            if self.lost_rows == self.count == 1 or len(self.skipped) == 1 == self.lost_rows:
                raise self.first_lost
            raise InputError(
                f"{self.lost_rows:,} of {self.count:,} rows cannot be used: "
                f"{describe_skipped(self.skipped)}",
                file=self.source,
                line=self.first_lost.line,
                fix=self.first_lost.fix or "correct the rows, or read another column: --column",
            )
        token = np.array(self.token, np.int64)
        self.shares = np.array(self.share)
        self.waits = np.isnan(self.shares)
        if self.codes:
            self.shares = np.where(token >= 0, self._shares()[token], self.shares)
        left_out = np.isnan(self.shares) & ~self.waits
        for line in np.array(self.lines, np.int64)[left_out].tolist():
            self.skipped.setdefault("left out as --winner says", []).append(line)
        if not (self.labels or self.waiting):
            why = f": {describe_skipped(self.skipped)}" if self.skipped else ""
            raise InputError(f"no comparisons{why}", file=self.source)

    @property
    def labels(self) -> int:
        """Comparisons with a label."""
        return int(np.sum(~np.isnan(self.shares)))

    @property
    def waiting(self) -> int:
        """Comparisons that wait for one."""
        return int(np.sum(self.waits))

    def laid(self, *, waiting: bool = False) -> PreferenceData:
        """Lay the comparisons out over the distinct responses, the preferred side first."""
        kept = self.waits if waiting else ~np.isnan(self.shares)
        share = np.full(int(kept.sum()), 0.5) if waiting else self.shares[kept]
        ends = np.array(self.ends, np.int64).reshape(-1, 2)[kept]
        swapped = share < 0.5
        row_of = np.array(self.row_of, np.int64).reshape(-1, 2)[kept]
        ends[swapped], row_of[swapped] = ends[swapped][:, ::-1], row_of[swapped][:, ::-1]
        share[swapped] = 1.0 - share[swapped]
        labelled = self.wishes.labelled and not waiting
        return self._data(ends, share, swapped, row_of, kept, labelled)

    def _shares(self) -> NDArray[np.float64]:
        columns = self.columns
        assert columns is not None
        sides = (columns.names[0], columns.names[1])
        decided = decide_codes(
            self.tokens,
            sides,
            (columns.sides[0], columns.sides[1]),
            " and ".join(columns.labels),
            self.wishes.winner,
        )
        return np.array([decided[token] for token in self.codes])

    def _data(
        self,
        ends: NDArray[np.int64],
        share: NDArray[np.float64],
        swapped: NDArray[np.bool_],
        row_of: NDArray[np.int64],
        kept: NDArray[np.bool_],
        labelled: bool,
    ) -> PreferenceData:
        columns = self.columns
        assert columns is not None
        used, at = _by_appearance(ends.ravel())
        pairs = list(self.responses)
        chosen = [pairs[i] for i in used.tolist()]
        prompt_used, prompt_of = _by_appearance(np.array([prompt for prompt, _ in chosen]))
        all_prompts = list(self.prompts)
        prompts = [all_prompts[i] for i in prompt_used.tolist()]
        texts = [text for _, text in chosen]
        a, b = at.reshape(-1, 2).T
        soft = bool(np.any((share != 1.0) & (share != 0.5)))
        margin, weight = np.array(self.margin)[kept], np.array(self.weight)[kept]
        winner = np.where(share > 0.5, 1, 0).astype(np.int8)
        whole = not np.isnan(margin).any()
        comparisons = Comparisons(
            np.arange(len(texts)),
            a,
            b,
            delta=margin * winner if whole and labelled else None,
            winner=winner if labelled else None,
            share=share if soft and labelled else None,
            weight=weight if columns.weight else None,
        )
        annotators = [who for who, stays in zip(self.annotators, kept, strict=True) if stays]
        data = PreferenceData(
            prompts=[_as_text(prompt, "user") for prompt in prompts],
            responses=[_as_text(response, "assistant") for response in texts],
            prompt_of=prompt_of,
            comparisons=comparisons,
            lines=np.array(self.lines, np.int64)[kept],
            source=self.source,
            shape=str(columns),
            swapped=swapped,
            annotators=annotators if any(annotators) else None,
            rows=self.rows,
            row_of=row_of,
            prompt_messages=_as_messages(prompts),
            response_messages=_as_messages(texts),
        )
        return replace(data, report=self._report(data, whole))

    def _report(self, data: PreferenceData, whole: bool) -> ReadingReport:
        columns = self.columns
        assert columns is not None
        notes = []
        if columns.margin and not whole:
            notes.append(f"{columns.margin} is not used: some rows have none")
        if columns.turn:
            notes.append(f"the prompt is what both responses share, up to {columns.turn.strip()!r}")
        if columns.kind == "tree":
            notes.append("the replies to each message are compared, as they were ranked")
        if columns.talks and not columns.prompt:
            notes.append("the prompt is what both conversations begin with")
        winner = data.comparisons.winner
        return ReadingReport(
            rows=self.count,
            comparisons=len(data.comparisons),
            prompts=len(data.prompts),
            responses=len(data.responses),
            ties=0 if winner is None else int(np.sum(winner == 0)),
            columns=columns.roles(),
            carried=tuple(self.carried),
            unused=tuple(self.unused),
            skipped={reason: tuple(lines) for reason, lines in self.skipped.items()},
            skipped_rows=self.lost_rows,
            idle=self.idle,
            notes=tuple(notes),
            flags=self.wishes.flags,
            keeping=self.keeping,
        )


def _sample(records: Iterator[tuple[int, Record]]) -> list[tuple[int, Record]]:
    """Take the first records, not too much of them."""
    found, size = [], 0
    for line, record in islice(records, SAMPLED):
        found.append((line, record))
        size += sum(len(value) for value in record.values() if isinstance(value, (str, list)))
        if size > SAMPLED_SIZE:
            break
    return found


def _by_appearance(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List distinct values in order of first appearance, and the place of each among them."""
    distinct, first, at = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return distinct[order], place[at].astype(np.int64)


def _as_text(text: Text, speaker: str) -> str:
    return text if isinstance(text, str) else render(text, speaker)


def _as_messages(texts: list[Text]) -> list[Messages] | None:
    return [text for text in texts if not isinstance(text, str)] or None
