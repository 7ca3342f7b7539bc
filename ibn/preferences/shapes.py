"""Shapes of preference records: which columns say what, and the comparisons a record holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple, Protocol

from ibn.errors import InputError
from ibn.preferences.fields import kind, names, number, structured, take, text
from ibn.preferences.source import Record
from ibn.preferences.transcripts import (
    ASSISTANT_TURN,
    Messages,
    parse_messages,
    split_messages,
    split_transcripts,
)

PROMPTS = ("prompt", "instruction", "question", "problem", "query", "history")
STEMS = ("response", "conversation", "answer", "completion", "output", "summary", "human_ref")
ENDS = (("_a", "_b"), ("_A", "_B"), ("_0", "_1"), ("_1", "_2"))
SIDES = (
    ("chosen", "rejected"),
    *((stem + a, stem + b) for stem in STEMS for a, b in ENDS),
    ("model_a", "model_b"),  # a leaderboard's battles: the models themselves are compared
)
VERDICTS = ("winner", "better_response_id", "preference", "preferred", "labels", "label", "choice")
LISTS = ("responses", "completions", "answers", "candidates")
TEXTS = ("response", "text", "solution", "completion", "answer", "content", "output")
COLUMNS = (
    *("prompt", "chosen", "rejected", "response_a", "response_b", "winner", "margin"),
    *("prompt_a", "prompt_b", "responses", "scores", "ranks", "ranking"),
)

CORRECT = "is_correct"
RANKS = ("rank", "ranks")
SCORES = ("score", "scores", "overall_score", "rating", "ratings")
RANKING = "ranking"
MOST_RESPONSES = 256  # of one record, whose pairs are about half its square

WINNERS = {
    **dict.fromkeys(("a", "model_a", "response_a"), 1),
    **dict.fromkeys(("b", "model_b", "response_b"), -1),
    **dict.fromkeys(("tie", "draw", "tie (bothbad)", "bothbad", "both_bad"), 0),
}

Text = str | Messages


class Side(NamedTuple):
    """One side of a comparison, as the file has it."""

    prompt: Text
    response: Text


class Judgement(NamedTuple):
    """One comparison: winner is +1 where a is preferred, -1 where b is, 0 for a tie."""

    a: Side
    b: Side
    winner: int
    margin: float | None = None


class Shape(Protocol):
    """How to read the records of a file."""

    @property
    def name(self) -> str:
        """Its columns and what they hold, for people."""
        ...

    def judgements(self, record: Record) -> Iterator[Judgement]:
        """Read one record.

        Raises
        ------
        InputError
            If the record does not have this shape, without a place.
        """
        ...


@dataclass(frozen=True)
class PairShape:
    """Two responses a record.

    Attributes
    ----------
    a, b : str
        Their columns.
    prompts : tuple of str, optional
        The column of each one's prompt; without it the prompt is what both begin with.
    form : {"texts", "transcripts", "conversations", "items"}
        What the columns hold; items are compared whatever the prompt.
    winner : str, optional
        The column that names the better, or lists what several annotators named; without it ``a``
        is.
    margin : bool
        Whether a column ``margin`` says by how much.
    """

    a: str
    b: str
    prompts: tuple[str, str] | None
    form: str
    winner: str | None
    margin: bool

    @property
    def name(self) -> str:
        """Its columns and what they hold, for people."""
        columns = [*dict.fromkeys(self.prompts or ()), self.a, self.b]
        columns += [self.winner] if self.winner else []
        columns += ["margin"] if self.margin else []
        return f"{'/'.join(columns)} {self.form}"

    def judgements(self, record: Record) -> Iterator[Judgement]:
        """Read one record."""
        a, b = take(record, self.a), take(record, self.b)
        if self.form == "conversations":
            sides = self._conversations(record, a, b)
        else:
            sides = self._texts(record, text(a, self.a), text(b, self.b))
        winners = self._winners(record)
        if (record.get("margin") is not None) != self.margin:
            raise InputError("some records have a margin and some have none")
        if not self.margin:
            yield from (Judgement(*sides, winner) for winner in winners)
            return
        margin = number(record["margin"], "margin")
        if margin < 0:
            raise InputError(f"margin is negative: {margin}", fix="swap the two responses")
        yield from (Judgement(*sides, winner, winner * margin) for winner in winners)

    def _winners(self, record: Record) -> list[int]:
        """Read the verdict, or those of several annotators."""
        if not self.winner:
            return [1]
        value = structured(take(record, self.winner))
        verdicts = value if isinstance(value, list) else [value]
        if not 0 < len(verdicts) <= MOST_RESPONSES:
            raise InputError(f"{self.winner} lists {len(verdicts)} verdicts")
        codes = _codes(self.a, self.b)
        return [_winner(verdict, self.winner, codes) for verdict in verdicts]

    def _texts(self, record: Record, a: str, b: str) -> tuple[Side, Side]:
        if self.prompts:
            prompt_a, prompt_b = (_prompt_text(record, column) for column in self.prompts)
            return Side(prompt_a, a), Side(prompt_b, b)
        if self.form == "items":
            return Side("", a), Side("", b)
        _check_no_prompt(record)
        if _are_transcripts(a, b) != (self.form == "transcripts"):
            raise InputError(
                "some records are Human/Assistant transcripts and some are not",
                fix="put them in separate files",
            )
        prompt = ""
        if self.form == "transcripts":
            prompt, a, b = split_transcripts(a, b)
        return Side(prompt, a), Side(prompt, b)

    def _conversations(self, record: Record, a: Any, b: Any) -> tuple[Side, Side]:
        a, b = _messages(a, self.a), _messages(b, self.b)
        if not a or not b:
            raise InputError(f"{self.b if a else self.a} is a conversation without messages")
        if self.prompts:
            prompts = [structured(take(record, column)) for column in self.prompts]
            # A prompt told twice, as text and in the conversation: the conversation has it right.
            if not all(
                isinstance(prompt, str) and ("user", prompt) in conversation
                for prompt, conversation in zip(prompts, (a, b), strict=True)
            ):
                prompt_a, prompt_b = map(_prompt, prompts, self.prompts)
                return Side(prompt_a, a), Side(prompt_b, b)
        else:
            _check_no_prompt(record)
        prompt, a, b = split_messages(a, b)
        return Side(prompt, a), Side(prompt, b)


@dataclass(frozen=True)
class ListShape:
    """Several responses a record, each of them judged; every two with a verdict are compared.

    Attributes
    ----------
    prompt : str
        The column of their prompt.
    responses : str, optional
        The column of their list; without it they are the objects among the record's values.
    text : str, optional
        Where in an object the response is; without it the list holds texts.
    judge : str
        What judges: ``is_correct`` (only right and wrong are compared), a score (more is better)
        or a rank (less is better) of each object, or in a column of its own of each text; or
        ``ranking``, a column with the positions of the texts, counted from 0, best first.
    """

    prompt: str
    responses: str | None
    text: str | None
    judge: str

    @property
    def name(self) -> str:
        """Its columns and what they hold, for people."""
        return f"{self.prompt}/{self.responses or 'several'} judged by {self.judge}"

    def judgements(self, record: Record) -> Iterator[Judgement]:
        """Read one record."""
        prompt = _prompt_text(record, self.prompt)
        # The same text with the same judgement twice is one response.
        judged = list(dict.fromkeys(self._judged(record)))
        if len(judged) > MOST_RESPONSES:
            raise InputError(
                f"{len(judged)} responses in one record, the most is {MOST_RESPONSES}",
                fix="write the comparisons as pairs",
            )
        for (x, merit_x), (y, merit_y) in combinations(judged, 2):
            a, b = Side(prompt, x), Side(prompt, y)
            if merit_x == merit_y:
                if self.judge != CORRECT:
                    yield Judgement(a, b, 0)
            else:
                yield Judgement(a, b, 1) if merit_x > merit_y else Judgement(b, a, 1)

    def _judged(self, record: Record) -> Iterator[tuple[str, float]]:
        """Read the responses, each with a number of which more is better."""
        if self.responses:
            what, items = f"one of {self.responses}", _list(record, self.responses)
        else:
            what, items = "a solution", _judged_objects(record)
            if not items:
                raise InputError(f"nothing with {CORRECT} in the columns {names(record)}")
        if self.text:
            for item in items:
                if not isinstance(item, dict):
                    raise InputError(f"{what} is {kind(item)}, not an object")
                response = text(take(item, self.text), self.text)
                yield response, _merit(take(item, self.judge), self.judge)
            return
        verdicts = _list(record, self.judge)
        if len(verdicts) != len(items):
            raise InputError(f"{len(verdicts)} {self.judge} for {len(items)} {self.responses}")
        if self.judge == RANKING:
            verdicts = _places(verdicts)
        for item, verdict in zip(items, verdicts, strict=True):
            yield text(item, what), _merit(verdict, self.judge)


def detect_shape(record: Record, labelled: bool = True) -> Shape:
    """Tell the shape of a file from its first record.

    Parameters
    ----------
    record : dict
    labelled : bool
        Whether pairs must say which is the better.

    Raises
    ------
    InputError
        If it is no shape known, saying which columns there are.
    """
    prompt = next((name for name in PROMPTS if record.get(name) is not None), None)
    for a, b in SIDES[:-1]:
        if a in record and b in record:
            return _pair_shape(record, a, b, prompt, labelled)
    for column in LISTS:
        if isinstance(items := structured(record.get(column)), list):
            return _list_shape(record, column, items, prompt)
    if found := _judged_objects(record):
        return ListShape(prompt or PROMPTS[0], None, _first(TEXTS, found[0]), CORRECT)
    a, b = SIDES[-1]
    if a in record and b in record:
        return _pair_shape(record, a, b, None, labelled)
    for sides in SIDES:
        for column in sides:
            if column not in record and any(side in record for side in sides):
                take(record, column)
    raise InputError(
        f"no preferences in the columns {names(record)}",
        fix="there should be chosen and rejected, or response_a, response_b and winner, "
        "or responses with scores or ranks",
    )


def _pair_shape(record: Record, a: str, b: str, prompt: str | None, labelled: bool) -> PairShape:
    first, second = take(record, a), take(record, b)
    winner = None
    if labelled and a != "chosen":
        winner = next((name for name in VERDICTS if record.get(name) is not None), VERDICTS[0])
    margin = record.get("margin") is not None
    if (a, b) == SIDES[-1]:
        return PairShape(a, b, None, "items", winner, margin)
    prompts = (prompt, prompt) if prompt else None
    if prompts is None and {"prompt_a", "prompt_b"} <= record.keys():
        prompts = ("prompt_a", "prompt_b")
    form = "texts"
    if _is_conversation(first):
        form = "conversations"
    elif prompts is None and _are_transcripts(text(first, a), text(second, b)):
        form = "transcripts"
    return PairShape(a, b, prompts, form, winner, margin)


def _list_shape(record: Record, column: str, items: list[Any], prompt: str | None) -> ListShape:
    if not items:
        raise InputError(f"{column} is empty", fix="remove the record")
    prompt = prompt or PROMPTS[0]
    if isinstance(items[0], dict):
        judge = _first((CORRECT, *SCORES, *RANKS), items[0])
        return ListShape(prompt, column, _first(TEXTS, items[0]), judge)
    return ListShape(prompt, column, None, _first((*SCORES, *RANKS, RANKING), record))


def _first(known: tuple[str, ...], record: Record) -> str:
    """Return the first known name that a record has."""
    for name in known:
        if record.get(name) is not None:
            return name
    raise InputError(f"none of {', '.join(known)}; there are {names(record)}")


def _is_conversation(value: Any) -> bool:
    """Whether a value is a list, or text that is no less than a list of messages in JSON."""
    if not isinstance(value, str):
        return isinstance(value, list)
    decoded = structured(value)
    return isinstance(decoded, list) and all(
        isinstance(message, dict) and "role" in message for message in decoded or [None]
    )


def _check_no_prompt(record: Record) -> None:
    for name in PROMPTS:
        if record.get(name) is not None:
            raise InputError("some records have a prompt and some have none")


def _are_transcripts(a: str, b: str) -> bool:
    return ASSISTANT_TURN in a and ASSISTANT_TURN in b


def _judged_objects(record: Record) -> list[Record]:
    objects = map(structured, record.values())
    return [item for item in objects if isinstance(item, dict) and CORRECT in item]


def _list(record: Record, column: str) -> list[Any]:
    value = structured(take(record, column))
    if not isinstance(value, list):
        raise InputError(f"{column} is {kind(value)}, not a list")
    return value


def _messages(value: Any, column: str) -> Messages:
    value = structured(value)
    if not isinstance(value, list):
        raise InputError(f"{column} is {kind(value)}, not a list of messages")
    return parse_messages(value, column)


def _prompt_text(record: Record, column: str) -> str:
    """Read a prompt; an instruction may have its input in a column of its own, as in Alpaca's."""
    prompt = text(take(record, column), column)
    if column == "instruction" and record.get("input"):
        return f"{prompt}\n\n{text(record['input'], 'input')}"
    return prompt


