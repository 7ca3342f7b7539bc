"""Where a response stands in the file, and what it says, made fit to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.preferences.reading import PreferenceData

LONGEST = 1500  # characters of a text that is shown
WORDS = 80  # characters of a prompt's last words


@dataclass(frozen=True)
class Passages:
    """The texts of a dataset by where they stand in its file.

    Attributes
    ----------
    data : PreferenceData
    first : ndarray of int, shape (m,)
        The comparison in which each response appears first.
    shown : bool
        Whether texts may be quoted.
    """

    data: PreferenceData
    first: NDArray[np.int64]
    shown: bool

    @classmethod
    def of(cls, data: PreferenceData, shown: bool) -> Passages:
        """Look up where each response appears first."""
        pairs = np.stack([data.comparisons.a, data.comparisons.b], axis=1)
        responses, at = np.unique(pairs, return_index=True)
        first = np.zeros(len(data.responses), dtype=np.int64)
        first[responses] = at // 2
        return cls(data, first, shown)

    def line(self, response: int) -> int:
        """Return the line of the file on which a response appears first."""
        return int(self.data.lines[self.first[response]])

    def side(self, response: int) -> str:
        """Say which of the two responses on its first line it is."""
        comparisons, at = self.data.comparisons, self.first[response]
        is_a = bool(comparisons.a[at] == response)
        if comparisons.winner is not None and comparisons.winner[at] != 0:
            return "preferred" if is_a else "rejected"
        turned = self.data.swapped is not None and bool(self.data.swapped[at])
        return "first" if is_a != turned else "second"

    def place(self, response: int) -> str:
        """Name a response by its first line and side: ``line 12, preferred``."""
        return f"line {self.line(response):,}, {self.side(response)}"

    def line_of_prompt(self, prompt: int) -> int:
        """Return the line of the file on which a prompt appears first."""
        return min(self.line(int(r)) for r in np.flatnonzero(self.data.prompt_of == prompt))

    def prompt(self, prompt: int) -> str:
        """Return a prompt, cut where it is long: its end is kept, where it asks."""
        return abridged(self.data.prompts[prompt], from_end=True)

    def ending(self, prompt: int) -> str:
        """Return a prompt's last words on one line."""
        return snippet(self.data.prompts[prompt], WORDS)

    def prompt_behind(self, response: int) -> int:
        """Return the prompt that a response answers."""
        return int(self.data.prompt_of[response])

    def response(self, response: int) -> str:
        """Return a response, cut where it is long."""
        return abridged(self.data.responses[response])


def snippet(text: str, length: int) -> str:
    """Take a text's last words, where a prompt asks, on one line of printable characters."""
    words = printable(" ".join(text[-8 * length :].split()))
    return words if len(words) <= length else "…" + words[1 - length :].partition(" ")[2]


def abridged(text: str, from_end: bool = False) -> str:
    """Take the first (or last) of a long text, and say how much was left out."""
    left = len(text) - LONGEST
    if left <= 0:
        return printable(text)
    note = f"({left:,} more characters)"
    if from_end:
        return f"{note} … {printable(text[-LONGEST:])}"
    return f"{printable(text[:LONGEST])} … {note}"


def printable(text: str) -> str:
    """Mark what cannot be seen, such as a control or a change of direction, but for new lines."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text.replace("\t", " "))


def lines_of(lines: Sequence[int]) -> str:
    """Name the lines of a file, the first few."""
    more = ", …" if len(lines) > 4 else ""
    return ", ".join(map(str, lines[:4])) + more if lines else "never compared"
