"""Every verb on small made-up data, as commands that other drivers start, kill and compare.

``python tests/scenes.py VERB …`` is ``ibn VERB …`` with a profile of ``ibn reproduce`` that takes
seconds, and draws few figures.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WORDS = ["red", "green", "blue", "warm", "cold", "sweet", "sour", "bitter", "loud", "calm"]
ROWS_OF_REAL = 200
FEW = ("network", "families", "scaling", "ratio")
RUN = [sys.executable, __file__]

Said = Callable[[bytes], Any]
"""What a file says, times put aside; raises if the file is not whole."""


def as_it_is(data: bytes) -> bytes:
    """Every byte counts."""
    return data


def rows_of_store(data: bytes) -> dict[str, Any]:
    """Rows of a sweep's store by task, a torn last line left out, without the seconds."""
    from ibn.simulations.sweeping.row import Row

    header, *lines = data.split(b"\n")[:-1] or [b""]
    rows = [Row.parse(line) for line in lines if line != header]
    return {row.task.id: replace(row.estimate, seconds=0.0) for row in rows}


def entries_of_journal(data: bytes) -> list[Any]:
    """Entries of a journal, a torn last line left out."""
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def arrays(data: bytes) -> list[Any]:
    """Arrays of a file of numpy's, in bytes."""
    import numpy as np  # here: a verb says how many threads it has before it loads numpy

    with np.load(io.BytesIO(data)) as found:
        return [(name, found[name].tobytes()) for name in found.files]


def without_seconds(data: bytes) -> Any:
    """Claims as JSON, without the time that each took."""
    found = json.loads(data)
    for claim in found["claims"]:
        del claim["seconds"]
    return found


def findings(data: bytes) -> Any:
    """What was found of a claim, without the time that it took."""
    return json.loads(data)["findings"]


def without_numbers(data: bytes) -> bytes:
    """A page that says how long each measurement took, without any number."""
    if not data.rstrip().endswith(b"</html>"):
        raise ValueError("a page that does not end")
    return re.sub(rb"\d+", b"#", data)


@dataclass(frozen=True)
class Scene:
    """A command, and what it writes.

    ``outputs`` says by pattern how each file is read; those in ``grows`` may hold less before the
    command is done. ``earlier``: what stands at a name before. ``jobs``: whether it takes --jobs.
    ``needs``: packages without which it is left out.
    """

    name: str
    arguments: list[str]
    outputs: dict[str, Said]
    grows: tuple[str, ...] = ()
    earlier: dict[str, str] = field(default_factory=dict)
    jobs: bool = False
    needs: tuple[str, ...] = ()
    share: int = 1  # of the kills, beside other scenes

    @property
    def verb(self) -> str:
        """The verb it is of."""
        return self.arguments[0]

    def reader(self, name: str) -> Said | None:
        """How the file is read that has this name, relative to the folder; None if not its own."""
        found = (say for pattern, say in self.outputs.items() if Path(name).match(pattern))
        return next(found, None)


PLANNED = json.dumps({"prompt": "P", "response_a": "x", "response_b": "y", "winner": ""}) + "\n"
BOUGHT = "model_a,model_b,battles\nm1,m2,7\n"