def _prompt(value: Any, column: str) -> Messages:
    return (("user", text(value, column)),) if isinstance(value, str) else _messages(value, column)


def _places(ranking: list[Any]) -> list[int]:
    """Turn positions, best first, into the place of each position."""
    order = [number(position, f"one of {RANKING}") for position in ranking]
    if sorted(order) != list(range(len(order))):
        raise InputError(
            f"{RANKING} is not the positions of the responses, counted from 0, best first",
            fix="ranks, one a response and 1 the best, go in a column named ranks",
        )
    return sorted(range(len(order)), key=order.__getitem__)


def _merit(value: Any, judge: str) -> float:
    """Turn a judgement into a number of which more is better."""
    if judge == CORRECT:
        if value not in (0, 1):
            raise InputError(f"{judge} is {kind(value)}, not true or false")
        return float(value)
    merit = number(value, judge)
    return -merit if judge in (*RANKS, RANKING) else merit


def _codes(a: str, b: str) -> dict[str, int]:
    """Tell which verdict means which of two columns."""
    codes = WINNERS | {a.lower(): 1, b.lower(): -1}
    if a == "human_ref_A":  # SHP: 1 where A is preferred
        return codes | {"1": 1, "0": -1}
    if a[-1].isdigit():
        codes |= {a[-1]: 1, b[-1]: -1}
    return codes


def _winner(value: Any, column: str, codes: dict[str, int]) -> int:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = f"{value:g}" if abs(value) < 10 else str(value)[:40]
    if isinstance(value, str) and (winner := codes.get(value.strip().lower())) is not None:
        return winner
    shown = repr(value[:40]) if isinstance(value, str) else kind(value)
    known = [code for code, winner in codes.items() if winner and len(code) == 1]
    raise InputError(f"{column} is {shown}", fix=f"{', '.join(known)} or tie")
