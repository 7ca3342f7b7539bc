"""A preference dataset grown prompt by prompt: it can be killed and goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from ibn.errors import InputError, unknown_name
from ibn.preferences.files import read_records
from ibn.preferences.writing import write_records
from ibn.prefix_tree.generator import Generator
from ibn.prefix_tree.growing import chain_growing, grow_together, tree_growing
from ibn.prefix_tree.growth import Growth
from ibn.prefix_tree.journal import Journal
from ibn.prefix_tree.judging import Judge, PairVerdict
from ibn.prefix_tree.pairing import Pair, chain_pairs, tree_pairs
from ibn.prefix_tree.prompts import Prompt
from ibn.prefix_tree.tree import Grown

TOPOLOGIES = ("tree", "chain")
TIES = ("drop", "keep", "random")
GIVE_UP = 24  # prompts in a row that the generator failed at altogether
BLOCK = 6  # prompts grown side by side; a kill loses no more than these


@dataclass(frozen=True)
class DatasetPlan:
    """What dataset to grow.

    Attributes
    ----------
    topology : {"tree", "chain"}
        How the responses to a prompt are grown and paired.
    growth : Growth
        Depth, branching, budget and the rest.
    pairs : int
        Comparisons a prompt.
    ties : {"drop", "keep", "random"}
        What becomes of ties: left out, kept (then the file says ``winner`` instead of chosen and
        rejected, which have no word for a tie), or decided by a coin.
    seed : int
        Of everything random; each prompt has streams of its own.
    """

    topology: str = "tree"
    growth: Growth = field(default_factory=Growth)
    pairs: int = 4
    ties: str = "drop"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.topology not in TOPOLOGIES:
            raise unknown_name("topology", self.topology, TOPOLOGIES)
        if self.ties not in TIES:
            raise unknown_name("way with ties", self.ties, TIES)
        if self.pairs < 1:
            raise InputError(f"pairs must be at least 1, not {self.pairs}")
        leaves = self.growth.branching**self.growth.depth
        if self.topology == "tree" and self.pairs > leaves * (leaves - 1) // 2:
            raise InputError(
                f"{leaves} leaves have no {self.pairs} pairs",
                fix="ask for fewer pairs, or a deeper or broader tree",
            )

    def stream(self, prompt: str, purpose: str) -> np.random.Generator:
        """Return the random stream of a prompt for a purpose; nothing else changes it."""
        keys = (zlib.crc32(prompt.encode("utf-8", "surrogatepass")), zlib.crc32(purpose.encode()))
        return np.random.default_rng([self.seed, *keys])


@dataclass(frozen=True)
class Dataset:
    """What was grown and how it was judged.

    Attributes
    ----------
    records : list of dict
        Comparisons in TRL's preference format, the tree in further columns.
    responses, comparisons, tokens, read : int
        Leaves grown, pairs drawn, tokens generated, and tokens that an annotator of the pairs
        reads when what two responses share is shown once, outside the two.
    read_whole : int
        The same where both responses are read whole.
    unfinished : int
        Leaves that the budget cut short.
    dropped : dict of str to int
        Continuations and comparisons left out, by reason.
    problems : dict of str to int
        What generator and judge said where they failed, and how often.
    incomplete : int
        Prompts that lack responses or judgements by such failures: the next run goes on there.
    """

    records: list[dict[str, Any]]
    responses: int
    comparisons: int
    tokens: int
    read: int
    read_whole: int
    unfinished: int
    dropped: dict[str, int]
    problems: dict[str, int]
    incomplete: int


def grow_dataset(
    prompts: Sequence[Prompt],
    generator: Generator,
    judge: Judge | None,
    plan: DatasetPlan,
    journal: str | os.PathLike[str],
    *,
    settings: dict[str, Any] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Dataset:
    """Grow responses to each prompt, pair them and have the pairs judged.

    Everything is written to the journal at once: the next run after any interruption goes on
    with the prompts and pairs that are lacking. A prompt that the generator fails at is recorded
    with its problem, and the next run goes on from what there is.

    Parameters
    ----------
    prompts : sequence of Prompt
        What to respond to.
    generator : Generator
        Continues texts.
    judge : Judge or None
        Compares them; None leaves the pairs unlabelled.
    plan : DatasetPlan
        What to grow.
    journal : path-like
        The journal, made if missing.
    settings : dict, optional
        What else determines the result, such as the model's name: a journal of others is refused.
    progress : callable, optional
        Called with how many prompts are done, and of how many.

    Raises
    ------
    InputError
        If the journal cannot be used, the generator or judge refuses for good, or the generator
        fails at many prompts in a row.
    """
    known = {**(settings or {}), **asdict(plan)}
    del known["ties"]  # they are dealt with after
    done: list[tuple[Prompt, Grown, list[Pair], list[PairVerdict] | None]] = []
    pair_off = tree_pairs if plan.topology == "tree" else chain_pairs
    with Journal(journal, known) as book:
        grown, judged = _recall(book)
        progress(0, len(prompts))
        lost = 0
        size = BLOCK if hasattr(generator, "extend_all") else 1
        for low in range(0, len(prompts), size):
            block = prompts[low : low + size]
            for tree in _grow_block(block, grown, generator, plan):
                book.append({"grown": tree.record()})
                grown[tree.prompt] = tree
                judged.pop(tree.prompt, None)  # was of a tree that is no more
                nothing = tree.dropped.get("failed") and not tree.nodes
                lost = lost + 1 if nothing else 0
                if lost == GIVE_UP:
                    raise InputError(
                        f"the generator failed at {lost} prompts in a row: {tree.problems[-1]}",
                        fix="what was grown is kept; the same command goes on",
                    )
            for prompt in block:
                tree = grown[prompt.text]
                pairs = pair_off(tree, plan.pairs, plan.stream(tree.prompt, "pairing"))
                verdicts = _judged(prompt, pairs, judge, judged, book) if judge else None
                done.append((prompt, tree, pairs, verdicts))
                progress(len(done), len(prompts))
    return _collect(done, plan)


def _judged(
    prompt: Prompt,
    pairs: list[Pair],
    judge: Judge,
    known: dict[str, tuple[str, list[PairVerdict]]],
    book: Journal,
) -> list[PairVerdict]:
    """Recall what was judged; ask where that lacks answers or was of another reference."""
    record = _digest(prompt)
    judged_as, verdicts = known.get(prompt.text, ("", []))
    if judged_as == record and all(one.winner is not None for one in verdicts):
        return verdicts
    verdicts = judge.judge(prompt, pairs) if pairs else []
    entry = {"judged": prompt.text, "record": record}
    book.append({**entry, "verdicts": [asdict(v) for v in verdicts]})
    return verdicts


def _digest(prompt: Prompt) -> str:
    """Tell a prompt's record from others, for what judges read of it."""
    whole = json.dumps(dict(prompt.record), sort_keys=True, default=str)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def _recall(
    book: Journal,
) -> tuple[dict[str, Grown], dict[str, tuple[str, list[PairVerdict]]]]:
    grown: dict[str, Grown] = {}
    judged: dict[str, tuple[str, list[PairVerdict]]] = {}
    for entry in book.entries:
        if "grown" in entry:
            tree = Grown.of_record(entry["grown"])
            grown[tree.prompt] = tree
            judged.pop(tree.prompt, None)  # was of a tree that is no more
        elif "judged" in entry:
            verdicts = [PairVerdict(**verdict) for verdict in entry["verdicts"]]
            judged[entry["judged"]] = (entry.get("record", ""), verdicts)
    return grown, judged


