"""Pools of pairs whose labels are known: real preference files, their labels to be hidden."""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError
from ibn.preferences.reading import read_preferences

MOST_PAIRS = 12_000  # of a set with scored responses, a random sample of its pairs


@dataclass(frozen=True, eq=False)
class Pool:
    """Pairs of responses to the same prompts, and which of the two is preferred."""

    name: str
    prompts: list[str]
    responses: list[str]
    prompt_of: NDArray[np.int64]  # shape (m,)
    pairs: NDArray[np.int64]  # shape (N, 2): positions of responses, sides at random
    label: NDArray[np.int8]  # shape (N,): +1 where the first is preferred, -1 the second
    score: NDArray[np.float64] | None = None  # shape (m,): how good each response is, if known


@dataclass(frozen=True)
class Source:
    """A public file and how it becomes a pool."""

    name: str
    file: str  # its path in the folder of data
    public: str  # where it is to be had: repository and path
    chosen_on: bool  # whether the planner was chosen on it; otherwise it confirms
    read: Callable[[Path], Pool]


def _lines(path: Path) -> list[dict[str, Any]]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    if ".jsonl" in path.name:
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    return list(json.loads(text))


def pool_of_pairs(name: str, rows: Iterable[tuple[str, str, str, int]], seed: int = 0) -> Pool:
    """Make a pool of (prompt, first, second, label) rows.

    Comparisons of a text with itself go, ties too, and a pair is taken once, as it comes first.
    """
    prompts: dict[str, int] = {}
    responses: dict[tuple[int, str], int] = {}
    pairs, label, known = [], [], set()
    for prompt, first, second, sign in rows:
        if first == second or not sign:
            continue
        p = prompts.setdefault(prompt, len(prompts))
        both = [responses.setdefault((p, text), len(responses)) for text in (first, second)]
        if frozenset(both) in known:
            continue
        known.add(frozenset(both))
        pairs.append(both)
        label.append(sign)
    return _either_way(
        name,
        list(prompts),
        [text for _, text in responses],
        np.array([p for p, _ in responses], np.int64),
        np.array(pairs, np.int64).reshape(-1, 2),
        np.array(label, np.int8),
        None,
        seed,
    )


