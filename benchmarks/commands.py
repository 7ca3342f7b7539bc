"""The command line: how fast it starts, and an audit at the size of HH-RLHF."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from benchmarks.contest import Effort, Target, Within
from benchmarks.process import ibn, run
from benchmarks.timing import Line, Result, Spread

DIMENSIONS = 384
LATENT = 48  # dimensions that embeddings vary along, besides noise
TOPICS = 400
PART = 160_000  # prompts that share topics, so that memory stays bounded
STARTS = 11
ITEMS, TIES = 80, 0.2  # models of an arena, and the share of its battles that are ties
RESAMPLES = 3
VOCABULARY, WORDS = 50_000, 40  # distinct words, and how many a text has on average

Codes = NDArray[np.int64]

Prepare = Callable[[Path, int], Callable[[int], Sequence[str]]]
"""A folder and n → the command of each round, its files written."""

Remark = Callable[[str], str]
"""The output of a run → what else a reader should know."""


@dataclass(frozen=True)
class Command:
    """A case that measures a command line.

    Attributes
    ----------
    name, what, n, small
        See ``contest.Case``.
    prepare : callable
        Writes what the command reads, into a folder; returns the command of each round.
    target : Target
        What it must keep within.
    rounds : int
        Measured runs.
    first : bool
        Whether a run goes before those, which fills caches and is reported apart.
    remark : callable, optional
        Makes a note of the last run's output.
    """

    name: str
    what: str
    n: int
    small: int
    prepare: Prepare
    target: Target
    rounds: int = 1
    first: bool = False
    remark: Remark | None = None

    def run(self, n: int, effort: Effort) -> Result:
        """Measure at n comparisons."""
        effort.report(f"{self.name}: preparing n = {n:,}")
        with tempfile.TemporaryDirectory() as folder:
            command = self.prepare(Path(folder), n)
            ended = []
            for number in range(self.rounds + self.first):
                ended.append(run(command(number)))
                effort.report(f"{self.name}: {ended[-1].seconds:.3g} s")
            shown = " ".join(command(0)).replace(f"{folder}/", "")
        before = ended.pop(0).seconds if self.first else None
        line = Line(
            who="`ibn" + shown.split("ibn", 1)[1].removeprefix(".cli import main; main()") + "`",
            seconds=Spread.of([each.seconds for each in ended]),
            peak=max(each.peak for each in ended),
            note=f"{Spread.of([each.processor for each in ended]).median:.3g} s of processor time",
        )
        verdict = self.target.judge([line])
        if n != self.n:
            verdict = replace(verdict, met=None)
        notes = [f"The first run took {before:.3g} s."] if before is not None else []
        if self.remark is not None:
            notes.append(self.remark(ended[-1].output))
        return Result(
            case=self.name,
            what=self.what,
            n=n,
            lines=[line],
            verdicts=[verdict],
            first_call=None,
            absent={},
            notes=notes,
            curves=[],
        )


def _help(folder: Path, n: int) -> Callable[[int], Sequence[str]]:
    return lambda number: ibn("--help")


def _sweep(folder: Path, n: int) -> Callable[[int], Sequence[str]]:
    options = ("--topology", "chain", "--n", str(n), "--inference", "path", "--replicates", "1")
    return lambda number: ibn("sweep", *options, "--out", f"{folder}/sweep-{number}.csv")


def _audit(folder: Path, n: int) -> Callable[[int], Sequence[str]]:
    """Write n comparisons of distinct responses, with embeddings like those of real texts."""
    path, shape = folder / "embeddings.npy", (2 * n, DIMENSIONS)
    embeddings = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    for seed, low in enumerate(range(0, n, PART)):
        part = synthetic_embeddings(min(PART, n - low), np.random.default_rng(seed))
        embeddings[2 * low : 2 * low + len(part)] = part
    embeddings.flush()
    start = _texts(folder, n)(0)
    return lambda number: [*start, "--embeddings", str(path)]


def _texts(folder: Path, n: int) -> Callable[[int], Sequence[str]]:
    """Write n comparisons of distinct responses, each of random words."""
    texts = random_texts(3 * n, np.random.default_rng(1))
    with (folder / "preferences.jsonl").open("w") as file:
        for prompt, chosen, rejected in zip(texts, texts, texts, strict=True):
            record = {"prompt": f"Human: {prompt}\n\nAssistant:", "chosen": chosen}
            file.write(json.dumps({**record, "rejected": rejected}) + "\n")
    return lambda number: ibn(
        "audit",
        f"{folder}/preferences.jsonl",
        *("--out", f"{folder}/report.html", "--json"),
    )


def random_texts(count: int, rng: np.random.Generator) -> Iterator[str]:
    """Make texts of about ``WORDS`` words, drawn as often as Zipf's law says."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    drawn = rng.choice(letters, (VOCABULARY, 12))
    length = rng.integers(2, 13, VOCABULARY)
    words = np.array(["".join(row[:end]) for row, end in zip(drawn, length, strict=True)])
    weight = 1.0 / (1.0 + np.arange(VOCABULARY))
    share = np.cumsum(weight / weight.sum())
    for _ in range(count):
        number = 1 + rng.poisson(WORDS - 1)
        yield " ".join(words[np.searchsorted(share, rng.random(number))]) + "."


