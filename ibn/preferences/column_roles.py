"""What the user says of a file, the roles of its columns, and its first records by column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ibn.errors import InputError, unknown_name
from ibn.preferences.column_names import (
    by_canonical,
)
from ibn.preferences.fields import names, structured, value_at
from ibn.preferences.label_codes import GOODNESS, MEANINGS, meant, token_of
from ibn.preferences.source import Record

WAITING = "waiting"  # for labels: nothing says which response is better

ROLES = (
    *("prompt", "system", "chosen", "rejected", "response_a", "response_b", "winner", "margin"),
    *("prompt_a", "prompt_b", "responses", "scores", "ranks", "ranking", "ranked", "response"),
    *("weight", "annotator", "probability_a", "probability_b", "model_a", "model_b"),
    "choice",
)


@dataclass(frozen=True)
class Wishes:
    """What the user says about a file.

    Attributes
    ----------
    columns : mapping of str to str
        What the file calls a column, by role; several that make one prompt are joined by ``+``.
    winner : mapping of str to str, optional
        What labels mean: a, b, tie or skip.
    score : str, optional
        The column of scores.
    no_prompt : bool
        There are no prompts.
    labelled : bool
        Pairs must say which is the better.
    waiting : bool
        Pairs without a label are kept, apart from the others.
    models : bool
        Compare the models rather than what they said.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    winner: Mapping[str, str] | None = None
    score: str | None = None
    no_prompt: bool = False
    labelled: bool = True
    waiting: bool = False
    models: bool = False

    @cached_property
    def codes(self) -> frozenset[str]:
        """Tokens of the labels whose meaning is given."""
        return frozenset(map(token_of, self.winner or ()))

    @property
    def flags(self) -> tuple[str, ...]:
        """What a command line says to wish this."""
        found = [x for role, name in self.columns.items() for x in ("--column", f"{role}={name}")]
        if self.winner:
            meanings = ",".join(f"{value}={meaning}" for value, meaning in self.winner.items())
            found += ["--winner", meanings]
        found += ["--score", self.score] if self.score else []
        return (*found, *(["--no-prompt"] if self.no_prompt else []))

    def __post_init__(self) -> None:
        for role in self.columns:
            if role not in ROLES:
                raise unknown_name("column", role, ROLES)
        meant(self.winner, MEANINGS | GOODNESS)


