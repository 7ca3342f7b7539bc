"""What a record says, given the roles of its columns: sides, labels and who labelled."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Set
from itertools import combinations
from typing import Any, NamedTuple

from ibn.errors import InputError
from ibn.preferences.column_names import canonical
from ibn.preferences.column_roles import WAITING, Columns, Wishes
from ibn.preferences.columns import CORRECT, RANKED, RANKING, RANKS, TAGS
from ibn.preferences.fields import kind, names, number, structured, take, text, value_at
from ibn.preferences.label_codes import EITHER, FIRST, SECOND, certain_word, token_of
from ibn.preferences.source import Record
from ibn.preferences.transcripts import (
    Messages,
    holds_messages,
    parse_messages,
    render,
    split_messages,
    split_transcripts,
)

MOST_RESPONSES = 256  # of one record or prompt, whose pairs are about half its square

Text = str | Messages


class Side(NamedTuple):
    """One side of a comparison, as the file has it."""

    prompt: Text
    response: Text


class Judgement(NamedTuple):
    """One label of one pair.

    ``label`` is the share of a win that goes to ``a`` where the shape tells, or the file's own
    code, whose meaning is decided once all are known.
    """

    a: Side
    b: Side
    label: float | str  # not a number where a label is waited for
    margin: float = math.nan
    annotator: str | None = None


def judgements(
    columns: Columns, record: Record, wishes: Wishes, lose: Callable[[str], None]
) -> Iterator[Judgement]:
    """Read the comparisons of one record.

    Parameters
    ----------
    columns : Columns
    record : dict
    wishes : Wishes
    lose : callable
        Given the reason where a part of the record is left out.

    Raises
    ------
    InputError
        If the record cannot be used, without a place.
    """
    if columns.kind in ("pairs", "battles"):
        yield from _pair(columns, record, wishes, lose)
        return
    prompt = _prompt(columns, record)
    if columns.numbers == WAITING:
        judged = _unjudged(columns, record)
    elif columns.kind in ("list", "tree"):
        judged = _listed(columns, record, lose)
    else:
        judged = _solutions(columns, record)
    ties = columns.judge != CORRECT and not columns.choice
    yield from ranked_pairs(((Side(prompt, x), merit) for x, merit in judged), ties)


def ranked_pairs(judged: Iterable[tuple[Side, float]], ties: bool) -> Iterator[Judgement]:
    """Compare every two responses by their merit; equals tie, or are not compared."""
    # The same text with the same judgement twice is one response.
    distinct = list(dict.fromkeys(judged))
    if len(distinct) > MOST_RESPONSES:
        raise InputError(
            f"{len(distinct)} responses to one prompt, the most is {MOST_RESPONSES}",
            fix="write the comparisons as pairs",
        )
    for (a, merit_a), (b, merit_b) in combinations(distinct, 2):
        if math.isnan(merit_a + merit_b):
            yield Judgement(a, b, math.nan)
        elif merit_a != merit_b:
            yield Judgement(a, b, 1.0) if merit_a > merit_b else Judgement(b, a, 1.0)
        elif ties:
            yield Judgement(a, b, 0.5)


def pool_entry(columns: Columns, record: Record) -> tuple[Side, float | str]:
    """Read the one response of a record, with its merit or the code of its label."""
    (column,) = columns.sides
    side = Side(_prompt(columns, record), _spoken(columns, take(record, column), column))
    if columns.numbers == WAITING:
        return side, math.nan
    assert columns.judge is not None
    if is_tag(columns):
        token = token_of(value_at(record, columns.judge))
        if not token:
            raise InputError(f"{columns.judge} is empty")
        return side, token
    return side, _merit(take(record, columns.judge), columns.judge)


def is_tag(columns: Columns) -> bool:
    """Whether a pool's judge is a label, good or bad, rather than a score."""
    return columns.kind == "pool" and canonical(columns.judge or "") in TAGS


def _pair(
    columns: Columns, record: Record, wishes: Wishes, lose: Callable[[str], None]
) -> Iterator[Judgement]:
    a, b = _sides(columns, record)
    labelled, margin = wishes.labelled, _margin(columns, record)
    who = None if columns.annotator is None else value_at(record, columns.annotator)
    annotator = None if who in (None, "") else str(who)
    if not labelled or not (columns.labels or columns.probability):
        won = math.nan if columns.numbers == WAITING else 1.0
        yield Judgement(a, b, won if labelled else 0.5, margin, annotator)
        return
    if columns.probability:
        column, first = columns.probability
        share = number(take(record, column), column)
        if not 0 <= share <= 1:
            raise InputError(f"{column} is no probability: {share:g}")
        yield Judgement(a, b, share if first else 1.0 - share, margin, annotator)
        return
    if columns.numbers:
        told = _one_hot if columns.numbers == "one-hot" else _by_merit
        yield Judgement(a, b, told(columns, record), margin, annotator)
        return
    labels = list(_labels(columns, record, a, b, wishes.codes))
    empty = [column for column, token in labels if not token]
    if len(empty) == len(labels):
        if wishes.waiting:
            yield Judgement(a, b, math.nan, margin, annotator)
            return
        raise InputError(f"{' and '.join(columns.labels)} without a label")
    for column in empty:
        lose(f"{column} without a label")
    for column, token in labels:
        if token:
            who = column if len(columns.labels) > 1 else annotator
            yield Judgement(a, b, token, margin, who)


