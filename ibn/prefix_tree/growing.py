"""Growing: a prefix tree of responses to one prompt, or as many independent ones (theory §7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator as Coroutine
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ibn.errors import InputError
from ibn.prefix_tree.generator import Continuation, Generator, Request, extend_all
from ibn.prefix_tree.growth import Growth
from ibn.prefix_tree.siblings import Tally, draw_families, fresh_seed
from ibn.prefix_tree.tree import Grown, Node


class NoRoom(InputError):
    """A prompt leaves too little of the generator's context for a response."""


Growing = Coroutine[list[Request], list[list[Continuation]], Grown]
"""One prompt's growth: yields what is to be continued, is sent the continuations, ends grown."""


def tree_growing(
    prompt: str,
    generator: Generator,
    growth: Growth,
    rng: np.random.Generator,
    begun: Grown | None = None,
) -> Growing:
    """Grow a prefix tree of responses, a step at a time; whoever drives it asks the generator.

    Level by level every unfinished node gets ``branching`` children, each a segment longer.
    Siblings that come out alike are drawn again at a higher temperature; those that stay the
    same text after all attempts are left out, so that no two leaves are equal.

    Parameters
    ----------
    prompt : str
        What is responded to.
    generator : Generator
        Asked for the room and for counts of tokens, not for continuations.
    growth : Growth
        Depth, branching, budget and the rest.
    rng : numpy.random.Generator
        Seeds the generator.
    begun : Grown, optional
        What lacks children in it, for the generator failed, is grown on.

    Raises
    ------
    NoRoom
        If the prompt leaves too little room for a response of the budget's length.
    """
    growth, note = _fitting(prompt, generator, growth)
    if begun is None or not begun.nodes:
        begun = Grown(prompt, (), begun.generated if begun else 0)
    tally = Tally(begun, note)
    families: dict[tuple[int, ...], list[Node]] = {}  # by the parent's path
    for node in begun.nodes:
        families.setdefault(node.path[:-1], []).append(node)
    missing = dict(begun.lacking)
    lacking: list[tuple[tuple[int, ...], int]] = []
    frontier: list[tuple[tuple[int, ...], str, int]] = [((), "", 0)]  # path, text, tokens so far
    for level in range(growth.depth):
        last = level == growth.depth - 1
        parents = [one for one in frontier if one[0] in missing or one[0] not in families]
        requests = [
            Request(
                text,
                missing.get(path, growth.branching),
                max(1, growth.tokens - used) if last else growth.tokens // growth.depth,
                growth.temperature,
                fresh_seed(rng),
            )
            for path, text, used in parents
        ]
        before = [families.setdefault(path, []) for path, *_ in parents]
        siblings = [[node.text for node in family] for family in before]
        drawn = yield from draw_families(
            generator, growth, requests, siblings, rng, tally, cut=not last
        )
        for (path, *_), family, (children, failed) in zip(parents, before, drawn, strict=True):
            first = max((node.path[-1] for node in family), default=-1) + 1
            family += [replace(child, path=(*path, i)) for i, child in enumerate(children, first)]
            if failed:
                lacking.append((path, failed))
        frontier = [
            (node.path, text + node.text, used + node.tokens)
            for path, text, used in frontier
            for node in families[path]
            if not node.finished
        ]
    grown = Grown(
        prompt,
        tuple(node for family in families.values() for node in family),
        tally.generated,
        dict(tally.dropped),
        tuple(tally.problems),
        tuple(lacking),
    )
    old = {node.path for node in begun.nodes} - set(missing)
    return (yield from _complete(_distinct(grown), growth, rng, old))


def chain_growing(
    prompt: str,
    count: int,
    generator: Generator,
    growth: Growth,
    rng: np.random.Generator,
    begun: Grown | None = None,
) -> Growing:
    """Draw ``count`` independent responses, each of the whole budget: what pipelines usually do.

    Only those of the very same text are drawn again, so that none is compared with itself. All
    else is as for :func:`tree_growing`; depth and branching do not matter.
    """
    alone = replace(growth, depth=1, branching=max(2, count), alike=1.0)
    grown = yield from tree_growing(prompt, generator, alone, rng, begun)
    return replace(grown, nodes=grown.nodes[:count])


def grow_together(
    prompts: Sequence[str], growings: Sequence[Growing], generator: Generator
) -> list[Grown]:
    """Grow for several prompts side by side, all that each step asks for in one call.

    A prompt that leaves no room for a response ends with no nodes and the reason as its problem.
    Of growings there is one a prompt, not yet begun.
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


def _fitting(prompt: str, generator: Generator, growth: Growth) -> tuple[Growth, str]:
    """Shorten the budget to what the context has room for, and say so; too little is an error."""
    longest = growth.tokens + (growth.tokens // 2 if growth.unfinished == "extend" else 0)
    room = generator.room(prompt)
    if room >= longest:
        return growth, ""
    if room < max(growth.depth, growth.tokens // 4):
        raise NoRoom(
            f"the prompt leaves room for {max(room, 0)} tokens, of a budget of {growth.tokens}",
            fix="shorten the prompt or the budget, or use a model of longer context",
        )
    shortened = replace(
        growth,
        tokens=min(room, growth.tokens),
        unfinished="keep" if growth.unfinished == "extend" else growth.unfinished,
    )
    if room < growth.tokens:
        return shortened, f"the prompt left room for {room} of {growth.tokens} tokens"
    return shortened, "the prompt left no room to extend responses"


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
    kept = {leaf.path for leaf in grown.leaves()} - paths
    kept |= {path for path, _ in grown.lacking}
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
        Request(leaf.text.rstrip(), 1, growth.tokens // 2, growth.temperature, fresh_seed(rng))
        for leaf in cut_short
        if growth.tokens >= 2
    ]
    nodes = {node.path: node for node in grown.nodes}
    generated, dropped, lacking = grown.generated, Counter(grown.dropped), list(grown.lacking)
    problems = dict.fromkeys(grown.problems)
    continued = (yield requests) if requests else []
    for leaf, (one,) in zip(cut_short, continued, strict=False):
        generated += one.tokens
        if one.problem:
            dropped["failed"] += 1
            problems[one.problem] = None
            lacking.append((leaf.path, 1))
        else:
            node = nodes[leaf.path]
            text, tokens = node.text.rstrip() + one.text, node.tokens + one.tokens
            nodes[leaf.path] = replace(node, text=text, tokens=tokens, finished=one.finished)
    grown = replace(
        grown,
        nodes=tuple(nodes.values()),
        generated=generated,
        dropped=dict(dropped),
        problems=tuple(problems),
        lacking=tuple(lacking),
    )
    return _distinct(grown)