def _grow_block(
    prompts: Sequence[Prompt], known: dict[str, Grown], generator: Generator, plan: DatasetPlan
) -> list[Grown]:
    """Grow, side by side, what of a block of prompts has no responses yet, or lacks some."""
    lacking = [
        text
        for text in dict.fromkeys(prompt.text for prompt in prompts)
        if text not in known or known[text].incomplete
    ]
    growings = []
    for text in lacking:
        begun = known.get(text)
        nodes = len(begun.nodes) if begun else 0
        # Other seeds where there are responses: the same would give these again.
        rng = plan.stream(text, f"growing on from {nodes}" if nodes else "growing")
        if plan.topology == "tree":
            growings.append(tree_growing(text, generator, plan.growth, rng, begun))
        else:
            count = 2 * plan.pairs
            growings.append(chain_growing(text, count, generator, plan.growth, rng, begun))
    return grow_together(lacking, growings, generator)


def _collect(
    done: Sequence[tuple[Prompt, Grown, list[Pair], list[PairVerdict] | None]],
    plan: DatasetPlan,
) -> Dataset:
    dropped: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    records: list[dict[str, Any]] = []
    responses = comparisons = read = read_whole = unfinished = 0
    labelled = all(verdicts is not None for *_, verdicts in done)
    winner_column = plan.ties == "keep" or not labelled
    for prompt, tree, pairs, verdicts in done:
        leaves = list(tree.leaves())
        responses += len(leaves)
        unfinished += sum(not leaf.finished for leaf in leaves)
        dropped.update(tree.dropped)
        problems.update(tree.problems)
        comparisons += len(pairs)
        coin = plan.stream(prompt.text, "ties")
        for pair, verdict in zip(
            pairs, [None] * len(pairs) if verdicts is None else verdicts, strict=True
        ):
            whole = pair.a.tokens + pair.b.tokens
            read_whole += whole
            read += whole - 2 * pair.shared_tokens
            if verdict is not None and verdict.winner is None:
                dropped["not judged"] += 1
                problems[verdict.problem] += 1
                continue
            winner = verdict.winner if verdict is not None else None
            if winner == 0 and plan.ties == "random":
                winner = int(coin.choice([-1, 1]))
            if winner == 0 and plan.ties == "drop":
                dropped["tie"] += 1
                continue
            records.append(_record(prompt, pair, winner, plan, winner_column))
    return Dataset(
        records=records,
        responses=responses,
        comparisons=comparisons,
        tokens=sum(tree.generated for _, tree, *_ in done),
        read=read,
        read_whole=read_whole,
        unfinished=unfinished,
        dropped=dict(dropped),
        problems=dict(problems),
        incomplete=sum(
            bool(tree.lacking) or any(one.winner is None for one in verdicts or ())
            for _, tree, _, verdicts in done
        ),
    )


