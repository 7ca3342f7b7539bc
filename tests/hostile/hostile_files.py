"""Files that no reader expects, for every kind of input that a verb takes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from made_up_shapes import SHAPES
from mutated_files import SUFFIXES, mutate_bytes, mutate_records

Record = dict[str, Any]
TEXTS = [
    *("", " ", "\n", "\t \n", ".", "…", "?!", "\0", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07"),
    *("\u202eright to left\u2066", "\u200b", "[bold]x[/bold]", "[/]", "[red", "</script><b>&amp;"),
    *("=HYPERLINK(1)", "+1", "-1", "@x", "'=1", "'", '"', ",", ";", "\r", "\r\n", "a\rb"),
    *(
        "\ud800",
        "\udfff",
        "é",
        "e\u0301",
        "日本語",
        "🙂",
        "\U000e0001",
        "nan",
        "NaN",
        "inf",
        "null",
    ),
    *("None", "true", "0", "1e400", "9" * 400, "٣", "x" * 3000, "word " * 2000, "{{ 1/0 }}"),
    *(
        "tie",
        "model_a",
        "a",
        "b",
        "both_bad",
        "{}",
        "[]",
        "%s %d",
        "\\",
        "\u2028",
        "\x85",
        "\ufeff",
    ),
    *("Human: a\n\nAssistant: b", "\n\nHuman: a\n\nAssistant: b", "$x$", "`x`", "a" * 300 + "\x1b"),
]
NUMBERS = [0, 1, -1, 2, 0.5, 1e308, -1e308, 5e-324, 2**31, 2**63, 2**64, 10**30, True, False, None]
NUMBERS += [float("nan"), float("inf"), -0.0, "0", "1", "nan", "", [], {}]
NAMES = [
    "x",
    "a b",
    "[red]x",
    "[/]",
    "\x1b[31m",
    "\u202e",
    "é",
    "-x",
    "日本",
    "x" * 200,
    "a'b",
    "%s",
]
NAMES += ["a=b", "#", "~", "$(x)", "\udcff", "\n", "a:b", ".x"]


def pick(rng: random.Random, among: Sequence[Any]) -> Any:
    """Draw one."""
    return among[rng.randrange(len(among))]


def records(rng: random.Random) -> list[Record]:
    """Draw records of a published shape, most of them spoiled somewhere."""
    shape = SHAPES[pick(rng, list(SHAPES))]
    draws = np.random.default_rng(rng.randrange(2**32))
    count = pick(rng, [1, 2, 3, 8, 12])
    rows = [record for i in range(count) for record in shape.make(draws, i).records]
    if rng.random() < 0.15 and rows:
        rows = mutate_records(rows, rng)
    odd = ["texts", "columns", "repeat", "same", "alike", "odd"]
    what = pick(rng, odd) if rng.random() < 0.5 else ""
    keys = sorted({key for row in rows for key in row})
    if what == "texts":  # all of a column hostile
        for key in rng.sample(keys, min(len(keys), rng.randint(1, 3))):
            text = pick(rng, TEXTS)
            rows = [{**row, key: text if rng.random() < 0.7 else pick(rng, TEXTS)} for row in rows]
    elif what == "columns":
        renamed = {key: pick(rng, TEXTS) for key in rng.sample(keys, min(len(keys), 2))}
        rows = [{renamed.get(key, key): value for key, value in row.items()} for row in rows]
    elif what == "repeat":
        rows = rows * rng.randint(2, 5)
    elif what == "same":
        rows = rows[:1] * len(rows)
    elif what == "alike" and len(keys) > 1:
        one, other = rng.sample(keys, 2)
        rows = [{**row, one: row.get(other)} for row in rows]
    elif what == "odd":
        key = pick(rng, keys) if keys else "x"
        rows = [{**row, key: pick(rng, NUMBERS)} for row in rows]
    return rows


def blank_pairs(rng: random.Random) -> list[Record]:
    """Pairs that hold next to nothing: blanks, signs, one text, numbers of the odd kind."""
    some = rng.sample(TEXTS, rng.randint(1, 4))
    prompts = rng.choice([["p"], ["p", "q"], some, [f"p{i}" for i in range(20)]])
    return [
        {"prompt": pick(rng, prompts), "chosen": pick(rng, some), "rejected": pick(rng, some) + end}
        for end in ["", " ", ".", "!"] * rng.randint(1, 5)
    ]


def ranked(rng: random.Random) -> list[Record]:
    """Prompts with a few ranked responses each."""
    size = rng.randint(2, 5)
    words = ["good", "bad", "long", "short"] if rng.random() < 0.5 else TEXTS
    return [
        {
            "prompt": f"question {i}",
            "responses": [f"{pick(rng, words)} {j}" for j in range(size)],
            "ranks": rng.sample(range(1, size + 1), size),
        }
        for i in range(rng.randint(1, 20))
    ]


def battles(rng: random.Random) -> list[Record]:
    """Battles between items, of hostile names, numbers, judges and categories."""
    names = rng.sample(TEXTS, 3) if rng.random() < 0.4 else [f"m{i}" for i in range(5)]
    labels = ["model_a", "model_b", "tie", "tie (bothbad)"]
    if rng.random() < 0.3:
        labels = [pick(rng, [*TEXTS, *NUMBERS]) for _ in range(2)]
    extra = rng.random()
    rows = []
    for i in range(pick(rng, [1, 2, 5, 40, 120])):
        row: Record = {"model_a": pick(rng, names), "model_b": pick(rng, names)}
        row["winner"] = pick(rng, labels)
        if extra < 0.5:
            row |= {"judge": f"j{i % 3}", "language": pick(rng, ["en", pick(rng, TEXTS)])}
            row |= {"length_a": pick(rng, NUMBERS), "length_b": 3 + i % 7, "weight": 1}
        rows.append(row)
    return rows


def prompts(rng: random.Random) -> list[Record]:
    """Records for prompts, with the references of the judges."""
    return [
        {
            "prompt": pick(rng, [f"How many are {i} and {i}?", pick(rng, TEXTS)]),
            "question": f"How many are {i} and {i}?",
            "answer": pick(rng, [f"#### {2 * i}", pick(rng, TEXTS)]),
        }
        for i in range(rng.randint(1, 4))
    ]


def scored(rng: random.Random) -> list[Record]:
    """A pool of scored responses."""
    odd = rng.random() < 0.5
    return [
        {
            "prompt": f"p{i}" if rng.random() < 0.97 else pick(rng, TEXTS),
            "response": f"answer {j} to {i}" if rng.random() < 0.97 else pick(rng, TEXTS),
            "score": pick(rng, NUMBERS) if odd and rng.random() < 0.1 else rng.gauss(0, 1),
        }
        for i in range(pick(rng, [1, 3, 24]))
        for j in range(pick(rng, [1, 2, 5]))
    ]


def encoded(rng: random.Random, rows: list[Record]) -> tuple[str, bytes]:
    """Write records in one of the formats, whole or damaged; return the suffix and the bytes."""
    suffix = pick(rng, SUFFIXES)
    inner = suffix.removesuffix(".gz")
    data = ENCODERS[inner](rows)
    if data is None:
        suffix = inner = "jsonl"
        data = _jsonl(rows)
    if rng.random() < 0.1:
        data = mutate_bytes(data, rng, bombs=False)
    if rng.random() < 0.05 and inner != "parquet":
        data = pick(rng, RECODED)(data)
    if suffix != inner:
        data = gzip.compress(data, 1, mtime=0)
        if rng.random() < 0.1:
            data = mutate_bytes(data, rng, bombs=False)
    if rng.random() < 0.03:
        suffix = pick(rng, [*SUFFIXES, "txt", "npy", "xlsx", "", "JSONL", "jsonl.zst"])
    return suffix, data


def _jsonl(rows: list[Record]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode("utf-8", "surrogatepass")


def _json(rows: list[Record]) -> bytes:
    return json.dumps(rows).encode("utf-8", "surrogatepass")


def _csv(rows: list[Record]) -> bytes:
    out = io.StringIO(newline="")
    keys = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(out, keys, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for row in rows:
        plain = (str, int, float)
        writer.writerow({k: v if isinstance(v, plain) else json.dumps(v) for k, v in row.items()})
    return out.getvalue().encode("utf-8", "surrogatepass")


def _parquet(rows: list[Record]) -> bytes | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    try:
        pq.write_table(pa.Table.from_pylist(rows), out)
    except (pa.ArrowException, OverflowError, UnicodeError):
        return None  # a column of several types, or of none
    return out.getvalue()


ENCODERS: dict[str, Callable[[list[Record]], bytes | None]] = {
    "jsonl": _jsonl,
    "json": _json,
    "csv": _csv,
    "parquet": _parquet,
}
RECODED: list[Callable[[bytes], bytes]] = [
    lambda data: b"\xef\xbb\xbf" + data,
    lambda data: data.replace(b"\n", b"\r\n"),
    lambda data: data.replace(b"\n", b"\r"),
    lambda data: data.decode("utf-8", "replace").encode("utf-16"),
    lambda data: data.decode("utf-8", "replace").encode("latin-1", "replace"),
    lambda data: data.replace(b",", b";"),
    lambda data: data.replace(b",", b"\t"),
    lambda data: b"\n" * 1000 + data,
    lambda data: data + b"\0" * 100,
]


def matrix(rng: random.Random) -> bytes:
    """Write a .npy file, good or not."""
    rows, columns = pick(rng, [0, 1, 2, 6, 16, 24, 40]), pick(rng, [0, 1, 3, 8, 3000])
    draws = np.random.default_rng(rng.randrange(2**32))
    values = draws.normal(size=(rows, columns))
    kind = pick(rng, ["f8", "f4", "f2", "i8", "u1", "?", "c16", "U3", "M8[s]", ">f8"])
    what = pick(rng, ["", "", "", "nan", "zeros", "huge", "flat", "cube", "alike", "object"])
    if what == "nan" and values.size:
        values[pick(rng, range(rows)), 0] = pick(rng, [np.nan, np.inf, 1e200, 1e-300])
    elif what in ("zeros", "alike"):
        values[:] = what == "alike"
    elif what == "huge":
        values *= pick(rng, [1e150, 1e300, 1e-200, 1e-320])
    elif what == "flat":
        values = values.ravel()
    elif what == "cube":
        values = values[None]
    with np.errstate(all="ignore"):
        stored = np.array([[{}]], object) if what == "object" else values.astype(kind)
    out = io.BytesIO()
    np.save(out, stored, allow_pickle=True)
    data = out.getvalue()
    if rng.random() < 0.3:
        data = mutate_bytes(data, rng, bombs=False)
    if rng.random() < 0.1:
        data = data.replace(b"'shape': (", pick(rng, [b"'shape': (9", b"'shape': (-", b"'sha\xff"]))
    return data


def store(rng: random.Random, good: bytes) -> bytes:
    """Spoil a store of results."""
    if rng.random() < 0.3:
        return good
    lines = good.decode().splitlines(keepends=True)
    what = pick(rng, ["bytes", "cell", "column", "crlf", "index", "cut", "twice", "order", "bom"])
    if what == "bytes":
        return mutate_bytes(good, rng, bombs=False)
    if what == "cell":
        cells = lines[-1].rstrip("\n").split(",")
        cells[rng.randrange(len(cells))] = str(pick(rng, NUMBERS))
        lines[-1] = ",".join(cells) + "\n"
    elif what == "column":
        column = rng.randrange(lines[0].count(",") + 1)
        cut = [line.rstrip("\n").split(",") for line in lines]
        lines = [",".join(row[:column] + row[column + 1 :]) + "\n" for row in cut]
    elif what == "crlf":
        lines = [line.replace("\n", "\r\n") for line in lines]
    elif what == "index":
        lines = ["," + lines[0], *(f"{i},{line}" for i, line in enumerate(lines[1:]))]
    elif what == "cut":
        lines[-1] = lines[-1][: rng.randrange(len(lines[-1]))]
    elif what == "twice":
        lines += lines[1:]
    elif what == "order":
        lines = [lines[0], *rng.sample(lines[1:], len(lines) - 1)]
    else:
        lines[0] = "\ufeff" + lines[0]
    return "".join(lines).encode()


def odd_path(rng: random.Random, folder: Path) -> str:
    """Make something that is no regular file of ours, and return its name."""
    name = f"odd{rng.randrange(1000)}" + pick(rng, [".jsonl", ".csv", ".npy", ".json", ""])
    path = folder / name
    what = pick(
        rng, ["missing", "folder", "fifo", "empty", "loop", "device", "blank", "deep", "hub"]
    )
    if what == "folder":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "empty":
        path.touch()
    elif what == "loop":
        path.symlink_to(path)
    elif what == "device":
        return pick(
            rng, ["/dev/null", "/dev/zero", "/dev/full", "/proc/self/mem", "/dev/stdin", "-"]
        )
    elif what == "blank":
        path = path.with_suffix(".jsonl.gz")
        path.write_bytes(gzip.compress(b" \n" * 2**24, 1))
    elif what == "deep":
        path = path.with_suffix(".jsonl")
        path.write_text('{"prompt": ' + "[" * 100_000)
    elif what == "hub":
        return pick(rng, ["owner/name", "a/b:train", "../x", "x" * 5000, "\udcff.jsonl", "a\0b"])
    return str(path)


def bomb(rng: random.Random, folder: Path) -> str:
    """Write a small file that becomes large when read, and return its name."""
    what = pick(rng, ["text", "texts", "spaces", "line", "columns", "rows"])
    path = folder / "bomb.parquet"
    if what in ("text", "texts"):
        size = 40_000_000 if what == "text" else 200_000
        texts = ["a " * (size // 2)] if what == "text" else [f"{i} " * size for i in range(20)]
        data = _parquet([{"prompt": "p", "chosen": t, "rejected": "b"} for t in texts])
        assert data is not None
        path.write_bytes(data)
    elif what == "spaces":
        path = folder / "bomb.jsonl.gz"
        path.write_bytes(gzip.compress(b" " * 2**28, 1))
    elif what == "line":
        path = folder / "bomb.csv.gz"
        path.write_bytes(gzip.compress(b'prompt,chosen,rejected\n"' + b"x" * 2**28, 1))
    elif what == "columns":
        path = folder / "bomb.jsonl"
        path.write_text(json.dumps({f"c{i}": "x" for i in range(100_000)}) + "\n")
    else:
        path = folder / "bomb.jsonl"
        path.write_text('{"prompt":"p","chosen":"a","rejected":"b"}\n' * 50_000)
    return str(path)