def _labels(
    columns: Columns, record: Record, a: Side, b: Side, given: Set[str]
) -> Iterator[tuple[str, str]]:
    """List the labels of a pair, each with its column."""
    for column in columns.labels:
        value = structured(value_at(record, column))
        several = value if isinstance(value, list) else [value]
        if len(several) > MOST_RESPONSES:
            raise InputError(f"{column} lists {len(several)} labels")
        for one in several:
            token = token_of(one)
            if isinstance(one, str) and token not in given:  # what the user says goes before
                token = _standing(columns, record, a, b, one.strip(), token)
            yield column, token


def _sides(columns: Columns, record: Record) -> tuple[Side, Side]:
    first, second = columns.sides
    a, b = structured_side(take(record, first)), structured_side(take(record, second))
    if columns.kind == "battles":
        prompt = _prompt(columns, record) if columns.prompt else ""
        items = text(a, first).strip(), text(b, second).strip()
        return Side(prompt, items[0]), Side(prompt, items[1])
    x, y = _spoken(columns, a, first), _spoken(columns, b, second)
    if columns.full and len(x) > 1:
        return Side(_talk(x)[:-1], x[-1:]), Side(_talk(x)[:-1], y)
    if columns.prompt:
        prompt = _prompt(columns, record)
        other = prompt if columns.prompt_b is None else _prompt(columns, record, columns.prompt_b)
        asked = value_at(record, columns.prompt[0])
        if columns.talks and isinstance(asked, str) and all(("user", asked) in z for z in (x, y)):
            # Told in short and again in full in the conversations.
            prompt, x, y = split_messages(*map(_talk, (x, y)))
            return Side(prompt, x), Side(prompt, y)
        return _behind(prompt, x), _behind(other, y)
    if columns.talks:
        prompt, x, y = split_messages(*map(_talk, (x, y)))
    elif columns.turn:
        prompt, x, y = split_transcripts(str(x), str(y), columns.turn)
    else:
        prompt = ""
    return Side(prompt, x), Side(prompt, y)


def structured_side(value: Any) -> Any:
    """Decode a side that a cell holds as JSON, where it is messages."""
    decoded = structured(value)
    return decoded if holds_messages(decoded) or not isinstance(value, str) else value


def _talk(said: Text) -> Messages:
    assert not isinstance(said, str)
    return said


def _behind(prompt: Text, response: Text) -> Side:
    """Take off the messages of its prompt that a conversation begins with."""
    repeats = not isinstance(response, str) and response[: len(prompt)] == prompt
    if repeats and 0 < len(prompt) < len(response):
        return Side(prompt, response[len(prompt) :])
    return Side(prompt, response)


def _spoken(columns: Columns, value: Any, column: str) -> Text:
    """Read a response, in the form that the file has."""
    value = structured_side(value)
    if not columns.talks:
        return text(value, column)
    if not isinstance(value, (list, dict)):
        return (("assistant", text(value, column)),)
    messages = parse_messages(value, column)
    if not messages:
        raise InputError(f"{column} is a conversation without messages")
    return messages


def _prompt(columns: Columns, record: Record, only: str | None = None) -> Text:
    """Read the prompt, its columns joined."""
    which = (only,) if only else columns.prompt
    found: list[Any] = []
    for column in which:
        value = structured_side(value_at(record, column))
        if value is None and len(which) == 1:
            take(record, column)
        if value not in (None, "", []) or len(which) == 1:
            found.append((column, value))
    if columns.talks:
        messages: list[tuple[str, str]] = []
        for column, value in found:
            for role, said in _asked(value, column):
                if isinstance(value, str) and messages and messages[-1][0] == role == "user":
                    role, said = role, f"{messages.pop()[1]}\n\n{said}"  # instruction and input
                messages.append((role, said))
        return tuple(messages)
    return "\n\n".join(
        _history(value) if isinstance(value, list) else text(value, column)
        for column, value in found
    )


def _asked(value: Any, column: str) -> Messages:
    if isinstance(value, (list, dict)):
        return parse_messages(value, column)
    role = "system" if column.lower().startswith("system") else "user"
    return ((role, text(value, column)),)


def _history(turns: list[Any]) -> str:
    """Write earlier turns, [question, answer] each, as text."""
    if holds_messages(turns):
        return render(parse_messages(turns, "history"), "")
    if not all(isinstance(turn, list) and len(turn) == 2 for turn in turns):
        raise InputError("a list of no messages and no turns as a prompt")
    pairs = ((("user", text(q, "a turn")), ("assistant", text(a, "a turn"))) for q, a in turns)
    return render(tuple(message for pair in pairs for message in pair), "")


