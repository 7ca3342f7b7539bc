"""Time and peak memory of a command, in a process of its own.

A process inherits the peak of the one it was started from, so a small launcher, this file run as
a script, stands between a large benchmark and the command.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes
    ----------
    seconds : float
        Wall-clock time.
    processor : float
        Seconds of processor time, its children's included.
    peak : int
        Most memory that it, or a child it waited for, held, in bytes.
    output : str
        Its standard output.
    """

    seconds: float
    processor: float
    peak: int
    output: str


def ibn(*arguments: str) -> list[str]:
    """Spell the ``ibn`` command: the installed one, or else what it does."""
    script = Path(sys.executable).parent / "ibn"
    start = [str(script)] if script.exists() else [sys.executable, "-c", _MAIN]
    return [*start, *arguments]


_MAIN = "from ibn.cli import main; main()"


def run(command: Sequence[str]) -> Ended:
    """Run a command in the repository's root and measure it.

    Raises
    ------
    RuntimeError
        If it fails, with the end of what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, err, told = (Path(folder) / name for name in ("out", "err", "told"))
        launcher = [sys.executable, "-S", "-E", __file__, str(told), *command]
        with out.open("w") as stdout, err.open("w") as stderr:
            subprocess.run(launcher, cwd=ROOT, stdout=stdout, stderr=stderr, check=True)
        found = json.loads(told.read_text())
        if found["status"] != 0:
            said = err.read_text().strip()[-2000:]
            raise RuntimeError(f"exit status {found['status']}: {said}")
        return Ended(found["seconds"], found["processor"], found["peak"], out.read_text())


def _launch(told: str, command: list[str]) -> None:
    start = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    found = {
        "seconds": seconds,
        "processor": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss * unit,
        "status": os.waitstatus_to_exitcode(status),
    }
    Path(told).write_text(json.dumps(found))


if __name__ == "__main__":
    _launch(sys.argv[1], sys.argv[2:])
