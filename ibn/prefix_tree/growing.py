"""Growing: a prefix tree of responses to one prompt, or as many independent ones (theory §7)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator as Coroutine
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ibn.errors import InputError
from ibn.prefix_tree.generator import Continuation, Generator, Request, extend_all
from ibn.prefix_tree.tree import Grown, Node


class NoRoom(InputError):
    """A prompt leaves too little of the generator's context for a response."""


SENTENCE_ENDS = (". ", "! ", "? ", ".\n", "!\n", "?\n", "\n")
UNFINISHED = ("keep", "drop", "extend")

Growing = Coroutine[list[Request], list[list[Continuation]], Grown]
"""One prompt's growth: yields what is to be continued, is sent the continuations, ends grown."""


@dataclass(frozen=True)
class Growth:
    """How responses are grown.

    Attributes
    ----------
    depth : int
        Levels D of the tree, at least 1; a chain is grown in one.
    branching : int
        Children B of a node, at least 2.
    tokens : int
        Budget of tokens of a response; a level but the last gets an equal share of it.
    separators : tuple of str
        A segment ends behind the last of these that it holds, where it holds one.
    temperature, warmest, warming : float
        Of the draw; where siblings come out alike it is multiplied by ``warming`` for those to be
        drawn again, up to ``warmest``.
    alike : float
        Share of words in common (Jaccard) from which siblings are alike; 1 means the same text.
    attempts : int
        Rounds in which what is alike, empty or failed is drawn again.
    unfinished : {"keep", "drop", "extend"}
        What becomes of leaves that the budget cut short: kept and marked, left out, or continued
        up to half the budget more and then kept and marked.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    depth: int = 3
    branching: int = 2
    tokens: int = 256
    separators: tuple[str, ...] = SENTENCE_ENDS
    temperature: float = 0.8
    warmest: float = 1.6
    warming: float = 1.25
    alike: float = 0.9
    attempts: int = 4
    unfinished: str = "keep"

    def __post_init__(self) -> None:
        for name, least in (("depth", 1), ("branching", 2), ("tokens", 1), ("attempts", 1)):
            value = getattr(self, name)
            if value < least or value % 1:
                raise InputError(f"{name} must be a whole number of at least {least}, not {value}")
        if self.tokens < self.depth:
            raise InputError(f"{self.tokens} tokens are too few for {self.depth} segments")
        if not 0 < self.temperature <= self.warmest < np.inf:
            raise InputError(
                f"temperatures must be positive and rise, not {self.temperature} to {self.warmest}"
            )
        if not self.warming >= 1:
            raise InputError(f"warming must be at least 1, not {self.warming}")
        if not 0 < self.alike <= 1:
            raise InputError(f"alike must lie above 0 and not above 1, not {self.alike}")
        if self.unfinished not in UNFINISHED:
            raise InputError(f"unfinished must be one of {', '.join(UNFINISHED)}")


@dataclass(frozen=True)
class _Child:
    """A continuation kept under a parent, and the temperature it was drawn at."""

    drawn: Continuation
    temperature: float

    def node(self, path: tuple[int, ...]) -> Node:
        one = self.drawn
        return Node(path, one.text, one.tokens, one.finished, self.temperature)


class _Tally:
    """What one prompt's growth has cost and lost so far."""

    def __init__(self, spent: int, dropped: dict[str, int]) -> None:
        self.spent = spent
        self.dropped = Counter(dropped)
        self.problems: dict[str, None] = {}


def grow_tree(prompt: str, generator: Generator, growth: Growth, rng: np.random.Generator) -> Grown:
    """Grow a prefix tree of responses.

    Level by level every unfinished node gets ``branching`` children, each a segment longer.
    Siblings that come out alike are drawn again at a higher temperature; those that stay the
    same text after all attempts are left out, so that no two leaves are equal.

    Parameters
    ----------
    prompt : str
        What is responded to.
    generator : Generator
        Continues texts.
    growth : Growth
        Depth, branching, budget and the rest.
    rng : numpy.random.Generator
        Seeds the generator.

    Raises
    ------
    NoRoom
        If the prompt leaves too little room for a response of the budget's length.
    InputError
        If the generator refuses for good.
    """
    return _drive(tree_growing(prompt, generator, growth, rng), prompt, generator)