def synthetic_embeddings(n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Make embeddings of n prompts' two responses each, with the structure that texts have.

    Prompts gather around topics of very unequal size, each as loose as it happens to be, and a
    prompt's two responses around the prompt. All that happens in ``LATENT`` dimensions, some more
    important than others, bent into ``DIMENSIONS``, with a little noise in all of those.

    Returns
    -------
    ndarray of float32, shape (2n, DIMENSIONS)
    """
    importance = (1.0 + np.arange(LATENT)) ** -0.25
    weight = 1.0 / (1.0 + np.arange(TOPICS))
    topic = rng.choice(TOPICS, n, p=weight / weight.sum())
    spread = rng.uniform(0.4, 1.0, TOPICS)[topic, None] * importance
    centre = (rng.normal(size=(TOPICS, LATENT)) * importance)[topic]
    prompt = centre + spread * rng.normal(size=(n, LATENT))
    deviation = 0.5 * np.repeat(spread, 2, axis=0) * rng.normal(size=(2 * n, LATENT))
    bend = rng.normal(size=(LATENT, DIMENSIONS)) / np.sqrt(LATENT)
    embeddings = np.tanh((np.repeat(prompt, 2, axis=0) + deviation) @ bend).astype(np.float32)
    return embeddings + np.float32(0.05) * rng.standard_normal(embeddings.shape, dtype=np.float32)


def arena(n: int, rng: np.random.Generator) -> tuple[Codes, Codes, NDArray[np.str_]]:
    """Draw n battles of ``ITEMS`` models: who meets whom, and who wins."""
    rewards = rng.standard_normal(ITEMS)
    a = rng.integers(0, ITEMS, n)
    b = (a + rng.integers(1, ITEMS, n)) % ITEMS
    won = np.where(rng.random(n) < expit(rewards[a] - rewards[b]), "model_a", "model_b")
    return a, b, np.where(rng.random(n) < TIES, "tie", won)


def _rank(folder: Path, n: int) -> Callable[[int], Sequence[str]]:
    """Write n battles as arenas do, a row each."""
    rows = zip(*(column.tolist() for column in arena(n, np.random.default_rng(0))), strict=True)
    with (folder / "battles.csv").open("w") as file:
        file.write("model_a,model_b,winner\n")
        file.writelines(f"model-{a},model-{b},{winner}\n" for a, b, winner in rows)
    return lambda number: ibn("rank", f"{folder}/battles.csv", "--json")


def _beside_evalica(output: str) -> str:
    """Time evalica's rewards of as many battles, and those of a few resamples, in this process."""
    if find_spec("evalica") is None:
        return "evalica is not installed."
    import evalica

    n = json.loads(output)["battles"]
    a, b, outcome = arena(n, np.random.default_rng(0))
    said = {"model_a": evalica.Winner.X, "model_b": evalica.Winner.Y, "tie": evalica.Winner.Draw}
    winner = [said[each] for each in outcome.tolist()]
    start = perf_counter()
    evalica.bradley_terry(a.tolist(), b.tolist(), winner)
    point = perf_counter() - start
    rng, start = np.random.default_rng(1), perf_counter()
    for _ in range(RESAMPLES):
        drawn = rng.integers(0, n, n)
        picked = [winner[row] for row in drawn.tolist()]
        evalica.bradley_terry(a[drawn].tolist(), b[drawn].tolist(), picked)
    resample = (perf_counter() - start) / RESAMPLES
    return (
        f"From lists in memory, evalica takes {point:.3g} s for the rewards alone and "
        f"{resample:.3g} s a resample of its bootstrap, so {100 * resample:.3g} s for 100."
    )


def _recall(output: str) -> str:
    """Say how many of the true neighbours the audit's graph ties."""
    assumed = json.loads(output)["assumptions"]
    return (
        f"The neighbour graph ties {100 * assumed['recall']:.1f} ± "
        f"{100 * assumed['recall_stderr']:.1f} % of the true nearest neighbours."
    )


CASES = (
    Command(
        name="audit",
        what=f"Audit at the size of HH-RLHF, embeddings of {DIMENSIONS} dimensions given",
        n=160_000,
        small=1_000,
        prepare=_audit,
        target=Within(seconds=45, gib=4),
        remark=_recall,
    ),
    Command(
        name="million",
        what=f"Audit of a million comparisons, embeddings of {DIMENSIONS} dimensions given",
        n=1_000_000,
        small=1_000,
        prepare=_audit,
        target=Within(seconds=600, gib=16),
        remark=_recall,
    ),
    Command(
        name="texts",
        what="Audit of texts alone, embedded by TF-IDF",
        n=200_000,
        small=1_000,
        prepare=_texts,
        target=Within(seconds=180),
        remark=_recall,
    ),
    Command(
        name="rank",
        what=f"Rank {ITEMS} models by a file of battles, with simultaneous intervals",
        n=1_000_000,
        small=10_000,
        prepare=_rank,
        target=Within(seconds=6, gib=1),
        rounds=3,
        remark=_beside_evalica,
    ),
    Command(
        name="startup-help",
        what="Start the command line for help",
        n=1,
        small=1,
        prepare=_help,
        target=Within(seconds=0.3),
        rounds=STARTS,
        first=True,
    ),
    Command(
        name="startup-sweep",
        what="Start the command line, run one small task and store it",
        n=1_000,
        small=1_000,
        prepare=_sweep,
        target=Within(seconds=2),
        rounds=STARTS,
        first=True,
    ),
)
