"""Drawing the children of nodes: again where they failed or came out empty, warmer where alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator as Coroutine
from dataclasses import replace

import numpy as np

from ibn.prefix_tree.generator import Continuation, Generator, Request
from ibn.prefix_tree.growth import Growth
from ibn.prefix_tree.tree import Grown, Node


class Tally:
    """What one prompt's growth has cost and lost so far."""

    def __init__(self, begun: Grown, note: str) -> None:
        self.generated = begun.generated
        self.dropped = Counter({k: v for k, v in begun.dropped.items() if k != "failed"})
        self.problems: dict[str, None] = {note: None} if note else {}


def draw_families(
    generator: Generator,
    growth: Growth,
    requests: list[Request],
    siblings: list[list[str]],
    rng: np.random.Generator,
    tally: Tally,
    *,
    cut: bool,
) -> Coroutine[list[Request], list[list[Continuation]], list[tuple[list[Node], int]]]:
    """Draw the children of each request, again where they are too few, warmer where alike.

    Their paths are still empty. Beside those of each request stands how many the generator failed
    to give.
    """
    families: list[list[Node]] = [[] for _ in requests]
    spare: list[list[Node]] = [[] for _ in requests]  # alike, but not the same text
    warmings = [0] * len(requests)
    failed = [0] * len(requests)
    wanted = list(range(len(requests)))
    for attempt in range(growth.attempts):
        asked = [
            replace(
                requests[i],
                count=requests[i].count - len(families[i]),
                temperature=min(
                    growth.warmest, requests[i].temperature * growth.warming ** warmings[i]
                ),
                seed=requests[i].seed if attempt == 0 else fresh_seed(rng),
            )
            for i in wanted
        ]
        if not asked:
            break
        continued = yield asked
        for i, request, drawn in zip(wanted, asked, continued, strict=True):
            repeated = False
            failed[i] = sum(bool(one.problem) for one in drawn)
            for one in drawn:
                tally.generated += one.tokens
                if one.problem:
                    tally.dropped["failed"] += 1
                    tally.problems[one.problem] = None
                    continue
                one = _segment(one, growth.separators, generator) if cut else one
                if not (request.prefix + one.text).strip() or not (one.text or one.finished):
                    tally.dropped["empty"] += 1
                    continue
                child = Node((), one.text, one.tokens, one.finished, request.temperature)
                others = siblings[i] + [other.text for other in families[i]]
                closest = max((_alike(one.text, other) for other in others), default=0.0)
                if closest < growth.alike:
                    families[i].append(child)
                    continue
                repeated = True
                if closest < 1.0 and all(one.text != o.text for o in spare[i]):
                    spare[i].append(child)
                else:
                    tally.dropped["duplicate"] += 1
            warmings[i] += repeated
        wanted = [i for i in wanted if len(families[i]) < requests[i].count]
    for i in wanted:  # rather alike than too few
        lacking = requests[i].count - len(families[i])
        families[i] += spare[i][:lacking]
        tally.dropped["duplicate"] += max(0, len(spare[i]) - lacking)
    return [
        (family, min(lost, request.count - len(family)))
        for family, lost, request in zip(families, failed, requests, strict=True)
    ]


def _segment(
    drawn: Continuation, separators: tuple[str, ...], generator: Generator
) -> Continuation:
    """Cut a continuation behind its last separator, unless the response ended by itself.

    Blanks at the end are left to what follows: most tokenizers put a blank into the same token as
    the word behind it, and a model that reads one alone goes on as it never would by itself.
    """
    if drawn.finished:
        return drawn
    end = max((drawn.text.rfind(s) + len(s) for s in separators if s in drawn.text), default=0)
    kept = (drawn.text[:end] if drawn.text[:end].strip() else drawn.text).rstrip()
    if not kept.strip():
        return drawn
    return replace(drawn, text=kept, tokens=min(drawn.tokens, generator.count(kept)))


def _alike(a: str, b: str) -> float:
    """Share of words in common, 1 only for the same text."""
    if a == b:
        return 1.0
    left, right = set(re.findall(r"\w+", a.lower())), set(re.findall(r"\w+", b.lower()))
    if not (left or right):
        return 1.0 - 1e-9
    return min(len(left & right) / len(left | right), 1.0 - 1e-9)


def fresh_seed(rng: np.random.Generator) -> int:
    """Draw a seed for a generator's request."""
    return int(rng.integers(2**31))
