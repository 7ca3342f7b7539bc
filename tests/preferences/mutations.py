"""Mutated preference files with a hidden truth: is a label ever read the wrong way round?

Run ``python tests/preferences/mutations.py --files 10000 --seed 0`` for the table of shapes and
mutations. Each file is made from a shape that people publish, changed as files in the wild are,
and read without an option; where its owner could answer what a refusal asks, with it as well.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import inspect
import json
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":  # a script finds its own folder; the modules below stand above it
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from preferences import made_up_labels
from preferences.made_up_labels import CODES, LABELLED, NAMING, SCALES, Labelled, undecidable
from preferences.made_up_shapes import SHAPES, Block, Duel, Record

OUTCOMES = ("right", "refused", "lost", "crashed", "WRONG")
PROMPTS = ["prompt", "instruction", "question", "query", "input", "context", "task", "column 3"]
PAIRS = [
    ("response_a", "response_b"),
    ("answer_a", "answer_b"),
    ("Response A", "Response B"),
    ("output_1", "output_2"),
    ("response1", "response2"),
    ("summary 1", "summary 2"),
    ("response_0", "response_1"),
    ("completion_0", "completion_1"),
    ("left", "right"),
    ("draft", "revision"),
]
LABELS = ["winner", "label", "preference", "preferred", "choice", "better", "verdict", "chosen"]
LOSERS = ["loser", "worse", "rejected", "dispreferred"]
DIRECTED = [
    ("chosen_response", "rejected_response"),
    ("preferred", "dispreferred"),
    ("winner", "loser"),
    ("better", "worse"),
    ("accepted", "rejected"),
    ("answer_w", "answer_l"),
    ("good", "bad"),
    ("Chosen", "Rejected"),
]
UNDIRECTED = [("text_1", "text_2"), ("completion_a", "completion_b"), ("left", "right")]
FORMATS = ["jsonl", "json", "csv", "jsonl.gz", "parquet"]
EMPTY = "over half of the records have no label"


def _pick(rng: np.random.Generator, among: list[Any]) -> Any:
    return among[int(rng.integers(len(among)))]


def _other_pair(rng: np.random.Generator, spec: Labelled) -> Labelled:
    first, second = _pick(rng, PAIRS)
    return replace(spec, first=first, second=second)


def _naming_the_loser(rng: np.random.Generator, spec: Labelled) -> Labelled:
    codes = spec.codes if spec.codes in NAMING else "column names"
    return replace(spec, labels=(_pick(rng, LOSERS),), codes=codes, worse=True)


def _by_three(rng: np.random.Generator, spec: Labelled) -> Labelled:
    return replace(spec, labels=tuple(f"{spec.labels[0]}_{k}" for k in (1, 2, 3)))


# In the order in which they are made.
OF_LABELLED: dict[str, Callable[[np.random.Generator, Labelled], Labelled]] = {
    "prompt renamed": lambda rng, spec: replace(spec, prompt=_pick(rng, PROMPTS)),
    "responses renamed": _other_pair,
    "responses swapped": lambda rng, spec: replace(spec, swapped=True),
    "codes changed": lambda rng, spec: replace(spec, codes=_pick(rng, [*CODES, *SCALES])),
    "label renamed": lambda rng, spec: replace(spec, labels=(_pick(rng, LABELS),)),
    "loser named": _naming_the_loser,
    "three annotators": _by_three,
}
OF_RECORDS = (
    "rows dropped",
    "labels emptied",
    "columns added",
    "columns shuffled",
    "as strings",
    "as floats",
)
OF_SHAPES = {
    "prompt renamed": lambda shape: shape.prompt,
    "responses renamed": lambda shape: shape.directed,
    "direction hidden": lambda shape: shape.directed,
    "label renamed": lambda shape: shape.code,
}


@dataclass(frozen=True)
class Case:
    """A mutated file: what stands in it, and what is right to make of it.

    ``refuse`` says why a refusal is the only right outcome; ``answers`` are the options with
    which the file can be read all the same.
    """

    shape: str
    mutations: list[str]
    records: list[Record]
    duels: list[Duel]
    models: list[Duel]
    refuse: str
    answers: Record
    format: str


@dataclass(frozen=True)
class _Draft:
    """A file before its records are changed; ``refusal`` is told the records that remain."""

    blocks: list[Block]
    labels: tuple[str, ...]
    answers: Record
    refusal: Callable[[list[Record]], str]


def case(seed: int, number: int) -> Case:
    """Make mutated file ``number`` of a seed: the same two give the same file again."""
    rng = np.random.default_rng([seed, number])
    name = _pick(rng, [*LABELLED] if rng.random() < 0.6 else [*SHAPES])
    shape = SHAPES.get(name)
    own = [*OF_LABELLED] if shape is None else [m for m, fits in OF_SHAPES.items() if fits(shape)]
    pool = [*own, *OF_RECORDS]
    wanted = [pool[k] for k in sorted(rng.choice(len(pool), int(rng.integers(4)), replace=False))]
    return mutated(rng, name, wanted, int(rng.integers(6, 30)), _pick(rng, FORMATS))


def mutated(
    rng: np.random.Generator, name: str, wanted: list[str], size: int, form: str = "jsonl"
) -> Case:
    """Make a file of a shape with the mutations wanted.

    Parameters
    ----------
    rng : Generator
        What the texts, labels and choices are drawn from.
    name : str
        Of ``LABELLED`` or ``SHAPES``.
    wanted : list of str
        Of ``OF_LABELLED``, ``OF_SHAPES`` and ``OF_RECORDS``; none leaves the shape as it is.
    size : int
        How many prompts it has.
    form : str
        Of ``FORMATS``.
    """
    make = _labelled if name in LABELLED else _shaped
    made = make(rng, name, wanted, size)
    kept = made.blocks
    if "rows dropped" in wanted:
        kept = [one for one in kept if rng.random() < 0.7] or kept[:1]
    if "labels emptied" in wanted and made.labels:
        kept = list(_emptied(rng, kept, made.labels))
    records = [record for one in kept for record in one.records]
    duels = [one for block in kept for one in block.duels]
    models = [one for block in kept for one in block.models]
    full = sum(bool(one.duels or one.models) for one in kept)
    refuse = made.refusal(records) or (EMPTY if made.labels and 2 * full < len(kept) else "")
    answers = made.answers if refuse != EMPTY else {}
    dressed = _dressed(rng, records, wanted)
    return Case(name, wanted or ["as it is"], dressed, duels, models, refuse, answers, form)


def _labelled(rng: np.random.Generator, name: str, wanted: list[str], size: int) -> _Draft:
    spec = LABELLED[name]
    for mutation, change in OF_LABELLED.items():
        spec = change(rng, spec) if mutation in wanted else spec
    spec = made_up_labels.sensible(spec)

    made = [made_up_labels.block(spec, rng, i) for i in range(size)]
    answers = made_up_labels.options(spec)
    return _Draft(made, spec.labels, answers, lambda records: undecidable(spec, records))


def _shaped(rng: np.random.Generator, name: str, wanted: list[str], size: int) -> _Draft:
    shape = SHAPES[name]
    names: dict[str, str] = {}
    if "prompt renamed" in wanted:
        names[shape.prompt] = _pick(rng, PROMPTS)
    if "responses renamed" in wanted:
        names |= zip(shape.directed, _pick(rng, DIRECTED), strict=True)
    if "direction hidden" in wanted:
        names |= zip(shape.directed, _pick(rng, UNDIRECTED), strict=True)
    if "label renamed" in wanted:
        names[shape.code] = _pick(rng, LABELS)

    def renamed(block: Block) -> Block:
        records = [{names.get(k, k): v for k, v in record.items()} for record in block.records]
        return replace(block, records=records)

    def refusal(records: list[Record]) -> str:
        if "direction hidden" in wanted:
            return "nothing says which response is better"
        if shape.signed and shape.code in names:
            return "the scale may run either way"
        halves = {record.get(names.get(shape.code, shape.code)) for record in records}
        if shape.halves and 0.5 not in halves:
            return "1 may be the first or the second"
        return shape.refuse

    made = [renamed(shape.make(rng, i)) for i in range(size)]
    return _Draft(made, tuple(names.get(k, k) for k in shape.labels), shape.options, refusal)


def _emptied(
    rng: np.random.Generator, made: list[Block], labels: tuple[str, ...]
) -> Iterator[Block]:
    """Take the labels from some blocks: all, one of several, or a text where texts are labels."""
    share = 0.8 if rng.random() < 0.15 else 0.2
    texts = bool(re.search(r"\br\d", str(made[0].records[0][labels[0]])))
    for one in made:
        if rng.random() >= share:
            yield one
            continue
        gone, rest = [*labels], []
        if texts:
            gone = [_pick(rng, gone)]
        elif len(labels) == len(one.duels) > 1 and rng.random() < 0.5:
            at = int(rng.integers(len(labels)))
            gone, rest = [labels[at]], [k for k in range(len(labels)) if k != at]
        empty = None if texts else _pick(rng, [None, "", float("nan")])
        records = [record | dict.fromkeys(gone, empty) for record in one.records]
        models = [one.models[k] for k in rest] if one.models else []
        yield Block(records, [one.duels[k] for k in rest], models)


def _dressed(rng: np.random.Generator, records: list[Record], wanted: list[str]) -> list[Record]:
    """Add columns that mean nothing, shuffle the columns, write scalars as strings."""
    if "columns added" in wanted:
        records = [
            {"uid": f"row {i}", "topic": "cats", "split": "train", "is_test": bool(i % 2)}
            | record
            | {"difficulty": int(rng.integers(1, 6)), "tokens": int(rng.integers(900)), "notes": ""}
            | {"margin": int(rng.integers(1, 4)), "preference_strength": int(rng.integers(1, 4))}
            for i, record in enumerate(records)
        ]
    if "columns shuffled" in wanted:
        keys = list(dict.fromkeys(key for record in records for key in record))
        order = [keys[k] for k in rng.permutation(len(keys))]
        records = [{key: record[key] for key in order if key in record} for record in records]
    if "as floats" in wanted:  # as pandas writes whole numbers where some are missing
        records = [
            {key: float(x) if type(x) is int else x for key, x in record.items()}
            for record in records
        ]
    if "as strings" in wanted:
        records = [{key: _as_string(value) for key, value in record.items()} for record in records]
    return records


def _as_string(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (bool, int, float)) else value


def write(case: Case, folder: Path) -> Path:
    """Write the file in its format, or as JSONL where that cannot hold it."""
    path = folder / f"prefs.{case.format}"
    lines = "".join(json.dumps(record) + "\n" for record in case.records)
    values = (value for record in case.records for value in record.values())
    flat = all(isinstance(value, (str, int, float)) for value in values)  # CSV knows no null
    if case.format == "json":
        path.write_text(json.dumps(case.records))
    elif case.format == "csv" and flat:
        with path.open("w", newline="") as file:
            keys = dict.fromkeys(key for record in case.records for key in record)
            writer = csv.DictWriter(file, list(keys))
            writer.writeheader()
            writer.writerows(case.records)
    elif case.format == "jsonl.gz":
        path.write_bytes(gzip.compress(lines.encode(), 1))
    elif case.format != "parquet" or not _as_parquet(case.records, path):
        path = folder / "prefs.jsonl"
        path.write_text(lines)
    return path


def _as_parquet(records: list[Record], path: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.write_table(pa.Table.from_pylist(records), path)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return False  # a column of several types
    return True


def tokens_read(data: Any) -> list[Duel]:
    """Give the comparisons of a ``PreferenceData`` as the tokens that stand in its texts."""
    pairs = data.comparisons
    if pairs.winner is None:
        return []
    told = zip(pairs.a.tolist(), pairs.b.tolist(), pairs.winner.tolist(), strict=True)
    return [
        Duel(
            _tokens("[pshgi]", data.prompts[data.prompt_of[a]]),
            _tokens("r", data.responses[a]) or _tokens("m", data.responses[a]),
            _tokens("r", data.responses[b]) or _tokens("m", data.responses[b]),
            (1 + winner) / 2,
        )
        for a, b, winner in told
    ]


def _tokens(kind: str, text: str) -> str:
    return " ".join(sorted(set(re.findall(rf"\b{kind}\d+[a-g]?\b", text))))


def _relation(duel: Duel) -> tuple[str, str, str]:
    """Give the better response, the worse one, and whether they tie."""
    a, b = (duel.a, duel.b) if duel.share > 0.5 else (duel.b, duel.a)
    return (*sorted((a, b)), "tie") if duel.share == 0.5 else (a, b, "better")


def judge(case: Case, read: list[Duel]) -> str:
    """Say what became of a file that was read.

    ``WRONG``: a comparison stands in it with another outcome than the true one, or labels were
    read of which nobody could say what they mean. ``lost``: no outcome is wrong, but prompts or
    comparisons are missing, or there are some that the file does not hold.
    """
    if case.refuse:
        return "lost" if case.refuse == EMPTY or not read else "WRONG"
    by_model = bool(read) and read[0].a.startswith("m")
    truth = case.models if by_model else case.duels
    right, found = Counter(map(_relation, truth)), Counter(map(_relation, read))
    known = {frozenset(relation[:2]) for relation in right}
    if any(frozenset(relation[:2]) in known for relation in found - right):
        return "WRONG"
    if by_model:
        return "right" if found == right else "lost"
    asked = {(frozenset((one.a, one.b)), one.prompt) for one in truth}
    same = asked == {(frozenset((one.a, one.b)), one.prompt) for one in read}
    return "right" if same and found == right else "lost"


def outcome(
    case: Case,
    path: Path,
    read: Callable[..., Any],
    refusal: type[Exception],
    options: Record | None = None,
) -> str:
    """Read a file and judge what came of it.

    Parameters
    ----------
    case : Case
        What stands in the file.
    path : Path
        The file.
    read : callable
        ``read(path, **options)`` gives a ``PreferenceData``.
    refusal : type
        The exception by which it refuses; another one is a crash.
    options : dict, optional
        What the file's owner says; the truth can then be read.
    """
    if options and not options.keys() <= inspect.signature(read).parameters.keys():
        return "unknown option"
    try:
        data = read(path, **(options or {}))
    except refusal:
        return "refused"
    except Exception:
        return "crashed"
    return judge(replace(case, refuse="") if options else case, tokens_read(data))


def tally(
    seed: int, numbers: Iterable[int], read: Callable[..., Any], refusal: type[Exception]
) -> tuple[dict[tuple[str, str, str], Counter[str]], list[str]]:
    """Read mutated files.

    Returns
    -------
    counts : dict
        How often each outcome, by how it was read (``alone`` or ``answered``), shape and mutation.
    wrong : list of str
        The files that were read wrong, each with what its labels are.
    """
    counts: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            made = case(seed, number)
            path = write(made, Path(folder))
            for how, options in (("alone", None), ("answered", made.answers)):
                if how == "answered" and not options:
                    continue
                came = outcome(made, path, read, refusal, options)
                for mutation in made.mutations:
                    counts[how, made.shape, mutation][came] += 1
                counts[how, made.shape, "all"][came] += 1
                if came in ("WRONG", "crashed"):
                    why = made.refuse and f" (undecidable: {made.refuse})"
                    changes = ", ".join(made.mutations)
                    wrong.append(f"{came} {how} {number}: {made.shape}, {changes}{why}")
    return counts, wrong


def table(counts: dict[tuple[str, str, str], Counter[str]], how: str) -> str:
    """Print shapes down, mutations across; each cell is right/refused/lost/crashed/WRONG."""
    mutations = [*dict.fromkeys(["all", "as it is", *OF_LABELLED, *OF_SHAPES, *OF_RECORDS])]
    shapes = [name for name in [*LABELLED, *SHAPES] if (how, name, "all") in counts]
    cells = {
        (name, mutation): "/".join(str(counts[how, name, mutation][one]) for one in OUTCOMES)
        for name in shapes
        for mutation in mutations
        if (how, name, mutation) in counts
    }
    for mutation in mutations:
        whole = sum((counts.get((how, name, mutation), Counter()) for name in shapes), Counter())
        cells["all", mutation] = "/".join(str(whole[one]) for one in OUTCOMES)
    lines = ["| shape | " + " | ".join(mutations) + " |", "|---" * (len(mutations) + 1) + "|"]
    for name in ["all", *shapes]:
        row = (cells.get((name, mutation), "") for mutation in mutations)
        lines.append(f"| {name} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def published(read: Callable[..., Any], refusal: type[Exception]) -> str:
    """Print what is right to read in each shape as it is published, and what came of it."""
    lines = ["| shape | comparisons | prompts | responses | ties | right | alone | answered |"]
    lines.append("|---" * 8 + "|")
    with tempfile.TemporaryDirectory() as folder:
        for name in [*LABELLED, *SHAPES]:
            made = mutated(np.random.default_rng(0), name, [], 12)
            path = write(made, Path(folder))
            came = outcome(made, path, read, refusal)
            told = made.answers and outcome(made, path, read, refusal, made.answers)
            truth = made.duels or made.models
            texts = {(one.prompt, text) for one in truth for text in (one.a, one.b)}
            ties = sum(one.share == 0.5 for one in truth)
            right = f"refuse: {made.refuse}" if made.refuse else "read"
            prompts = len({one.prompt for one in truth} - {""})
            counts = f"{len(truth)} | {prompts} | {len(texts)} | {ties}"
            lines.append(f"| {name} | {counts} | {right} | {came} | {told or ''} |")
    return "\n".join(lines)


def main() -> int:
    """Read mutated files with ``ibn.read_preferences`` and print what became of them."""
    import ibn
    from ibn.errors import InputError

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000, help="How many files are made.")
    parser.add_argument("--seed", type=int, default=0, help="Gives the same files again.")
    parser.add_argument("--keep", type=int, help="Write this one file to the folder; read none.")
    parser.add_argument("--published", action="store_true", help="Read the shapes as they are.")
    given = parser.parse_args()
    if given.published:
        print(published(ibn.read_preferences, InputError))
        return 0
    if given.keep is not None:
        print(write(case(given.seed, given.keep), Path()))
        return 0
    counts, wrong = tally(given.seed, range(given.files), ibn.read_preferences, InputError)
    for how in ("alone", "answered"):
        print(f"\nRead {how}: {'/'.join(OUTCOMES)}\n\n{table(counts, how)}")
    print(f"\n{len(wrong)} wrong or crashed", *wrong[:40], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
