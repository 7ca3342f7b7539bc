"""Conversations: Human/Assistant transcripts, lists of messages, and where their prompt ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ibn.errors import InputError, unknown_name
from ibn.preferences.fields import kind, take, text

# The turn that a reply begins with, in the transcripts of HH-RLHF.
ASSISTANT_TURN = "\n\nAssistant:"

ROLES = ("system", "developer", "user", "assistant", "tool", "function")

# Messages in order, each a role and its content.
Messages = tuple[tuple[str, str], ...]


def shared_length(a: Sequence[Any], b: Sequence[Any]) -> int:
    """Length of the longest common prefix, by bisection: Python compares slices fast."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def split_transcripts(a: str, b: str) -> tuple[str, str, str]:
    r"""Take the prompt out of two Human/Assistant transcripts.

    Parameters
    ----------
    a, b : str
        Whole transcripts, such as ``"\n\nHuman: Hi.\n\nAssistant: Hello."``.

    Returns
    -------
    prompt : str
        All they share, up to and with the last ``"\n\nAssistant:"`` they share; empty where they
        share no such turn. Never cut within a turn.
    response_a, response_b : str
        What follows, unchanged: prompt and response joined are the transcript again.
    """
    turn = a.rfind(ASSISTANT_TURN, 0, shared_length(a, b))
    end = turn + len(ASSISTANT_TURN) if turn >= 0 else 0
    return a[:end], a[end:], b[end:]


def split_messages(a: Messages, b: Messages) -> tuple[Messages, Messages, Messages]:
    """Take the prompt out of two conversations: all they share before the last shared reply.

    Parameters
    ----------
    a, b : tuple of (role, content)
        Whole conversations.

    Returns
    -------
    prompt : tuple of (role, content)
        The messages both begin with, up to the last place where both go on with an assistant's
        message; none where there is no such place.
    response_a, response_b : tuple of (role, content)
        The messages that follow.
    """
    end = min(shared_length(a, b), len(a) - 1, len(b) - 1)
    while end > 0 and not a[end][0] == b[end][0] == "assistant":
        end -= 1
    end = max(end, 0)
    return a[:end], a[end:], b[end:]


def parse_messages(value: list[Any], column: str) -> Messages:
    """Check a list of ``{"role": …, "content": …}``.

    Parameters
    ----------
    value : list
        Decoded JSON.
    column : str
        Its name in errors.

    Returns
    -------
    tuple of (role, content)
        Other keys of a message are dropped.

    Raises
    ------
    InputError
        If an item is no message or a role is unknown.
    """
    messages = []
    for message in value:
        if not isinstance(message, dict):
            raise InputError(f"a message in {column} is {kind(message)}, not an object")
        role = text(take(message, "role"), "role")
        if role not in ROLES:
            raise unknown_name("role", role[:40], ROLES)
        messages.append((role, text(take(message, "content"), "content")))
    return tuple(messages)


def render(messages: Messages, speaker: str) -> str:
    """Write messages as text.

    Parameters
    ----------
    messages : tuple of (role, content)
    speaker : str
        Who speaks where it need not be said: a lone message of this role is its content.

    Returns
    -------
    str
        Otherwise paragraphs, ``role: content`` each.
    """
    if len(messages) == 1 and messages[0][0] == speaker:
        return messages[0][1]
    return "\n\n".join(f"{role}: {content}" for role, content in messages)
