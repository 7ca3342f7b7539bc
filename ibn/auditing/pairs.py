"""Pairs of responses within a prompt and across prompts: all of them, or random ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PromptPairs:
    """The pairs of responses of a dataset, by whether they answer the same prompt."""

    # shape (m,): the prompt of each response, counted from 0 without gaps
    prompt_of: NDArray[np.int64]

    @cached_property
    def size(self) -> NDArray[np.int64]:
        """Responses of each prompt."""
        return np.bincount(self.prompt_of)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Responses sorted by prompt."""
        return np.argsort(self.prompt_of, kind="stable")

    @cached_property
    def start(self) -> NDArray[np.int64]:
        """Where each prompt's responses begin in ``order``."""
        return np.cumsum(self.size) - self.size

    def of_prompt(self, prompt: int) -> NDArray[np.int64]:
        """Responses of one prompt."""
        return self.order[self.start[prompt] : self.start[prompt] + self.size[prompt]]

    @cached_property
    def within_of(self) -> NDArray[np.int64]:
        """Pairs within each prompt."""
        return self.size * (self.size - 1) // 2

    @property
    def within(self) -> int:
        """Number of pairs that answer the same prompt."""
        return int(self.within_of.sum())

    @property
    def across(self) -> int:
        """Number of pairs that answer different prompts."""
        m = len(self.prompt_of)
        return m * (m - 1) // 2 - self.within

    def sample_within(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw pairs uniformly and independently from those within a prompt, shape (count, 2)."""
        prompt = rng.choice(len(self.size), count, p=self.within_of / self.within)
        first = rng.integers(0, self.size[prompt])
        second = (first + rng.integers(1, self.size[prompt])) % self.size[prompt]
        return self.order[self.start[prompt][:, None] + np.stack([first, second], axis=1)]

    def sample_across(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw pairs uniformly and independently from those across prompts, shape (count, 2)."""
        m = len(self.prompt_of)
        weight = self.size * (m - self.size)
        prompt = rng.choice(len(self.size), count, p=weight / weight.sum())
        size, start = self.size[prompt], self.start[prompt]
        first = start + rng.integers(0, size)
        # The other prompts' responses follow this one's in `order`, and go on at its beginning.
        second = (start + size + rng.integers(0, m - size)) % m
        return self.order[np.stack([first, second], axis=1)]

    def list_within(self, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """List all pairs within a prompt, or up to ``most`` random ones where there are more."""
        if self.within > most:
            return np.unique(np.sort(self.sample_within(most, rng), axis=1), axis=0)
        listed = [np.empty((0, 2), np.int64)]
        for size in np.unique(self.size[self.size > 1]):
            pairs = np.stack(np.triu_indices(size, 1), axis=1)
            start = self.start[self.size == size]
            listed.append(self.order[start[:, None, None] + pairs].reshape(-1, 2))
        return np.concatenate(listed)