def scenes(real: Path | None = None) -> list[Scene]:
    """List the scenes; ``real``: a folder of published data, of which some are read where there."""
    tiny = ["--n", "30,60,90", "--rel-err", "0.2", "--replicates", "2"]
    replay = ["replay", "--budget", "8", "--repetitions", "2", "--batches", "2"]
    page = {"page.md": as_it_is, "claims-graph.svg": as_it_is}
    pool = ["--n", "16", "--features", "plain", "--agreement", "0.75", "--seeds", "2"]
    grow = ["grow", "prompts.jsonl", "--model", "m", "--depth", "2", "--tokens", "12"]
    journal = {"out.jsonl": as_it_is, "out.jsonl.journal": entries_of_journal}
    found = [
        Scene(
            "audit",
            [
                "audit",
                "prefs.jsonl",
                "--replicates",
                "2",
                "--out",
                "out.html",
                "--recheck",
                "again.jsonl",
                "--json",
            ],
            {"out.html": as_it_is, "again.jsonl": as_it_is},
            earlier={"out.html": "<p>earlier</p>", "again.jsonl": PLANNED},
        ),
        Scene(
            "plan",
            [
                "plan",
                "prefs.jsonl",
                "--budget",
                "5",
                "--out",
                "out.jsonl",
                "--prompts",
                "asked.jsonl",
                "--json",
            ],
            {"out.jsonl": as_it_is, "asked.jsonl": as_it_is},
            earlier={"out.jsonl": PLANNED},
            share=2,
        ),
        Scene(
            "plan battles",
            ["plan", "battles.csv", "--budget", "50", "--out", "out.csv", "--json"],
            {"out.csv": as_it_is},
            earlier={"out.csv": BOUGHT},
        ),
        Scene(
            "rank",
            ["rank", "battles.csv", "--probes", "--out", "out.html", "--json"],
            {"out.html": as_it_is},
            earlier={"out.html": "<p>earlier</p>"},
        ),
        Scene(
            "convert",
            ["convert", "prefs.jsonl", "--out", "out.jsonl", "--json"],
            {"out.jsonl": as_it_is},
            share=6,
        ),
        Scene(
            "convert parquet",
            ["convert", "prefs.jsonl", "--labelled", "--out", "out.parquet", "--json"],
            {"out.parquet": as_it_is},
            needs=("pyarrow",),
            share=3,
        ),
        Scene("embed", ["embed", "prefs.jsonl", "--out", "out.npy"], {"out.npy": as_it_is}),
        Scene(
            "sweep",
            ["sweep", *tiny, "--out", "out.csv"],
            {"out.csv": rows_of_store},
            grows=("out.csv",),
            jobs=True,
            share=3,
        ),
        Scene(
            "merge",
            ["merge", "one.csv", "two.csv", "--out", "out.csv", "--json"],
            {"out.csv": rows_of_store},
            grows=("out.csv",),
            earlier={"out.csv": "three.csv"},
            share=6,
        ),
        Scene(
            "figures",
            [
                "figures",
                "autoencoder",
                "families",
                "scaling",
                "--data",
                "one.csv",
                "--out",
                "out",
                "--json",
            ],
            {"out/*": as_it_is},
            earlier={"out/scaling.svg": "earlier"},
        ),
        Scene(
            "replay",
            [*replay, "--world", "power", "--responses", "32", "--figure", "out.svg", "--json"],
            {"out.svg": as_it_is},
            earlier={"out.svg": "earlier"},
        ),
        Scene(
            "replay labels",
            [
                "replay",
                "prefs.jsonl",
                "--budget",
                "5",
                "--repetitions",
                "2",
                "--labels",
                "real",
                "--json",
            ],
            {},
        ),
        Scene(
            "check",
            ["check", "P2", "P3", "--page", "page.md", "--json"],
            page,
            earlier={"page.md": "earlier"},
            jobs=True,
        ),
        Scene(
            "reproduce",
            ["reproduce", "--claims", "P2", "--out", "out", "--json"],
            {
                "out/sweep.csv": rows_of_store,
                "out/claims.json": without_seconds,
                "out/findings/*": findings,
                "out/*.html": without_numbers,
                "out/figures/*": as_it_is,
            },
            grows=("out/sweep.csv",),
            jobs=True,
        ),
        Scene(
            "validate pool",
            ["validate", "--pool", "pool.jsonl", *pool, "--out", "out", "--json"],
            {"out/pool.json": as_it_is, "out/*.npz": arrays, "out/*.npy": as_it_is},
            jobs=True,
        ),
        Scene(
            "validate",
            ["validate", "gsm8k", "--data", "sums.jsonl", "--seeds", "1", "--out", "out", "--json"],
            {
                "out/validation.json": as_it_is,
                "out/*.journal": entries_of_journal,
                "out/tiny-model/*": as_it_is,
            },
            grows=("out/*.journal",),
            needs=("torch", "transformers", "rouge_score", "trl"),
        ),
        Scene(
            "grow",
            [*grow, "--judge", "gsm8k", "--ties", "random", "--out", "out.jsonl", "--json"],
            journal,
            grows=("out.jsonl.journal",),
            needs=("openai",),
        ),
        Scene(
            "grow labels",
            [*grow, "--out", "out.jsonl", "--json"],
            journal,
            grows=("out.jsonl.journal",),
            earlier={"out.jsonl": "labelled.jsonl", "out.jsonl.journal": "labelled.journal"},
            needs=("openai",),
        ),
    ]
    if real is not None and real.is_dir():
        plan = ["plan", "real.jsonl", "--budget", "5", "--out", "out.jsonl"]
        found += [
            Scene(
                "convert real",
                ["convert", "real.jsonl", "--out", "out.jsonl"],
                dict(found[4].outputs),
            ),
            Scene("plan real", plan, dict(found[2 - 1].outputs), earlier={"out.jsonl": PLANNED}),
        ]
    return found


