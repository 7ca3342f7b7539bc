"""Names as they are, with what could act on a terminal made visible."""

from __future__ import annotations

import unicodedata

LONGEST = 60  # in a message


def shown(name: object, longest: int | None = None) -> str:
    r"""Show a name on one line: control and direction characters become escapes.

    Parameters
    ----------
    name : object
        Brackets, emoji codes and all other printable characters stay as they are.
    longest : int, optional
        Characters beyond it are cut off, with a sign.

    Examples
    --------
    >>> shown("gpt-4[2024]")
    'gpt-4[2024]'
    >>> shown("\x1b[31mred")
    '\\x1b[31mred'
    """
    text = "".join(_visible(x) for x in str(name))
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "…"


def _visible(character: str) -> str:
    """Escape what is not printed: controls, direction marks, line ends, surrogates."""
    if character == " " or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return character
    if character == "‍":  # joins the parts of one emoji
        return character
    return character.encode("unicode_escape").decode()