@dataclass(frozen=True)
class Columns:
    """The role of each column of a file.

    Attributes
    ----------
    kind : {"pairs", "battles", "list", "solutions", "pool", "tree"}
        Two responses a record, two models, several responses, several judged objects, one, or
        one message of a tree.
    prompt : tuple of str
        Columns that together make the prompt, joined in this order; none where the prompt is
        inside, or there is none.
    sides : tuple of str
        Two columns of responses, or one of their list or of the single response.
    names : tuple of str
        Canonical names of the sides, by which labels may name them.
    prompt_b : str, optional
        The prompt of the second side, where it has its own.
    labels : tuple of str
        Columns of labels: one, one each annotator, or one-hot; none where the sides tell.
    numbers : {"", "one-hot", "merits", "waiting"}
        Whether ``labels`` are first, second and ties, of which one is 1; or a score or rank a side.
    models : tuple of str
        Columns of the models beside, which a label may name.
    probability : tuple of (str, bool), optional
        A column of probabilities, and whether it is the first side's.
    judge : str, optional
        What judges the responses of a list or pool.
    text : str, optional
        Where in an object of a list the response is.
    margin, weight, annotator : str, optional
        Their columns.
    choice : str, optional
        A column of the position, from 0, of the best of a list.
    tree : mapping of str to str
        What a tree of messages calls its columns.
    full : bool
        Whether the first side is a whole conversation, the second only what would end it.
    talks : bool
        Whether prompts or responses are lists of messages.
    turn : str, optional
        What begins a reply in transcripts that hold their prompt.
    """

    kind: str
    prompt: tuple[str, ...]
    sides: tuple[str, ...]
    names: tuple[str, ...]
    prompt_b: str | None = None
    labels: tuple[str, ...] = ()
    numbers: str = ""
    choice: str | None = None
    tree: Mapping[str, str] = field(default_factory=dict)
    full: bool = False
    models: tuple[str, ...] = ()
    probability: tuple[str, bool] | None = None
    judge: str | None = None
    text: str | None = None
    margin: str | None = None
    weight: str | None = None
    annotator: str | None = None
    talks: bool = False
    turn: str | None = None

    def roles(self) -> dict[str, list[str]]:
        """List the columns used, by what for."""
        probability = [self.probability[0]] if self.probability else []
        found = {
            "prompt": [*self.prompt, *([self.prompt_b] if self.prompt_b else [])],
            "responses": list(self.sides),
            "label": [
                *self.labels,
                *probability,
                *([self.judge] if self.judge else []),
                *([self.choice] if self.choice else []),
            ],
            "margin": [self.margin] if self.margin else [],
            "weight": [self.weight] if self.weight else [],
            "annotator": [self.annotator] if self.annotator else [],
        }
        return {role: columns for role, columns in found.items() if columns}

    @cached_property
    def used(self) -> set[str]:
        """Names of the columns that are used, or of the places in them."""
        return {name for columns in self.roles().values() for name in columns} | {
            *self.tree.values()
        }

    @cached_property
    def opened(self) -> set[str]:
        """Names of the objects that used places stand in."""
        return {name.partition(".")[0] for name in self.used} - self.used

    def unused_places(self, record: Record) -> Iterator[str]:
        """List what takes no part of the objects in which a response or the prompt stands."""
        for outer in self.opened:
            yield from _beside(outer, structured(record.get(outer)), self.used)
        if self.kind == "list" and self.text:
            (column,) = self.sides
            taken = {f"{column}.{name}" for name in (self.text, self.judge) if name}
            items = structured(record.get(column))
            for item in items if isinstance(items, list) else ():
                yield from _beside(column, item, taken)
        if self.kind == "solutions":
            taken = {f"{column}.{name}" for column in record for name in (self.text, self.judge)}
            for column, value in record.items():
                yield from _beside(column, structured(value), taken)

    def __str__(self) -> str:
        what = "conversations" if self.talks else "transcripts" if self.turn else "texts"
        what = "models" if self.kind == "battles" else what
        return f"{'/'.join(name for x in self.roles().values() for name in x)} {what}"


def _beside(path: str, value: object, taken: Set[str]) -> Iterator[str]:
    """List the places of an object that are not taken, down to where the taken ones stand."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        place = f"{path}.{key}"
        if any(name.startswith(f"{place}.") for name in taken):
            yield from _beside(place, inner, taken)
        elif place not in taken:
            yield place


class Sample:
    """The first records of a file, by column."""

    def __init__(self, records: Sequence[Record], wishes: Wishes) -> None:
        self.records, self.wishes = records, wishes
        self.keys = list(dict.fromkeys(key for record in records for key in record))
        self.known = by_canonical(self.keys)
        for role, column in wishes.columns.items():
            for part in self.parts(column):
                if not any(value_at(record, part) is not None for record in records):
                    raise InputError(f"no column {part!r}; there are {names(self.keys)}")
            self.known[role] = column

    def parts(self, column: str) -> tuple[str, ...]:
        """Take apart a wish for columns that are joined by ``+``."""
        return (column,) if column in self.keys else tuple(column.split("+"))

    def values(self, column: str, most: int = 50) -> list[Any]:
        """First values of a column that are there, JSON in cells decoded."""
        found = (value_at(record, column) for record in self.records)
        return [structured(value) for value in found if value not in (None, "")][:most]

    def first(self, canonical_names: Sequence[str], *, filled: bool = True) -> str | None:
        """First column known by one of these names."""
        for name in canonical_names:
            if name in self.known and (not filled or self.values(self.known[name], 1)):
                return self.known[name]
        return None

    def pair(self, pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...] | None:
        """First two columns known by a pair of names: the names, and the columns."""
        for pair in pairs:
            if all(name in self.known for name in pair):
                return pair, (self.known[pair[0]], self.known[pair[1]])
        return None
