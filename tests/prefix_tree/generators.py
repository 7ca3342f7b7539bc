"""Generators made for the tests: no model, every draw from a seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ibn.prefix_tree.generator import Asked, Continuation, Generator, Request
from ibn.prefix_tree.growing import grow_together, tree_growing
from ibn.prefix_tree.growth import Growth
from ibn.prefix_tree.tree import Grown

WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten."]


def grow_alone(
    prompt: str, generator: Generator, growth: Growth, rng: np.random.Generator
) -> Grown:
    """Grow a tree for one prompt."""
    growing = tree_growing(prompt, generator, growth, rng)
    return grow_together([prompt], [growing], generator)[0]


class Babbler:
    """Says random words; hotter is more varied; ends by itself now and then."""

    def __init__(self, ending: float = 0.02, words: Sequence[str] = WORDS, context: int = 10_000):
        self.ending, self.words, self.context = ending, list(words), context
        self.calls = 0
        self.asked: list[Request] = []

    def room(self, prompt: str) -> int:
        return self.context - self.count(prompt)

    def count(self, text: str) -> int:
        return len(text.split())

    def say(self, rng: np.random.Generator, request: Request) -> Continuation:
        said: list[str] = []
        for _ in range(request.tokens):
            if rng.random() < self.ending:
                return Continuation("".join(said), len(said), True)
            reach = max(1, round(len(self.words) * min(1.0, request.temperature)))
            said.append(" " + self.words[rng.integers(reach)])
        return Continuation("".join(said), len(said), False)

    def extend(self, prompt: str, requests: Sequence[Request]) -> list[list[Continuation]]:
        self.calls += 1
        self.asked += requests
        return [
            [self.say(np.random.default_rng([r.seed, i]), r) for i in range(r.count)]
            for r in requests
        ]


class Together(Babbler):
    """Takes many prompts at once, and counts how often it is asked."""

    def extend_all(self, asked: Sequence[Asked]) -> list[list[list[Continuation]]]:
        self.rounds = getattr(self, "rounds", 0) + 1
        return [self.extend(prompt, requests) for prompt, requests in asked]


class Interrupted(Babbler):
    """Is interrupted at its k-th call."""

    def __init__(self, at: int):
        super().__init__()
        self.at = at

    def extend(self, prompt: str, requests: Sequence[Request]) -> list[list[Continuation]]:
        if self.calls + 1 == self.at:
            raise KeyboardInterrupt
        return super().extend(prompt, requests)


class Failing(Babbler):
    """Fails at a share of its continuations."""

    def __init__(self, share: float, text: str = ""):
        super().__init__()
        self.share, self.text = share, text

    def say(self, rng: np.random.Generator, request: Request) -> Continuation:
        if rng.random() < self.share:
            return Continuation(self.text, 0, False, "" if self.text else "timed out")
        return super().say(rng, request)


class Silent(Babbler):
    """Says nothing."""

    def say(self, rng: np.random.Generator, request: Request) -> Continuation:
        return Continuation("", 0, True)