def tree_growing(
    prompt: str,
    generator: Generator,
    growth: Growth,
    rng: np.random.Generator,
    begun: Grown | None = None,
) -> Growing:
    """Grow as :func:`grow_tree` does, a step at a time; whoever drives it asks the generator.

    What was ``begun`` and stunted, for the generator failed, is grown further.
    """
    growth = _fitting(prompt, generator, growth)
    if begun is None or not begun.nodes:
        begun = Grown(prompt, (), 0)
    tally = _Tally(begun.spent, begun.dropped)
    stunted: list[tuple[int, ...]] = []
    families: dict[tuple[int, ...], list[Node]] = {}  # by the parent's path
    for node in begun.nodes:
        families.setdefault(node.path[:-1], []).append(node)
    frontier: list[tuple[tuple[int, ...], str, int]] = [((), "", 0)]  # path, text, tokens so far
    for level in range(growth.depth):
        last = level == growth.depth - 1
        lacking = [one for one in frontier if one[0] not in families]
        requests = [
            Request(
                text,
                growth.branching,
                growth.tokens - used if last else growth.tokens // growth.depth,
                growth.temperature,
                _seed(rng),
            )
            for _, text, used in lacking
        ]
        drawn = yield from _draw_families(generator, growth, requests, rng, tally, cut=not last)
        for (path, *_), children in zip(lacking, drawn, strict=True):
            families[path] = [child.node((*path, i)) for i, child in enumerate(children)]
            if path and not children:
                stunted.append(path)
        frontier = [
            (node.path, text + node.text, used + node.tokens)
            for path, text, used in frontier
            for node in families[path]
            if not node.finished
        ]
    grown = Grown(
        prompt,
        tuple(node for family in families.values() for node in family),
        tally.spent,
        dict(tally.dropped),
        tuple(tally.problems),
        tuple(stunted),
    )
    old = {node.path for node in begun.nodes}
    return (yield from _complete(_distinct(grown), growth, rng, old))


def grow_chain(
    prompt: str, count: int, generator: Generator, growth: Growth, rng: np.random.Generator
) -> Grown:
    """Draw ``count`` independent responses, each of the whole budget: what pipelines usually do.

    Parameters
    ----------
    prompt, generator, growth, rng
        As for :func:`grow_tree`; depth and branching do not matter.
    count : int
        Responses wanted.
    """
    return _drive(chain_growing(prompt, count, generator, growth, rng), prompt, generator)


def chain_growing(
    prompt: str, count: int, generator: Generator, growth: Growth, rng: np.random.Generator
) -> Growing:
    """Grow as :func:`grow_chain` does, a step at a time."""
    alone = replace(growth, depth=1, branching=max(2, count))
    grown = yield from tree_growing(prompt, generator, alone, rng)
    return replace(grown, nodes=grown.nodes[:count])


def _drive(growing: Growing, prompt: str, generator: Generator) -> Grown:
    requests = next(growing)
    while True:
        try:
            requests = growing.send(generator.extend(prompt, requests))
        except StopIteration as end:
            return end.value


def grow_together(
    prompts: Sequence[str], growings: Sequence[Growing], generator: Generator
) -> list[Grown]:
    """Grow for several prompts side by side, all that each step asks for in one call.

    A prompt that leaves no room for a response ends with no nodes and the reason as its problem.

    Parameters
    ----------
    prompts : sequence of str
    growings : sequence of Growing
        One a prompt, not yet begun.
    generator : Generator
    """
    grown: list[Grown | None] = [None] * len(prompts)
    answers: dict[int, list[list[Continuation]] | None] = dict.fromkeys(range(len(prompts)))
    while answers:
        asked: dict[int, list[Request]] = {}
        for i, answer in answers.items():
            try:
                asked[i] = next(growings[i]) if answer is None else growings[i].send(answer)
            except StopIteration as end:
                grown[i] = end.value
            except NoRoom as error:
                grown[i] = Grown(prompts[i], (), 0, {}, (error.problem,))
        drawn = extend_all(generator, [(prompts[i], requests) for i, requests in asked.items()])
        answers = dict(zip(asked, drawn, strict=True))
    return [one for one in grown if one is not None]


