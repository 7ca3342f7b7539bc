"""Command lines that nobody means, for every verb: hostile options around hostile files."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import hostile_files as files
from hostile_files import NAMES, TEXTS, pick

from ibn.cli import VERBS, main

# Odd numbers, as text: some are in range and some are work without end.
WHOLE = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "-1",
    "99999999999999999999",
    "4294967296",
    "1e3",
    "x",
    "",
    "٣",
    "1_0",
]
REAL = ["0", "1", "0.5", "-1", "nan", "inf", "-inf", "1e-300", "1e300", "1e9", "1e-9", "2", "x", ""]
RARELY = 0.04


@dataclass(frozen=True)
class Setting:
    """Where a run takes place.

    Attributes
    ----------
    folder : path
        Empty; the run's working directory.
    stores : dict of str to bytes
        Good files that take long to make, by name.
    server : str
        The address of a server that says odd things.
    """

    folder: Path
    stores: dict[str, bytes]
    server: str


def command_line(rng: random.Random, verb: str, setting: Setting) -> list[str]:
    """Draw the arguments of a verb, writing the files that they name."""
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    given = FIXED.get(verb, lambda rng, setting: {})(rng, setting)
    words: list[str] = []
    for param in command.params:
        assert param.name is not None
        if param.name in NEVER.get(verb, ()):
            continue
        if param.name in given:
            value = given[param.name]
        elif (
            param.required
            or (isinstance(param, click.Argument) and rng.random() < 0.8)
            or rng.random() < (RARELY if param.name in RARE else 0.12)
        ):
            value = _value(rng, verb, param, setting)
        else:
            continue
        words += _spelt(param, value)
    if rng.random() < 0.02:
        words.insert(
            rng.randrange(len(words) + 1), pick(rng, ["--nope", "--", "-x", "--out", *NAMES])
        )
    return [verb, *(word.replace("\0", "") for word in words)]


def _spelt(param: click.Parameter, value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if isinstance(param, click.Argument):
        return [str(one) for one in values]
    if getattr(param, "is_flag", False):
        return [param.opts[0]] if value else []
    return [word for one in values for word in (param.opts[0], str(one))]


def _value(rng: random.Random, verb: str, param: click.Parameter, setting: Setting) -> Any:
    name = param.name or ""
    if name in INPUTS.get(verb, {}):
        return _input(rng, INPUTS[verb][name], setting)
    if name in OUTPUTS.get(verb, {}):
        return output(rng, OUTPUTS[verb][name], setting)
    if getattr(param, "is_flag", False):
        return True
    kind = param.type
    if isinstance(kind, click.Choice):
        return pick(rng, [*kind.choices, *kind.choices, "x", ""])
    if name in WORDS:
        return pick(rng, WORDS[name] if rng.random() < 0.7 else TEXTS)
    if "int" in kind.name:
        return pick(rng, WHOLE)
    if "float" in kind.name:
        return pick(rng, REAL)
    return pick(rng, TEXTS)


def _write(rng: random.Random, setting: Setting, suffix: str, data: bytes) -> str:
    stem = pick(rng, NAMES) if rng.random() < 0.1 else "f"
    path = setting.folder / f"{stem.replace('/', '_')}{rng.randrange(100)}.{suffix}"
    path.write_bytes(data)
    return path.name if rng.random() < 0.7 else str(path)


def _input(rng: random.Random, kinds: tuple[str, ...], setting: Setting) -> str:
    chance = rng.random()
    if chance < 0.06:
        return files.odd_path(rng, setting.folder)
    if chance < 0.065:
        return files.bomb(rng, setting.folder)
    there = sorted(p for p in setting.folder.iterdir() if p.is_file())
    if chance < 0.1 and there:
        return pick(rng, there).name
    kind = pick(rng, kinds)
    if kind == "matrix":
        return _write(rng, setting, "npy", files.matrix(rng))
    if kind in setting.stores:
        data = files.store(rng, setting.stores[kind])
        return _write(rng, setting, kind.rpartition(".")[2], data)
    rows = getattr(files, kind)(rng)
    return _write(rng, setting, *files.encoded(rng, rows))


def output(rng: random.Random, suffixes: tuple[str, ...], setting: Setting) -> str:
    """Name an output: fresh, there already, or where none can be."""
    chance = rng.random()
    there = sorted(setting.folder.iterdir())
    if chance < 0.05 and there:
        return pick(rng, there).name
    if chance < 0.08:
        odd = ["/dev/full", "/dev/null", "/nope/x", ".", "..", "", "a\\b", "/proc/x", "x" * 300]
        return pick(rng, odd) + pick(rng, ["", ".jsonl", ".html"])
    stem = pick(rng, NAMES).replace("/", "_") if rng.random() < 0.05 else "made"
    path = setting.folder / (stem + pick(rng, suffixes))
    if rng.random() < 0.1 and not path.exists():
        path.write_bytes(
            pick(rng, [b"", b"{}\n", b"x", b'{"prompt":"p","chosen":"a","rejected":"b"}\n'])
        )
    return path.name


PAIRS = ("records", "records", "records", "blank_pairs", "ranked", "scored")
RECORDS = (*(".jsonl", ".json", ".csv", ".parquet") * 4, ".csv.gz", ".jsonl.gz", ".txt", "")
INPUTS: dict[str, dict[str, tuple[str, ...]]] = {
    "merge": {"stores": ("sweep.csv", "records")},
    "figures": {"data": ("sweep.csv", "records"), "evidence": ("claims.json", "records")},
    "grow": {"prompts": ("prompts", "prompts", "records")},
    "validate": {"pool": ("scored",), "data": ("prompts", "records"), "embeddings": ("matrix",)},
    "convert": {"prefs": PAIRS},
    "audit": {"prefs": PAIRS, "after": PAIRS, "embeddings": ("matrix",)},
    "embed": {"prefs": PAIRS},
    "rank": {"path": ("battles", "battles", "records")},
    "plan": {
        "prefs": (*PAIRS, "battles"),
        "candidates": PAIRS,
        "embeddings": ("matrix",),
    },
    "replay": {"prefs": PAIRS, "embeddings": ("matrix",)},
}
OUTPUTS: dict[str, dict[str, tuple[str, ...]]] = {
    "sweep": {"out": (*(".csv",) * 9, "")},
    "merge": {"out": (*(".csv",) * 9, "")},
    "check": {"page": (".md",)},
    "figures": {"out": ("", "")},
    "reproduce": {"out": ("",)},
    "grow": {"out": RECORDS},
    "validate": {"out": ("",)},
    "convert": {"out": RECORDS},
    "audit": {"out": (*(".html",) * 9, ""), "recheck": RECORDS},
    "embed": {"out": (*(".npy",) * 9, "")},
    "rank": {"out": (*(".html",) * 9, "")},
    "plan": {"out": RECORDS, "prompts": RECORDS},
    "replay": {"figure": (".svg", ".png", ".pdf", ".txt", "")},
}
NEVER = {"check": {"record"}}  # it writes into the package
RARE = (
    "after",
    "embeddings",
    "score",
    "columns",
    "winner",
    "strict",
    "world",
    "tool",
    "candidates",
)
WORDS: dict[str, list[str]] = {
    "columns": [
        "prompt=instruction",
        "chosen=x",
        "prompt=prompt+chosen",
        "=",
        "x",
        "a=b=c",
        "winner=",
    ],
    "winner": [
        "0=a,1=b,2=tie",
        "1=a,2=b",
        "a=good,b=bad",
        "=",
        "0=x",
        "0=a,0=b",
        "model_a=a",
        ",,",
    ],
    "score": ["score", "helpfulness", "overall_score"],
    "metric": ["cosine", "euclidean", "x"],
    "noise": ["bradley-terry", "logistic", "fisher"],
    "cluster": ["judge", "language", "x"],
    "controls": ["length_a", "length", "weight", "position", "x"],
    "by": ["language", "judge", "x"],
    "ranks": ["neighbours", "1-3", "all", "9-1", "1:2", "top"],
    "world": ["power", "logarithmic", "sub-logarithmic"],
    "topology": ["chain", "tree", "star", "expander", "kwise", "chain,tree", ",", "chain,"],
    "family": ["power", "logarithmic", "sub-logarithmic", "x"],
    "inference": ["path", "exact", "path,exact"],
    "leaves": ["n/log(n)", "sqrt(n)", "n", "'%999999999d' % 1", "9**9**9**9", "n**-1", "(" * 500],
    "judge": ["human", "gsm8k", "overlap", "chat:m", "length", "x:y"],
    "ties": ["drop", "keep", "random"],
    "unfinished": ["keep", "drop", "x"],
    "template": [
        "{{ prompt }}",
        "{{ 1/0 }}",
        "{{ x.y.z }}",
        "{% for i in range(10**9) %}x{% endfor %}",
    ],
    "link": ["none", "logit"],
    "features": ["plain", "tfidf", "given", "x", "tfidf-gp", "e=m"],
    "agreement": ["0.75", "1", "0.5", "0.75,0.9", "raters"],
    "ns": ["10", "10,20", "1e99", "0"],
    "task": ["gsm8k", "hh", "dialogsum", "x"],
    "profile": ["tiny", "x"],
    "n": ["10", "30,100", "1:1e9:99999999", "1e99", "0", "-1", "1e2:1e3:2", "nan", "1:2", ":::"],
}
WORDS["template"] += [
    "{{ 'x' * 10**10 }}",
    "{{ ''.__class__.__mro__ }}",
    "{% raw",
    "{{ 10**10**10 }}",
]


def _sweep(rng: random.Random, setting: Setting) -> dict[str, Any]:
    sizes = pick(rng, ["10", "30", "10,30", *WORDS["n"]])
    caps = {"max_count": "200", "max_seconds": "1"} if rng.random() < 0.9 else {}
    return {"n": sizes, "jobs": "1", **caps} | _cluster(rng)


def _cluster(rng: random.Random) -> dict[str, Any]:
    odd = [
        "tcp://127.0.0.1:1",
        "ray://127.0.0.1:1",
        "x",
        "",
        "tcp://nope.invalid:1",
        "http://[",
        "::",
    ]
    return {"cluster": pick(rng, odd)} if rng.random() < 0.05 else {}


def _check(rng: random.Random, setting: Setting) -> dict[str, Any]:
    quick = ["P1", "M1", "P2"]
    return {"ids": [pick(rng, quick if rng.random() < 0.3 else TEXTS)], "jobs": "1"}


def _reproduce(rng: random.Random, setting: Setting) -> dict[str, Any]:
    """The main job takes minutes: only what must fail before it begins."""
    (setting.folder / "file").write_text("x")
    if rng.random() < 0.5:
        return {
            "claims": pick(rng, [t for t in TEXTS if t not in ("", "all", "none")]),
            "jobs": "1",
        }
    return {"out": pick(rng, ["file", "/dev/null", "/proc/x", "file/x", "x" * 300]), "jobs": "1"}


def _grow(rng: random.Random, setting: Setting) -> dict[str, Any]:
    given: dict[str, Any] = {"model": pick(rng, ["good", "good", "odd", "odd", "few", "error"])}
    servers = [setting.server] * 6 + [
        "http://127.0.0.1:1",
        "http://[",
        "x",
        "file:///etc/passwd",
        "",
    ]
    given["server"] = pick(rng, servers)
    if rng.random() < 0.8:
        given |= {"depth": "2", "branching": "2", "tokens": "8"}
    return given


def _validate(rng: random.Random, setting: Setting) -> dict[str, Any]:
    given: dict[str, Any] = {"jobs": "1", "seeds": pick(rng, ["2", "2", "2", *WHOLE])}
    if rng.random() < 0.6:
        given |= {"pool": _input(rng, ("scored",), setting), "task": []}
        given |= {"ns": pick(rng, ["10", "12,20", *WORDS["ns"]]), "agreement": "0.75"}
        given["features"] = pick(rng, ["plain", "plain", *WORDS["features"]])
    else:  # a task trains models, for minutes
        given["data"] = files.odd_path(rng, setting.folder)
    return given


def _replay(rng: random.Random, setting: Setting) -> dict[str, Any]:
    given: dict[str, Any] = {
        "repetitions": "2",
        "batches": "2",
        "budget": pick(rng, ["2", "4", *WHOLE]),
    }
    if rng.random() < 0.3:
        given |= {"world": pick(rng, WORDS["world"]), "prefs": [], "responses": "12", "pool": "20"}
    return {} if rng.random() < 0.05 else given


def _plan(rng: random.Random, setting: Setting) -> dict[str, Any]:
    count = pick(rng, [0, 1, 1, 1, 1, 2])
    return {
        "prefs": [_input(rng, INPUTS["plan"]["prefs"], setting) for _ in range(count)],
        "budget": pick(rng, ["1", "2", "5", *WHOLE]),
        "out": output(rng, OUTPUTS["plan"]["out"], setting),
    }


def _audit(rng: random.Random, setting: Setting) -> dict[str, Any]:
    return {"replicates": "2"} if rng.random() < 0.8 else {}


FIXED: dict[str, Callable[[random.Random, Setting], dict[str, Any]]] = {
    "sweep": _sweep,
    "check": _check,
    "reproduce": _reproduce,
    "grow": _grow,
    "validate": _validate,
    "replay": _replay,
    "plan": _plan,
    "audit": _audit,
}
# How often each verb is drawn; what takes seconds is drawn less.
SHARES = dict.fromkeys(VERBS, 10) | {
    "convert": 30,
    "rank": 20,
    "plan": 20,
    "audit": 5,
    "validate": 2,
    "check": 1,
    "reproduce": 3,
}
