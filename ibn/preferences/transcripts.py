"""Conversations: Human/Assistant transcripts, lists of messages, and where their prompt ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ibn.errors import InputError, unknown_name
from ibn.preferences.fields import kind, take, text

# What a reply begins with, in transcripts: HH-RLHF's first.
TURNS = (
    *("\n\nAssistant:", "<|im_start|>assistant\n", "<|assistant|>", "[/INST]", "\nAssistant:"),
    *("### Response:", "### Assistant:", "<start_of_turn>model\n"),
)

ROLES = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "bot", "model", "ai", "chatbot", "chatgpt"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "ipython", "function_response"), "tool"),
    **dict.fromkeys(("function_call", "tool_call"), "assistant"),
}

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


def split_transcripts(a: str, b: str, turn: str) -> tuple[str, str, str]:
    r"""Take the prompt out of two transcripts.

    Parameters
    ----------
    a, b : str
        Whole transcripts, such as ``"\n\nHuman: Hi.\n\nAssistant: Hello."``.
    turn : str
        What begins a reply, such as ``"\n\nAssistant:"``.

    Returns
    -------
    prompt : str
        All they share, up to and with the last turn they share; empty where they share none.
        Never cut within a turn.
    response_a, response_b : str
        What follows, unchanged: prompt and response joined are the transcript again.
    """
    at = a.rfind(turn, 0, shared_length(a, b))
    end = at + len(turn) if at >= 0 else 0
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

    Raises
    ------
    InputError
        If one of them ends where the prompt does, without a reply.
    """
    shared = shared_length(a, b)
    if 0 < shared == min(len(a), len(b)) and a[shared - 1][0] != "assistant":
        raise InputError("a conversation ends without a reply")
    end = min(shared, len(a) - 1, len(b) - 1)
    while end > 0 and not a[end][0] == b[end][0] == "assistant":
        end -= 1
    end = max(end, 0)
    return a[:end], a[end:], b[end:]


def holds_messages(value: Any) -> bool:
    """Whether a value is a message, or a list of such."""
    if isinstance(value, list):
        return bool(value) and all(
            isinstance(item, dict) and holds_messages(item) for item in value
        )
    return isinstance(value, dict) and (
        {"role", "content"} <= value.keys()
        or {"from", "value"} <= value.keys()
        or {"role", "tool_calls"} <= value.keys()
    )


def speaks(value: Any, role: str) -> bool:
    """Whether some message of a conversation is of a role."""
    items = value if isinstance(value, list) else [value]
    spoken = (item.get("role", item.get("from")) for item in items if isinstance(item, dict))
    return any(ROLES.get(str(one).lower()) == role for one in spoken)


def turn_of(sides: Sequence[Sequence[str]]) -> str | None:
    """Tell what begins replies in the transcripts of two sides: it is in most of either."""
    for turn in TURNS:
        if sides and all(
            texts and 2 * sum(turn in text for text in texts) > len(texts) for texts in sides
        ):
            return turn
    return None


def parse_messages(value: Any, column: str) -> Messages:
    """Read a message or a list of them, as ``{role, content}`` or ShareGPT's ``{from, value}``.

    Parameters
    ----------
    value : list or dict
        Decoded JSON.
    column : str
        Its name in errors.

    Returns
    -------
    tuple of (role, content)
        Roles are system, user, assistant and tool. The parts of a content are joined; what is no
        text stands as its kind in brackets, and calls of tools as JSON.

    Raises
    ------
    InputError
        If an item is no message or a role is unknown.
    """
    messages = []
    for message in value if isinstance(value, list) else [value]:
        if not isinstance(message, dict):
            raise InputError(f"a message in {column} is {kind(message)}, not an object")
        said = "content" if "role" in message else "value"
        role = text(take(message, "role" if "role" in message else "from"), "role")
        if role.lower() not in ROLES:
            raise unknown_name("role", role[:40], ROLES)
        parts = [] if message.get(said) is None else [_content(message[said], said)]
        if calls := message.get("tool_calls"):
            parts.append(json.dumps(calls, ensure_ascii=False, sort_keys=True, default=str))
        if not parts:
            take(message, said)
        messages.append((ROLES[role.lower()], "\n".join(part for part in parts if part)))
    return tuple(messages)


def _content(value: Any, column: str) -> str:
    """Write the content of a message, a text or a list of parts, as text."""
    if not isinstance(value, list):
        return text(value, column)
    parts = []
    for part in value:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            parts.append(text(part["text"], "text"))
        elif isinstance(part, dict) and part.get("type") not in (None, "text"):
            parts.append(f"[{text(part['type'], 'type')}]")
        else:
            parts.append(text(part, f"a part of {column}"))
    return "\n".join(parts)


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
