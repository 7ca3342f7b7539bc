"""The seam through which every text generator meets the prefix tree: three methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Request:
    """One text to be continued.

    Attributes
    ----------
    prefix : str
        What the response says so far.
    count : int
        Continuations wanted, drawn independently.
    tokens : int
        Most tokens of each.
    temperature : float
        Of the draw, positive.
    seed : int
        Of the draw, for generators that take one.
    """

    prefix: str
    count: int
    tokens: int
    temperature: float
    seed: int


@dataclass(frozen=True)
class Continuation:
    """What a generator added to a prefix.

    Attributes
    ----------
    text : str
        The added text; the prefix is not repeated.
    tokens : int
        Tokens generated for it.
    finished : bool
        Whether the generator ended the response, rather than the limit of tokens.
    problem : str
        Why there is no text, where the generator failed; empty otherwise.
    """

    text: str
    tokens: int
    finished: bool
    problem: str = ""


class Generator(Protocol):
    """Anything that continues texts: a local model, a server, a simulated language.

    One that is faster at many prompts side by side may have a fourth method, ``extend_all``, as
    the function :func:`extend_all` has it.
    """

    def room(self, prompt: str) -> int:
        """Tokens that a response to this prompt may have before the context is full."""
        ...

    def count(self, text: str) -> int:
        """Count the tokens of a text."""
        ...

    def extend(self, prompt: str, requests: Sequence[Request]) -> list[list[Continuation]]:
        """Continue responses to one prompt, all requests together.

        Parameters
        ----------
        prompt : str
            The same for all, so that what it costs is paid once.
        requests : sequence of Request
            What to continue, and how.

        Returns
        -------
        list of list of Continuation
            ``count`` of them a request. A continuation that failed carries a
            ``problem``; only what no repetition would fix raises an InputError.
        """
        ...


Asked = tuple[str, Sequence[Request]]
"""A prompt and what is to be continued under it."""


def extend_all(generator: Generator, asked: Sequence[Asked]) -> list[list[list[Continuation]]]:
    """Continue responses to several prompts: side by side where the generator can.

    For each prompt it gives what :meth:`Generator.extend` does.
    """
    if together := getattr(generator, "extend_all", None):
        return together(asked)
    return [generator.extend(prompt, requests) for prompt, requests in asked]
