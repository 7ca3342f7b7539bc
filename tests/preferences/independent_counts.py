"""Counts of the preference files in ``../shared/data`` by code that knows nothing of the package.

One small function a file, written by hand from its documentation and its rows; the standard
library only. ``python tests/preferences/independent_counts.py DATA`` prints the counts as JSON,
with a digest of every comparison that says which response is better, so that two readers can be
held against each other pair by pair.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Two responses to a prompt; ``share`` of a win goes to ``a`` (1, 0, or 0.5: a tie)."""

    prompt: str
    a: str
    b: str
    share: float
    line: int


@dataclass(frozen=True)
class Skipped:
    """A record, or a label of it, that compares nothing."""

    why: str
    line: int


Reading = Iterator[Comparison | Skipped]


def records(path: Path) -> list[Record]:
    """Read the records of a JSON, JSONL or CSV file, gzipped or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        if path.name.endswith(".csv"):
            return list(csv.DictReader(file))
        if path.name.endswith(".json"):
            return json.load(file)
        return [json.loads(line) for line in file if line.strip()]


def compare(prompt: str, a: str, b: str, share: float, line: int) -> Comparison | Skipped:
    """Give the comparison, unless the two responses are one."""
    if a.strip() == b.strip():
        return Skipped("identical responses", line)
    return Comparison(prompt, a, b, share, line)


def joined(*parts: str) -> str:
    """Join the parts of a prompt; an empty one is none."""
    return "\n".join(part for part in parts if part.strip())


def llmbar(rows: list[Record]) -> Reading:
    """LLMBar: the label is the number of the better output."""
    for line, row in enumerate(rows, 1):
        share = {1: 1.0, 2: 0.0}[row["label"]]
        yield compare(row["input"], row["output_1"], row["output_2"], share, line)


def auto_j(rows: list[Record]) -> Reading:
    """Auto-J: 0 the first response, 1 the second, 2 a tie."""
    for line, row in enumerate(rows, 1):
        share = {0: 1.0, 1: 0.0, 2: 0.5}[row["label"]]
        yield compare(row["prompt"], row["response 1"], row["response 2"], share, line)


def pandalm(rows: list[Record]) -> Reading:
    """PandaLM: three annotators, 1 the first response, 2 the second, 0 a tie.

    Six responses stand as JSON's ``true``; the model had written "True".
    """
    for line, row in enumerate(rows, 1):
        prompt = joined(row["instruction"], row["input"])
        for annotator in ("annotator1", "annotator2", "annotator3"):
            share = {1: 1.0, 2: 0.0, 0: 0.5}[row[annotator]]
            yield compare(prompt, str(row["response1"]), str(row["response2"]), share, line)


def judgebench(rows: list[Record]) -> Reading:
    """JudgeBench: A>B or B>A."""
    for line, row in enumerate(rows, 1):
        share = {"A>B": 1.0, "B>A": 0.0}[row["label"]]
        yield compare(row["question"], row["response_A"], row["response_B"], share, line)


def llmfao(rows: list[Record]) -> Reading:
    """LLMFAO: battles of models; the winner is the side on which a model stood.

    ``prompt`` numbers the prompts; the responses are not in the file, the models stand for them.
    """
    for line, row in enumerate(rows, 1):
        share = {"left": 1.0, "right": 0.0, "tie": 0.5}[row["winner"]]
        yield compare("", row["left"], row["right"], share, line)


def medicalgpt(rows: list[Record]) -> Reading:
    """MedicalGPT: ShareGPT turns, then two texts."""
    for line, row in enumerate(rows, 1):
        prompt = joined(*(turn["value"] for turn in row["conversations"]))
        yield compare(prompt, row["chosen"], row["rejected"], 1.0, line)


def llama_factory(rows: list[Record]) -> Reading:
    """LLaMA-Factory: ShareGPT turns, then two of them."""
    for line, row in enumerate(rows, 1):
        prompt = joined(*(turn["value"] for turn in row["conversations"]))
        yield compare(prompt, row["chosen"]["value"], row["rejected"]["value"], 1.0, line)


def instruction_preference(rows: list[Record]) -> Reading:
    """Instructions, some with an input; ``output`` repeats one of the two responses."""
    for line, row in enumerate(rows, 1):
        prompt = joined(row["instruction"], row["input"])
        yield compare(prompt, row["chosen"], row["rejected"], 1.0, line)


def turbo(rows: list[Record]) -> Reading:
    """turbo-alignment: a context, and the answers that won and lost."""
    for line, row in enumerate(rows, 1):
        prompt = joined(*(turn["content"] for turn in row["context"]))
        yield compare(prompt, row["answer_w"]["content"], row["answer_l"]["content"], 1.0, line)


def hh(rows: list[Record]) -> Reading:
    """HH-RLHF: the prompt is all that both transcripts share, up to a turn of the assistant."""
    mark = "\n\nAssistant:"
    for line, row in enumerate(rows, 1):
        chosen, rejected = row["chosen"], row["rejected"]
        at = rejected.rfind(mark)
        while not chosen.startswith(rejected[: at + len(mark)]):
            at = rejected.rfind(mark, 0, at)
        start = at + len(mark)
        yield compare(rejected[:at], chosen[start:], rejected[start:], 1.0, line)


def _by_score(rows: list[Record], response: str, score: Callable[[Record], float]) -> Reading:
    """Compare all pairs of a prompt; a text that stands there again with its score is one."""
    groups = defaultdict(list)
    seen = set()
    for line, row in enumerate(rows, 1):
        one = (row["prompt"], row[response], score(row))
        if one not in seen:
            seen.add(one)
            groups[row["prompt"]].append((line, row))
    for prompt, group in groups.items():
        for (line, x), (_, y) in combinations(group, 2):
            share = 0.5 + 0.5 * ((score(x) > score(y)) - (score(x) < score(y)))
            a, b = x[response], y[response]
            if a == b:  # to the letter: a space more is another response
                yield Skipped("identical responses", line)
            else:
                yield Comparison(prompt, a, b, share, line)


def alpaca_eval_pool(rows: list[Record]) -> Reading:
    """Read a pool, not preferences: with ``win_probability`` as score, all pairs of a prompt."""
    return _by_score(rows, "response", lambda row: row["win_probability"])


def ted_mqm(rows: list[Record]) -> Reading:
    """Read a pool, not preferences: with ``mqm`` as score, all pairs of a sentence."""
    return _by_score(rows, "response", lambda row: row["mqm"])


READERS: dict[str, Callable[[list[Record]], Reading]] = {
    "as_published/llmbar_natural.json": llmbar,
    "as_published/auto_j_pairwise.jsonl": auto_j,
    "as_published/pandalm_testset.json": pandalm,
    "as_published/judgebench_gpt4o.jsonl": judgebench,
    "as_published/llmfao_battles.csv": llmfao,
    "as_published/medicalgpt_dpo_zh.jsonl": medicalgpt,
    "as_published/llamafactory_dpo_en.json": llama_factory,
    "as_published/instruction_preference.json": instruction_preference,
    "as_published/turbo_preferences.jsonl": turbo,
    "hh_harmless.jsonl": hh,
}
POOLS: dict[str, Callable[[list[Record]], Reading]] = {
    "alpaca_eval_pool.jsonl.gz": alpaca_eval_pool,
    "ted_zh_en_mqm.jsonl.gz": ted_mqm,
}

_ROLE = re.compile(r"(?im)^\s*(system|human|user|assistant|gpt|bot|tool)\s*:")


def bare(text: str) -> str:
    """Give a text without the marks of its turns, and with single spaces.

    Readers join turns and parts of a prompt in their own ways; what was said stays the same.
    """
    return " ".join(_ROLE.sub(" ", text).split())


def digest(prompt: str, a: str, b: str, share: float) -> str:
    """Give the digest of a comparison: prompt, better, worse; or prompt, both in order, tie."""
    prompt, a, b = bare(prompt), bare(a), bare(b)
    parts = (prompt, *sorted((a, b)), "tie") if share == 0.5 else (prompt, a, b)
    if share < 0.5:
        parts = (prompt, b, a)
    return hashlib.sha1("\0".join(parts).encode()).hexdigest()


def count(reading: Iterable[Comparison | Skipped]) -> dict[str, Any]:
    """Count what a file compares.

    Returns
    -------
    counts : dict
        ``comparisons``, ``prompts``, ``responses`` (a text to two prompts is two), ``texts``,
        ``ties``, ``skipped`` (by reason, the lines) and ``pairs``, the sorted digests.
    """
    comparisons, skipped = [], defaultdict(list)
    for one in reading:
        if isinstance(one, Skipped):
            skipped[one.why].append(one.line)
        else:
            comparisons.append(one)
    counts: dict[str, Any] = {
        "comparisons": len(comparisons),
        "prompts": len({one.prompt for one in comparisons}),
        "responses": len({(one.prompt, text) for one in comparisons for text in (one.a, one.b)}),
        "texts": len({text for one in comparisons for text in (one.a, one.b)}),
        "ties": sum(one.share == 0.5 for one in comparisons),
        "skipped": dict(skipped),
    }
    counts["pairs"] = sorted(digest(one.prompt, one.a, one.b, one.share) for one in comparisons)
    return counts


def as_read(data: Any, with_prompts: bool = True) -> Iterator[Comparison]:
    """Give the comparisons of a ``PreferenceData``, to be counted and held against the others.

    Without prompts, battles are compared whatever a reader makes of the prompts' numbers.
    """
    pairs = data.comparisons
    told = zip(pairs.a.tolist(), pairs.b.tolist(), pairs.winner.tolist(), data.lines, strict=True)
    for a, b, winner, line in told:
        prompt = data.prompts[data.prompt_of[a]] if with_prompts else ""
        share = (1 + winner) / 2
        yield Comparison(prompt, data.responses[a], data.responses[b], share, int(line))


def main(data: Path) -> None:
    """Print the counts of all files there; of a pool, which has no preferences, how many."""
    found = {name: count(read(records(data / name))) for name, read in READERS.items()}
    for name, read in POOLS.items():
        pool = count(read(records(data / name)))
        pool |= {"pairs": len(pool["pairs"])}
        found[name] = pool | {"skipped": {why: len(n) for why, n in pool["skipped"].items()}}
    json.dump(found, sys.stdout, indent=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
