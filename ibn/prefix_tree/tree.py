"""A grown tree: nodes that extend their parents' text, leaves that are complete responses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Node:
    """One segment of text under its parent's."""

    # which child to take at each level from the root, whose own path is empty
    path: tuple[int, ...]
    text: str
    tokens: int  # tokens generated for it
    finished: bool  # whether the generator ended the response here
    temperature: float  # at which it was drawn


@dataclass(frozen=True)
class Leaf:
    """A complete response: a walk from the root to a leaf."""

    path: tuple[int, ...]  # of its last node
    text: str  # the whole response
    tokens: int  # tokens of it, those of shared segments included
    finished: bool  # whether the generator ended it, rather than the budget
    # ends, token_ends: where each segment ends in ``text``, in characters and in tokens generated
    ends: tuple[int, ...]
    token_ends: tuple[int, ...]


@dataclass(frozen=True)
class Grown:
    """What was grown for one prompt."""

    prompt: str
    nodes: tuple[Node, ...]  # parents before children; the root is not among them
    generated: int  # tokens generated, those thrown away included
    # continuations that were not kept, by reason: ``empty``, ``duplicate``, ``unfinished``,
    # ``failed``
    dropped: dict[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()  # what the generator said where it failed, each once
    # Nodes, the root being ``()``, of which the generator failed to make so many children, or which
    # it failed to extend. One without any is no leaf: its text is no response yet.
    lacking: tuple[tuple[tuple[int, ...], int], ...] = ()

    @property
    def incomplete(self) -> bool:
        """Whether growing on may add responses: some failed, or there are none at all."""
        return bool(self.lacking) or not (self.nodes or self.dropped.get("unfinished"))

    def leaves(self) -> Iterator[Leaf]:
        """Walk to each leaf, in the order of their paths."""
        by_path = {node.path: node for node in self.nodes}
        inner = {node.path[:-1] for node in self.nodes}
        for path in sorted(by_path.keys() - inner - {path for path, _ in self.lacking}):
            walk = [by_path[path[: depth + 1]] for depth in range(len(path))]
            text, ends = "", []
            for node in walk:
                text += node.text
                ends.append(len(text))
            token_ends = np.cumsum([node.tokens for node in walk]).tolist()
            finished = walk[-1].finished
            yield Leaf(path, text, token_ends[-1], finished, tuple(ends), tuple(token_ends))

    def record(self) -> dict[str, Any]:
        """Say the same in what JSON can hold."""
        nodes = [
            [list(node.path), node.text, node.tokens, node.finished, node.temperature]
            for node in self.nodes
        ]
        return {
            "prompt": self.prompt,
            "nodes": nodes,
            "spent": self.generated,  # its name in journals
            "dropped": self.dropped,
            "problems": list(self.problems),
            "lacking": [[list(path), count] for path, count in self.lacking],
        }

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> Grown:
        """Read what :meth:`record` wrote."""
        return cls(
            record["prompt"],
            tuple(Node(tuple(path), *rest) for path, *rest in record["nodes"]),
            record["spent"],
            record["dropped"],
            tuple(record["problems"]),
            tuple((tuple(path), count) for path, count in record.get("lacking", ())),
        )


def shared_prefix(a: Leaf, b: Leaf) -> tuple[int, int]:
    """Characters and tokens that two leaves of one tree share by growing from the same nodes."""
    depth = 0
    while depth < min(len(a.path), len(b.path)) and a.path[depth] == b.path[depth]:
        depth += 1
    return (a.ends[depth - 1], a.token_ends[depth - 1]) if depth else (0, 0)