def pool_of_scores(name: str, rows: Iterable[tuple[str, str, float]], seed: int = 0) -> Pool:
    """Make a pool of (prompt, response, score) rows: pairs within prompts of unequal scores.

    Scores of the same response are averaged. Of more than ``MOST_PAIRS`` pairs a sample is kept,
    spread evenly over prompts.
    """
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for prompt, response, score in rows:
        found[prompt][response].append(score)
    responses = [(p, text) for p, texts in enumerate(found.values()) for text in texts]
    prompt_of = np.array([p for p, _ in responses], np.int64)
    score = np.array([np.mean(texts) for of in found.values() for texts in of.values()])
    rng = np.random.default_rng([seed, 1])
    most = max(1, MOST_PAIRS // len(found))
    pairs = []
    for members in np.split(np.arange(len(score)), np.flatnonzero(np.diff(prompt_of)) + 1):
        i, j = np.triu_indices(len(members), 1)
        both = np.stack([members[i], members[j]], axis=1)
        both = both[score[both[:, 0]] != score[both[:, 1]]]
        pairs.append(both[rng.permutation(len(both))[:most]])
    listed = np.concatenate(pairs)
    label = np.where(score[listed[:, 0]] > score[listed[:, 1]], 1, -1).astype(np.int8)
    texts = [text for _, text in responses]
    return _either_way(name, list(found), texts, prompt_of, listed, label, score, seed)


def _either_way(
    name: str,
    prompts: list[str],
    responses: list[str],
    prompt_of: NDArray[np.int64],
    pairs: NDArray[np.int64],
    label: NDArray[np.int8],
    score: NDArray[np.float64] | None,
    seed: int,
) -> Pool:
    """Swap sides at random: no label may be read off the order."""
    swap = np.random.default_rng([seed, 2]).random(len(pairs)) < 0.5
    pairs, label = pairs.copy(), np.where(swap, -label, label).astype(np.int8)
    pairs[swap] = pairs[swap][:, ::-1]
    return Pool(name, prompts, responses, prompt_of, pairs, label, score)


def preference_pool(path: Path) -> Pool:
    """Make a pool of any file that ``ibn audit`` reads: its comparisons within prompts."""
    data = read_preferences(path)
    of, texts, known = data.prompt_of, data.responses, data.comparisons
    assert known.winner is not None
    rows = (
        (data.prompts[of[a]], texts[a], texts[b], int(sign))
        for a, b, sign in zip(known.a, known.b, known.winner, strict=True)
        if of[a] == of[b]
    )
    return pool_of_pairs(path.stem, rows)


def _auto_j(path: Path) -> Pool:
    sign = {0: 1, 1: -1, 2: 0}
    rows = ((r["prompt"], r["response 1"], r["response 2"], sign[r["label"]]) for r in _lines(path))
    return pool_of_pairs("auto_j", rows)


def _pandalm(path: Path) -> Pool:
    def majority(row: dict[str, Any]) -> int:
        votes = Counter(row[f"annotator{k}"] for k in (1, 2, 3))
        first, second = votes[1], votes[2]
        return int(np.sign(first - second)) if max(first, second) >= 2 else 0

    rows = (
        (
            f"{r['instruction']}\n{r['input']}",
            *(str(r[f"response{k}"]) for k in (1, 2)),
            majority(r),
        )
        for r in _lines(path)
    )
    return pool_of_pairs("pandalm", rows)


def _judgebench(path: Path) -> Pool:
    sign = {"A>B": 1, "B>A": -1}
    rows = (
        (r["question"], r["response_A"], r["response_B"], sign.get(r["label"], 0))
        for r in _lines(path)
    )
    return pool_of_pairs("judgebench", rows)


def _llmbar(path: Path) -> Pool:
    sign = {1: 1, 2: -1}
    rows = ((r["input"], r["output_1"], r["output_2"], sign[int(r["label"])]) for r in _lines(path))
    return pool_of_pairs("llmbar", rows)


def _translations(path: Path) -> Pool:
    rows = ((r["prompt"], r["response"], float(r["mqm"])) for r in _lines(path))
    return pool_of_scores("translations", rows)


def _alpaca(path: Path) -> Pool:
    rows = ((r["prompt"], r["response"], float(r["win_probability"])) for r in _lines(path))
    return pool_of_scores("alpaca_eval", rows)


def _half(read: Callable[[Path], Pool], name: str, odd: int) -> Callable[[Path], Pool]:
    """Keep the prompts at even or odd places of a pool with scores."""

    def half(path: Path) -> Pool:
        whole = read(path)
        assert whole.score is not None
        rows = (
            (whole.prompts[p], text, float(score))
            for p, text, score in zip(whole.prompt_of, whole.responses, whole.score, strict=True)
            if p % 2 == odd
        )
        return pool_of_scores(name, rows)

    return half


def _named(name: str) -> Callable[[Path], Pool]:
    return lambda path: replace(preference_pool(path), name=name)


def _gsm8k(path: Path) -> Pool:
    rows = (
        (r["question"], solution["solution"], float(solution["is_correct"]))
        for r in _lines(path)
        for solution in r.values()
        if isinstance(solution, dict)
    )
    return pool_of_scores("gsm8k", rows)


ALPACA = (
    "alpaca_eval_pool.jsonl.gz",
    "tatsu-lab/alpaca_eval, results/*/weighted_alpaca_eval_gpt4_turbo/annotations.json",
)
SOURCES = (
    Source(
        "hh",
        "hh_harmless.jsonl",
        "anthropics/hh-rlhf, harmless-base/test.jsonl.gz, the first 1,500 lines",
        True,
        _named("hh"),
    ),
    Source(
        "translations",
        "ted_zh_en_mqm.jsonl.gz",
        "google/wmt-mqm-human-evaluation, ted/zhen",
        True,
        _translations,
    ),
    Source(
        "gsm8k",
        "gsm8k_model_solutions.jsonl",
        "openai/grade-school-math, grade_school_math/data/example_model_solutions.jsonl, "
        "the first 900 lines",
        True,
        _gsm8k,
    ),
    Source("alpaca_even", *ALPACA, True, _half(_alpaca, "alpaca_even", 0)),
    Source("alpaca_odd", *ALPACA, False, _half(_alpaca, "alpaca_odd", 1)),
    Source(
        "auto_j",
        "as_published/auto_j_pairwise.jsonl",
        "GAIR-NLP/auto-j, data/test/testdata_pairwise.jsonl",
        False,
        _auto_j,
    ),
    Source(
        "pandalm",
        "as_published/pandalm_testset.json",
        "WeOpenML/PandaLM, data/testset-v1.json",
        False,
        _pandalm,
    ),
    Source(
        "judgebench",
        "as_published/judgebench_gpt4o.jsonl",
        "ScalerLab/JudgeBench, data/dataset=judgebench,response_model=gpt-4o-2024-05-13.jsonl",
        False,
        _judgebench,
    ),
    Source(
        "llmbar",
        "as_published/llmbar_natural.json",
        "princeton-nlp/LLMBar, Dataset/LLMBar/Natural/dataset.json",
        False,
        _llmbar,
    ),
    Source(
        "instructions",
        "as_published/instruction_preference.json",
        "rasbt/LLMs-from-scratch, ch07/04_preference-tuning-with-dpo/"
        "instruction-data-with-preference.json",
        False,
        _named("instructions"),
    ),
    Source(
        "llamafactory",
        "as_published/llamafactory_dpo_en.json",
        "hiyouga/LLaMA-Factory, data/dpo_en_demo.json",
        False,
        _named("llamafactory"),
    ),
    Source(
        "medicalgpt",
        "as_published/medicalgpt_dpo_zh.jsonl",
        "shibing624/MedicalGPT, data/reward/dpo_zh_500.jsonl",
        False,
        _named("medicalgpt"),
    ),
)


def read_pools(data: Path, sets: tuple[str, ...] = ()) -> list[Pool]:
    """Read the pools that are in a folder, or the one of a file that ``ibn audit`` reads.

    Raises
    ------
    InputError
        If there is none, or none of the names asked for.
    """
    if data.is_file():
        return [preference_pool(data)]
    found = [
        source.read(data / source.file)
        for source in SOURCES
        if (data / source.file).exists() and (not sets or source.name in sets)
    ]
    if not found:
        known = ", ".join(source.file for source in SOURCES)
        raise InputError("none of the public files is there", file=str(data), fix=f"any of {known}")
    return found