def set_up(folder: Path, real: Path | None = None) -> None:
    """Write all inputs of all scenes, the same every time but for the seconds of stores."""
    draw = random.Random(0)
    prefs = []
    for i in range(30):
        texts = [" ".join(draw.choices(WORDS, k=6)) + f" {i} {j}" for j in range(4)]
        for a, b in ((0, 1), (2, 3)):
            good, bad = sorted((texts[a], texts[b]), key=lambda text: "red" not in text)
            prefs.append({"prompt": f"Question {i}?", "chosen": good, "rejected": bad})
    pool = [
        {"prompt": f"P {i}", "response": " ".join(draw.choices(WORDS, k=6)) + f" {i} {j}",
         "score": draw.random()}
        for i in range(40) for j in range(4)
    ]  # fmt: skip
    sums = [{"question": f"{i} and {i}?", "answer": f"<<{i}+{i}={2 * i}>>\n#### {2 * i}"}
            for i in range(12)]  # fmt: skip
    for name, rows in (("prefs", prefs), ("pool", pool), ("sums", sums), ("prompts", sums[:4])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (folder / "battles.csv").open("w", newline="") as file:
        battles = csv.writer(file)
        battles.writerow(("model_a", "model_b", "winner"))
        for _ in range(400):
            a, b = draw.sample(range(6), 2)
            won = draw.random() < 1 / (1 + 2.7 ** ((b - a) / 3))
            battles.writerow((f"m{a}", f"m{b}", "model_a" if won else "model_b"))
    for name, n in (("one", "100,200,300"), ("two", "300,400"), ("three", "50")):
        run("sweep", "--n", n, "--rel-err", "0.2", "--out", f"{name}.csv", folder=folder)
    if real is not None and (source := next(real.rglob("*.jsonl"), None)) is not None:
        lines = source.read_text(encoding="utf-8").splitlines()[:ROWS_OF_REAL]
        (folder / "real.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def set_up_labels(folder: Path, server: str) -> None:
    """Write what ``ibn grow`` made for people, with the labels that they filled in."""
    scene = next(one for one in scenes() if one.name == "grow labels")
    with_server = [*scene.arguments[:-3], "--server", server, "--out", "labelled.jsonl"]
    run(*with_server, folder=folder)
    rows = [json.loads(line) for line in (folder / "labelled.jsonl").open()]
    with (folder / "labelled.jsonl").open("w") as file:
        for i, row in enumerate(rows):
            file.write(json.dumps({**row, "winner": "ab"[i % 2] if i % 3 else ""}) + "\n")
    shutil.move(folder / "labelled.jsonl.journal", folder / "labelled.journal")


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    return subprocess.run([*RUN, *arguments], cwd=folder, capture_output=True, check=True)


class _Babble(BaseHTTPRequestHandler):
    """Answers as a text generator's server does, the same to the same question."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        draw = random.Random(zlib.crc32(json.dumps(asked, sort_keys=True).encode()))
        choices = [
            {
                "index": i,
                "text": "".join(f" {draw.choice(WORDS)}" for _ in range(draw.randint(2, 5))) + ".",
                "finish_reason": draw.choice(("stop", "length", "length")),
                "logprobs": None,
            }
            for i in range(int(asked.get("n") or 1))
        ]
        head = {"id": "x", "object": "text_completion", "created": 0, "model": "m"}
        data = json.dumps({**head, "choices": choices, "usage": None}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(OSError):  # who asked was killed
            self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[str]:
    """Serve a text generator on loopback, in a process of its own; yields its address."""
    told = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert told.stdout is not None
        yield told.stdout.readline().strip()
    finally:
        told.terminate()
        told.wait()


def serve() -> None:
    """Serve until terminated."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Babble)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    server.serve_forever()


def main() -> None:
    """Run one verb."""
    from ibn.cli import main as ibn

    if sys.argv[1] == "reproduce":
        from ibn.figures import gallery
        from ibn.simulations.sweeping import profiles
        from ibn.simulations.sweeping.grid import Grid

        profiles.PROFILES["quick"] = (Grid(topology="chain,tree", n="30,100", rel_err=0.2),)
        gallery.NAMES = FEW
    ibn(prog_name="ibn")


if __name__ == "__main__":
    serve() if sys.argv[1] == "--serve" else main()
