"""Run every verb on hostile files, options and environments, and count what must not happen.

A run is a fault where it ends otherwise than with exit status 0, 1 or 2; prints a traceback or a
warning; complains in more than one line; lets a control character reach the terminal; prints JSON
that is none; changes an input; leaves a temporary file; or takes more than 60 seconds or 2 GiB.

    python tests/hostile/hostile_runs.py --runs 20000 --seed 0
    python tests/hostile/hostile_runs.py --seed 0 --only 1234       # one run, its output shown
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

for beside in ("", "..", "../preferences"):
    sys.path.insert(0, str(Path(__file__).resolve().parent / beside))

from hostile_options import SHARES, Setting, command_line  # noqa: E402
from odd_server import serving  # noqa: E402

SECONDS, MEMORY = 60.0, 2 * 2**30
# One thread, since runs are forks of a process that has loaded what they need.
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
ALONE = {"NUMBA_THREADING_LAYER": "workqueue", "HF_HUB_OFFLINE": "1", "MPLBACKEND": "agg"}
CONTROLS = re.compile(
    rb"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]".decode()
)
ENVIRONMENTS: list[dict[str, str]] = [
    *({}, {}, {}, {}),
    {"COLUMNS": "1"},
    {"COLUMNS": "x", "LINES": ""},
    {"NO_COLOR": "1", "TERM": "dumb"},
    {"FORCE_COLOR": "1"},
    {"HOME": "/nonexistent"},
    {"TMPDIR": "/nonexistent"},
    {"LANG": "C", "PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "utf-16"},
]


@dataclass(frozen=True)
class Run:
    """What became of one run."""

    number: int
    words: list[str]
    status: int
    seconds: float
    memory: int
    faults: list[str]
    shown: str


def _digests(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 2**26:
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _child(words: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Become the run: never returns."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.chdir(folder)
    os.environ.update(environment)
    out = os.open(folder.parent / "stdout", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    err = os.open(folder.parent / "stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for stream, number in ((null, 0), (out, 1), (err, 2)):
        os.dup2(stream, number)
    encoding = environment.get("PYTHONIOENCODING", "utf-8")
    sys.stdout = open(1, "w", encoding=encoding, closefd=False)  # noqa: SIM115 - it ends with us
    sys.stderr = open(2, "w", encoding=encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    status = 99
    try:
        from ibn.cli import main

        main.main(words, prog_name="ibn")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 98
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                status = status or 97
        os._exit(status)


def _wait(pid: int) -> tuple[int, float, int]:
    """Wait for a run, ending it at the limit; return exit status, seconds and peak memory."""
    begun = time.monotonic()
    while True:
        done, code, used = os.wait4(pid, os.WNOHANG)
        passed = time.monotonic() - begun
        if done:
            return (
                os.waitstatus_to_exitcode(code),
                used.ru_utime + used.ru_stime,
                used.ru_maxrss * 1024,
            )
        if passed > 2 * SECONDS:
            os.killpg(pid, signal.SIGKILL)
        time.sleep(0.002 if passed < 1 else 0.05)


def judged(
    words: list[str], status: int, seconds: float, memory: int, out: str, err: str, coloured: bool
) -> list[str]:
    """List what must not have happened."""
    faults = []
    if status not in (0, 1, 2):
        faults.append(f"exit status {status}")
    if "Traceback" in err or "Traceback" in out:
        faults.append("traceback: " + err.strip().splitlines()[-1][:200])
    if re.search(r"\w+Warning\b", err):
        faults.append("warning: " + re.search(r".*\w+Warning\b.*", err).group()[:200])  # type: ignore[union-attr]
    complaints = [line for line in err.splitlines() if line.startswith("ibn: ")]
    if status == 2 and (len(complaints) != 1 or not err.rstrip("\n").endswith(complaints[-1])):
        faults.append("not one line of complaint")
    if status == 2 and complaints and len(complaints[0]) > 3000:
        faults.append("a complaint of more than 3000 characters")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", out + err) if coloured else out + err
    if found := CONTROLS.search(shown.replace("\ufeff", "")):
        faults.append(f"control character {found.group()!r}")
    if status in (0, 1) and "--json" in words:
        try:
            json.loads(out, parse_constant=_refuse)
        except ValueError as error:
            if out or words[0] not in ("embed",):
                faults.append(f"no JSON: {error}"[:200])
    if seconds > SECONDS:
        faults.append(f"{seconds:.0f} s")
    if memory > MEMORY:
        faults.append(f"{memory / 2**30:.1f} GiB")
    return faults


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def one(seed: int, number: int, verbs: list[str], stores: dict[str, bytes], server: str) -> Run:
    """Draw a run by its number, do it in a process of its own, and judge it."""
    rng = random.Random(f"{seed} {number}")
    verb = rng.choices(verbs, [SHARES[verb] for verb in verbs])[0]
    top = Path(tempfile.mkdtemp(prefix="hostile"))
    folder = top / "work"
    folder.mkdir()
    try:
        words = command_line(rng, verb, Setting(folder, stores, server))
        environment = rng.choice(ENVIRONMENTS)
        before, there = _digests(folder), set(folder.iterdir())
        pid = os.fork()
        if not pid:
            _child(words, folder, environment)
        status, seconds, memory = _wait(pid)
        coding = environment.get("PYTHONIOENCODING", "utf-8")
        out = (top / "stdout").read_bytes().decode(coding, "replace")
        err = (top / "stderr").read_bytes().decode(coding, "replace")
        faults = judged(words, status, seconds, memory, out, err, "FORCE_COLOR" in environment)
        after = _digests(folder)
        named = {str(folder / word) for word in words} | set(words)
        faults += [
            f"{'changed' if path in after else 'removed'} {path!r}"
            for path, digest in before.items()
            if after.get(path) != digest and not (path in after and path in named)
        ]
        left = [p.name for p in folder.rglob("*") if p.name.endswith(".part")]
        faults += [f"left {name!r}" for name in left if folder / name not in there]
        return Run(number, words, status, seconds, memory, faults, out[-2000:] + err[-3000:])
    finally:
        shutil.rmtree(top, ignore_errors=True)


def good_stores(server: str) -> dict[str, bytes]:
    """Make the stores that runs then spoil, and with that load what every run stands on."""
    from ibn.cli import VERBS, main

    made = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prefs = folder / "p.jsonl"
        rows = [
            {"prompt": f"q {i}", "chosen": f"good {i} a", "rejected": f"bad {i} b"}
            for i in range(12)
        ]
        prefs.write_text("".join(json.dumps(row) + "\n" for row in rows))
        battles = folder / "b.csv"
        battles.write_text("model_a,model_b,winner\n" + "a,b,model_a\nb,a,tie\na,c,model_b\n" * 9)
        pool = folder / "pool.jsonl"
        rows = [
            {"prompt": f"q {i}", "response": f"r {j} {i}", "score": float(i * j % 5)}
            for i in range(24)
            for j in range(5)
        ]
        pool.write_text("".join(json.dumps(row) + "\n" for row in rows))
        runs = [
            f"sweep --n 10,30 --replicates 2 --max-count 100 --jobs 1 --out {folder}/sweep.csv",
            f"audit {prefs} --replicates 2 --out {folder}/a.html",
            f"plan {prefs} --budget 2 --out {folder}/plan.jsonl",
            f"rank {battles} --probes --out {folder}/r.html",
            f"replay {prefs} --budget 2 --repetitions 2 --batches 2 --figure {folder}/f.png",
            f"embed {prefs} --out {folder}/e.npy",
            f"convert {prefs} --out {folder}/c.parquet",
            f"figures network --out {folder}/figs",
            f"validate --pool {pool} --n 10 --agreement 0.75 --features plain --seeds 2 "
            f"--out {folder}/v",
        ]
        if find_spec("openai"):
            grow = f"grow {pool} --model good --server {server} --depth 2 --tokens 8"
            runs.append(f"{grow} --out {folder}/g.jsonl")
        hidden, null = (sys.stdout, sys.stderr), open(os.devnull, "w")  # noqa: SIM115
        sys.stdout = sys.stderr = null
        try:
            for run in runs:
                try:
                    main.main(run.split(), prog_name="ibn")
                except SystemExit as end:
                    if end.code:
                        raise RuntimeError(run) from None
            for verb in VERBS:
                main.get_command(None, verb)  # type: ignore[arg-type]
        finally:
            sys.stdout, sys.stderr = hidden
        made["sweep.csv"] = (folder / "sweep.csv").read_bytes()
        made["claims.json"] = b'{"claims": [{"id": "P1", "verdict": "holds"}]}\n'
    return made


def table(runs: list[Run]) -> str:
    """Count the runs by verb and exit status, and list the faults."""
    by_verb: dict[str, Counter[str]] = {}
    for run in runs:
        count = by_verb.setdefault(run.words[0], Counter())
        count.update({"runs": 1, f"exit {run.status}": 1, "faults": bool(run.faults)})
        count["seconds"] = max(count["seconds"], round(run.seconds))
        count["MiB"] = max(count["MiB"], run.memory >> 20)
    columns = ["runs", "exit 0", "exit 1", "exit 2", "faults", "seconds", "MiB"]
    lines = ["verb       " + "".join(f"{name:>9}" for name in columns)]
    lines += [f"{v:11}" + "".join(f"{c[n]:9}" for n in columns) for v, c in sorted(by_verb.items())]
    total = Counter(n for c in by_verb.values() for n in columns[:5] for _ in range(c[n]))
    lines.append("all        " + "".join(f"{total[name]:9}" for name in columns[:5]))
    return "\n".join(lines)


def main() -> int:
    """Run the command line; exit with 1 where there are faults."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbs", default=",".join(SHARES))
    parser.add_argument("--only", type=int)
    given = parser.parse_args()
    os.environ |= THREADS | ALONE
    verbs = given.verbs.split(",")
    numbers = (
        [given.only] if given.only is not None else range(given.first, given.first + given.runs)
    )
    runs: list[Run] = []
    with serving() as server, suppress(KeyboardInterrupt):  # what was run is counted
        stores = good_stores(server)
        for number in numbers:
            run = one(given.seed, number, verbs, stores, server)
            runs.append(run)
            if run.faults or given.only is not None:
                shown = " ".join(repr(word)[:60] for word in run.words)
                print(f"{number}: ibn {shown}: {'; '.join(run.faults)}", flush=True)
            if given.only is not None:
                print(f"exit {run.status}, {run.seconds:.1f} s, {run.memory >> 20} MiB")
                print(run.shown)
    print(table(runs))
    return 1 if any(run.faults for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