# Columns by which a reader would take the prompt's record for preferences.
_PAIRED = {"response_a", "response_b", "winner", "chosen", "rejected", "margin", "weight"}


def _record(
    prompt: Prompt, pair: Pair, winner: int | None, plan: DatasetPlan, winner_column: bool
) -> dict[str, Any]:
    first, second = pair.a, pair.b
    names = ("response_a", "response_b")
    if not winner_column:
        names = ("chosen", "rejected")
        if winner == -1:
            first, second = second, first
    record: dict[str, Any] = {"prompt": prompt.text}
    record |= dict(zip(names, (first.text, second.text), strict=True))
    if winner_column and winner is not None:
        record["winner"] = {1: "a", -1: "b", 0: "tie"}[winner]
    for name, leaf in zip(names, (first, second), strict=True):
        record[f"{name}_path"] = "/".join(map(str, leaf.path))
        record[f"{name}_tokens"] = leaf.tokens
        record[f"{name}_finished"] = leaf.finished
    record |= {
        "common_prefix": pair.shared,
        "common_prefix_tokens": pair.shared_tokens,
        "topology": plan.topology,
    }
    # Ids and all else that the prompt's record holds go along; our own names go first.
    return record | {
        name: value
        for name, value in prompt.record.items()
        if name not in record and name not in _PAIRED
    }


def with_filled_in(path: str | os.PathLike[str], dataset: Dataset) -> Dataset:
    """Carry over what people have filled in since the file was written, winners and all else.

    Pairs in which anything is filled in stay even where, after growing on, others are drawn. A pair
    that stands there several times, as where several people labelled it, stays as often.

    Raises
    ------
    InputError
        If the file cannot be read, or holds anything but pairs.
    """
    if not os.path.isfile(path) or not os.path.getsize(path):
        return dataset
    before: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for line, record in read_records(os.fspath(path)):
        if "response_a" not in record or "response_b" not in record:
            problem = "no pair that ibn grow wrote, and it would be lost"
            raise InputError(problem, file=path, line=line, fix="name another --out")
        before.setdefault(_pair_of(record), []).append(dict(record))
    ours = list(dict.fromkeys(name for record in dataset.records for name in record))
    theirs = dict.fromkeys(name for rows in before.values() for one in rows for name in one)
    added = [name for name in theirs if name not in ours]
    records = []
    for record in dataset.records:
        for filled in before.pop(_pair_of(record), [{}]):
            records.append(record | {name: filled.get(name, "") for name in added})
    kept = [one for rows in before.values() for one in rows if any(map(one.get, added))]
    columns = [*ours, *added] or list(theirs)
    records += [{name: one.get(name, "") for name in columns} for one in kept]
    return replace(dataset, records=records)


def as_conversations(dataset: Dataset) -> Dataset:
    """Write prompts and labelled responses as messages: TRL then applies the chat template."""

    def turn(name: str, value: Any) -> Any:
        role = {"prompt": "user", "chosen": "assistant", "rejected": "assistant"}.get(name)
        return [{"role": role, "content": value}] if role else value

    records = [{name: turn(name, value) for name, value in one.items()} for one in dataset.records]
    return replace(dataset, records=records)


def _pair_of(record: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(record.get(name) for name in ("prompt", "response_a", "response_b"))


def write_dataset(path: str | os.PathLike[str], dataset: Dataset) -> None:
    """Write a grown dataset, whole or not at all.

    Columns are prompt, chosen and rejected, as TRL's trainers read them, and for each side the
    path of its leaf, its tokens and whether the generator ended it; ``common_prefix`` tells how
    many characters both sides begin with because they grew from the same nodes.

    Raises
    ------
    InputError
        If there is nothing to write or the file cannot be written.
    """
    if not dataset.records:
        reasons = ", ".join(
            f"{count} {why}" for why, count in {**dataset.dropped, **dataset.problems}.items()
        )
        raise InputError(f"no comparison came out of it ({reasons or 'too few responses'})")
    write_records(path, dataset.records, by_people="chosen" not in dataset.records[0])