def _fitting(prompt: str, generator: Generator, growth: Growth) -> Growth:
    """Shorten the budget to what the context has room for; too little of it is an error."""
    longest = growth.tokens + (growth.tokens // 2 if growth.unfinished == "extend" else 0)
    room = generator.room(prompt)
    if room >= longest:
        return growth
    if room < max(growth.depth, growth.tokens // 4):
        raise NoRoom(
            f"the prompt leaves room for {max(room, 0)} tokens, of a budget of {growth.tokens}",
            mend="shorten the prompt or the budget, or use a model of longer context",
        )
    return replace(
        growth,
        tokens=room,
        unfinished="keep" if growth.unfinished == "extend" else growth.unfinished,
    )


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def _draw_families(
    generator: Generator,
    growth: Growth,
    requests: list[Request],
    rng: np.random.Generator,
    tally: _Tally,
    *,
    cut: bool,
) -> Coroutine[list[Request], list[list[Continuation]], list[list[_Child]]]:
    """Draw the children of each request, again and warmer where they are too few."""
    families: list[list[_Child]] = [[] for _ in requests]
    spare: list[list[_Child]] = [[] for _ in requests]  # alike, but not the same text
    wanted = list(range(len(requests)))
    for attempt in range(growth.attempts):
        asked = [
            replace(
                requests[i],
                count=requests[i].count - len(families[i]),
                temperature=min(growth.warmest, requests[i].temperature * growth.warming**attempt),
                seed=requests[i].seed if attempt == 0 else _seed(rng),
            )
            for i in wanted
        ]
        if not asked:
            break
        continued = yield asked
        for i, request, drawn in zip(wanted, asked, continued, strict=True):
            for one in drawn:
                tally.spent += one.tokens
                if one.problem:
                    tally.dropped["failed"] += 1
                    tally.problems[one.problem] = None
                    continue
                one = _segment(one, growth.separators, generator) if cut else one
                if not (request.prefix + one.text).strip() or not (one.text or one.finished):
                    tally.dropped["empty"] += 1
                    continue
                child = _Child(one, request.temperature)
                closest = max((_alike(one.text, o.drawn.text) for o in families[i]), default=0.0)
                if closest < growth.alike:
                    families[i].append(child)
                elif closest < 1.0 and all(one.text != o.drawn.text for o in spare[i]):
                    spare[i].append(child)
                else:
                    tally.dropped["duplicate"] += 1
        wanted = [i for i in wanted if len(families[i]) < requests[i].count]
    for i in wanted:  # rather alike than too few
        lacking = requests[i].count - len(families[i])
        families[i] += spare[i][:lacking]
        tally.dropped["duplicate"] += max(0, len(spare[i]) - lacking)
    return families


def _segment(
    drawn: Continuation, separators: tuple[str, ...], generator: Generator
) -> Continuation:
    """Cut a continuation behind its last separator, unless the response ended by itself."""
    if drawn.finished:
        return drawn
    end = max((drawn.text.rfind(s) + len(s) for s in separators if s in drawn.text), default=0)
    if not drawn.text[:end].strip():
        return drawn
    kept = drawn.text[:end]
    return replace(drawn, text=kept, tokens=min(drawn.tokens, generator.count(kept)))


def _alike(a: str, b: str) -> float:
    """Share of words in common, 1 only for the same text."""
    if a == b:
        return 1.0
    left, right = set(re.findall(r"\w+", a.lower())), set(re.findall(r"\w+", b.lower()))
    if not (left or right):
        return 1.0 - 1e-9
    return min(len(left & right) / len(left | right), 1.0 - 1e-9)


def _distinct(grown: Grown) -> Grown:
    """Leave out leaves whose text another leaf has."""
    seen: set[str] = set()
    doubled = set()
    for leaf in grown.leaves():
        text = leaf.text.strip()
        if text in seen:
            doubled.add(leaf.path)
        seen.add(text)
    return _without(grown, doubled, "duplicate")


def _without(grown: Grown, paths: set[tuple[int, ...]], reason: str) -> Grown:
    """Leave out leaves, and inner nodes that lose all their leaves with them."""
    if not paths:
        return grown
    kept = {leaf.path for leaf in grown.leaves()} - paths | set(grown.stunted)
    alive = {path[: depth + 1] for path in kept for depth in range(len(path))}
    dropped = Counter(grown.dropped)
    dropped[reason] += len(paths)
    nodes = tuple(node for node in grown.nodes if node.path in alive)
    return replace(grown, nodes=nodes, dropped=dict(dropped))


def _complete(
    grown: Grown, growth: Growth, rng: np.random.Generator, old: set[tuple[int, ...]]
) -> Growing:
    """Deal with leaves that the budget cut short, except the old ones, which have been."""
    cut_short = [leaf for leaf in grown.leaves() if not leaf.finished and leaf.path not in old]
    if growth.unfinished == "keep" or not cut_short:
        return grown
    if growth.unfinished == "drop":
        return _without(grown, {leaf.path for leaf in cut_short}, "unfinished")
    requests = [
        Request(leaf.text, 1, growth.tokens // 2, growth.temperature, _seed(rng))
        for leaf in cut_short
        if growth.tokens >= 2
    ]
    more = {}
    spent = grown.spent
    continued = (yield requests) if requests else []
    for leaf, (one,) in zip(cut_short, continued, strict=False):
        spent += one.tokens
        if not one.problem:
            more[leaf.path] = one
    nodes = tuple(
        replace(
            node,
            text=node.text + more[node.path].text,
            tokens=node.tokens + more[node.path].tokens,
            finished=more[node.path].finished,
        )
        if node.path in more
        else node
        for node in grown.nodes
    )
    return _distinct(replace(grown, nodes=nodes, spent=spent))
