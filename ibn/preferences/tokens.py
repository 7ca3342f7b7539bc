"""Words of a text, whatever its script."""

from __future__ import annotations

import re

# Scripts written without spaces: their characters are words of one, and every two in a row one
# more (Han, kana, Thai, Lao, Khmer, Burmese).
UNSPACED = (
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e80-\u0eff\u1000-\u109f\u1780-\u17dd"
)
# Words, numbers of any length, and each sign: a formula is not silence.
WORD = re.compile(r"\w+|[^\w\s]")
SIGN = re.compile(r"[^\w\s]")
RUN = re.compile(rf"([{UNSPACED}]+)|(?:(?![{UNSPACED}])\w)+|[^\w\s]")


def tokenise(text: str) -> list[str]:
    """List the words, numbers and signs of a text.

    In scripts without spaces every character is a word, and every two in a row are one more.

    >>> tokenise("x = 12 不好吃")
    ['x', '=', '12', '不', '不好', '好', '好吃', '吃']
    """
    if text.isascii():
        return WORD.findall(text)
    found = []
    for match in RUN.finditer(text):
        run = match[0]
        if match.lastindex is None:
            found.append(run)
            continue
        for i, character in enumerate(run):
            found.append(character)
            if i + 1 < len(run):
                found.append(run[i : i + 2])
    return found
