"""Trees of messages, a message a row, whose replies people ranked (OpenAssistant)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ibn.preferences.source import Record
from ibn.preferences.transcripts import ROLES

COLUMNS = ("message_id", "parent_id", "text", "role", "rank")
DEEPEST = 1000  # messages of one conversation


class _Message(NamedTuple):
    line: int
    parent: str | None
    role: str
    said: Any
    rank: Any


def sibling_replies(
    rows: Iterable[tuple[int, Record]], names: Mapping[str, str]
) -> Iterator[tuple[int, Record]]:
    """Gather the replies to each message that has several.

    Parameters
    ----------
    rows : iterable of (line, record)
        All messages, in any order.
    names : mapping of str to str
        What the file calls each of ``COLUMNS``.

    Yields
    ------
    line : int
        Of the first reply.
    record : dict
        Under the names of ``parent_id``, ``text`` and ``rank``: the conversation up to the
        message (null where a part of it is not in the file), the replies, and their ranks.
    """
    messages: dict[str, _Message] = {}
    replies = defaultdict(list)
    for line, row in rows:
        key, parent, said, role, rank = (row.get(names[column]) for column in COLUMNS)
        above = None if parent in (None, "") else str(parent)
        one = _Message(line, above, str(role), said, rank)
        messages[str(key)] = one
        if above is not None and ROLES.get(one.role.lower()) == "assistant":
            replies[above].append(one)
    for parent_id, several in replies.items():
        if len(several) > 1:
            record = {
                names["parent_id"]: _conversation(messages, parent_id),
                names["text"]: [one.said for one in several],
                names["rank"]: [one.rank for one in several],
            }
            yield several[0].line, record


def _conversation(messages: Mapping[str, _Message], last: str) -> list[Record] | None:
    """Follow the parents from a message to the first."""
    found: list[Record] = []
    at: str | None = last
    while at is not None:
        one = messages.get(at)
        if one is None or len(found) == DEEPEST:
            return None
        found.append({"role": one.role, "content": one.said})
        at = one.parent
    return found[::-1]