def _margin(columns: Columns, record: Record) -> float:
    value = value_at(record, columns.margin) if columns.margin else None
    if value in (None, ""):
        return math.nan
    margin = number(value, columns.margin or "")
    if margin < 0:
        raise InputError(f"{columns.margin} is negative: {margin}", fix="swap the two responses")
    return margin


def _standing(columns: Columns, record: Record, a: Side, b: Side, said: str, token: str) -> str:
    """Say which side a label names by what stands there; the token as it is where none."""
    if token in ("", "0", "1", "2"):
        return token
    for first, second in _stand_for(columns, record, a, b):
        if first != second and said in (first, second):
            beside = tuple(map(canonical, columns.models))
            called = (columns.names, beside) if beside else (columns.names,)
            if {certain_word(token, *sides) for sides in called} & {float(said != first)}:
                return EITHER + token
            return FIRST if said == first else SECOND
    return token


def _stand_for(columns: Columns, record: Record, a: Side, b: Side) -> Iterator[tuple[str, str]]:
    if isinstance(a.response, str) and isinstance(b.response, str):
        yield a.response, b.response
    if columns.models:
        first, second = (str(value_at(record, column)) for column in columns.models)
        yield first, second


def _one_hot(columns: Columns, record: Record) -> float:
    values = [number(take(record, column), column) for column in columns.labels]
    if sorted(values) != [0.0] * (len(values) - 1) + [1.0]:
        raise InputError(f"not one of {', '.join(columns.labels)} is 1")
    return (1.0, 0.0, 0.5)[min(values.index(1.0), 2)]


def _by_merit(columns: Columns, record: Record) -> float:
    a, b = (_merit(take(record, column), canonical(column)) for column in columns.labels)
    return 0.5 + 0.5 * ((a > b) - (a < b))


def _listed(
    columns: Columns, record: Record, lose: Callable[[str], None]
) -> Iterator[tuple[Text, float]]:
    """Read a list of responses, each with a number of which more is better."""
    (column,), judge = columns.sides, columns.judge
    items = _list(record, column)
    if columns.choice:
        best = number(take(record, columns.choice), columns.choice)
        if best not in range(len(items)):
            raise InputError(f"{columns.choice} is {best:g}, of {len(items)} {column}")
        for at, item in enumerate(items):
            inner = columns.text
            yield text(take(item, inner), inner) if inner else text(item, column), float(at == best)
        return
    assert judge is not None
    if columns.text:
        for item in items:
            if not isinstance(item, dict):
                raise InputError(f"one of {column} is {kind(item)}, not an object")
            if token_of(value := value_at(item, judge)):
                yield text(take(item, columns.text), columns.text), _merit(value, judge)
            else:
                lose(f"a response without {judge}")
        return
    if judge == RANKED[0]:
        verdicts: list[Any] = list(range(len(items), 0, -1))
    else:
        verdicts = _list(record, judge)
        if len(verdicts) != len(items):
            raise InputError(f"{len(verdicts)} {judge} for {len(items)} {column}")
        verdicts = _places(verdicts) if judge == RANKING else verdicts
    for item, verdict in zip(items, verdicts, strict=True):
        if token_of(verdict) and item is not None:
            yield text(item, f"one of {column}"), _merit(verdict, judge)
        else:
            lose(f"a response without {judge if item is not None else 'text'}")


def _unjudged(columns: Columns, record: Record) -> Iterator[tuple[Text, float]]:
    """Read a list of responses that nobody has judged."""
    (column,), inner = columns.sides, columns.text
    for item in _list(record, column):
        said = text(take(item, inner), inner) if inner else text(item, f"one of {column}")
        yield said, math.nan


def _solutions(columns: Columns, record: Record) -> Iterator[tuple[Text, float]]:
    objects = (item for item in map(structured, record.values()) if isinstance(item, dict))
    judged = [item for item in objects if CORRECT in item]
    if not judged:
        raise InputError(f"nothing with {CORRECT} in the columns {names(record)}")
    for item in judged:
        name = columns.text or ""
        yield text(take(item, name), name), _merit(take(item, CORRECT), CORRECT)


def _list(record: Record, column: str) -> list[Any]:
    value = structured(take(record, column))
    if not isinstance(value, list):
        raise InputError(f"{column} is {kind(value)}, not a list")
    return value


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
    name = canonical(judge)
    if name == CORRECT:
        if token_of(value) not in ("0", "1", "true", "false"):
            raise InputError(f"{judge} is {kind(value)}, not true or false")
        return float(token_of(value) in ("1", "true"))
    merit = number(value, judge)
    return -merit if name in (*RANKS, RANKING) or name.startswith("rank_") else merit
