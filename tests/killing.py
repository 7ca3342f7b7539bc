"""Every verb killed at random moments, and what is left behind.

``python tests/killing.py --kills 500 --seed 0`` starts the verbs on small made-up data in a scratch
folder (``--real DIR``: on published data too), kills each several times in a row, by SIGKILL,
SIGTERM, SIGINT or SIGHUP, the process alone or its whole group, at moments spread over its running
time, and lets it end at last. Each time: every output holds what stood there before or all of what
an undisturbed run writes, and a store, journal or folder that is gone on with, whole entries of it;
no input has changed; no label is lost; a signal that can be caught leaves no temporary file, and
none leaves a worker; and the last run comes to the bytes of an undisturbed one.

Each command is a fork of this process, which has loaded all modules: so it is killed at its work.
One that has workers is started anew, for the end of Python is what ends them.

After SIGKILL a hidden ``.ibn-….part`` may stay: another run may be writing it, so none is removed.
"""

from __future__ import annotations

import argparse
import atexit
import hashlib
import importlib.util
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

sys.path.insert(0, str(Path(__file__).parent))
os.environ |= {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}  # a fork cannot share threads
from scenes import RUN, Scene, scenes, serving, set_up, set_up_labels
from scenes import main as play_verb

SIGNALS = ("KILL", "TERM", "INT", "HUP")
LEAST = 20  # kills of each verb, where there are enough in all
IN_A_ROW = 4
PATIENCE = 20.0  # seconds until a process that is told to end, or its workers, must have ended
MODULES = (
    "ibn.auditing.audit",
    "ibn.report.audit_page",
    "ibn.design.planning",
    "ibn.leaderboard.board_probes",
    "ibn.leaderboard.purchase",
    "ibn.figures.gallery",
    "ibn.figures.report",
    "ibn.proofs_check.ledger",
    "ibn.simulations.sweeping.sweep",
    "ibn.simulations.hidden_labels",
    "ibn.simulations.pools.deciding",
    "ibn.prefix_tree.dataset",
    "sklearn.feature_extraction.text",
    "joblib",
    "rich.console",
)


class Process:
    """A verb that runs in a fork of this process, the leader of a session."""

    def __init__(
        self, arguments: list[str], folder: Path, told: Path, *, anew: bool = False
    ) -> None:
        self.pid = os.fork()
        if not self.pid:
            try:
                _be_the_command(arguments, folder, told, anew)
            finally:  # a signal as it ends must not let this copy of the caller go on
                os._exit(130)
        while os.getpgid(self.pid) != self.pid:  # it has not yet become a group
            time.sleep(0.001)

    def wait(self, seconds: float = float("inf")) -> int | None:
        """Wait for its end; its exit status, below 0 for a signal, None where it goes on."""
        until = time.monotonic() + seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() >= until:
                return None
            time.sleep(0.002)


def _be_the_command(arguments: list[str], folder: Path, told: Path, anew: bool) -> NoReturn:
    status: Any = 70
    try:
        os.setsid()
        os.chdir(folder)
        os.dup2(os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # one under nohup ignores both
        if anew:
            os.execv(RUN[0], [*RUN, *arguments])
        sys.argv[1:] = arguments
        play_verb()
    except SystemExit as end:
        status = end.code or 0
    except KeyboardInterrupt:  # before the verb began
        status = 130
    except BaseException:
        traceback.print_exc()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        atexit._run_exitfuncs()
        sys.stdout.flush()
        os._exit(status)


@dataclass
class Tally:
    """What was seen."""

    kills: Counter[tuple[str, str]] = field(default_factory=Counter)  # by scene and signal
    early: Counter[str] = field(default_factory=Counter)  # had ended before it was killed
    parts: int = 0  # temporaries left by SIGKILL
    faults: list[str] = field(default_factory=list)


@dataclass
class Stage:
    """A folder in which a scene is played, and what its outputs say when nobody disturbs it."""

    scene: Scene
    inputs: Path
    folder: Path
    server: str

    def __post_init__(self) -> None:
        self.sums = {path.name: _sum(path) for path in self.inputs.iterdir()}
        self.before: dict[str, object] = {}
        for _ in "compiling", "timed":
            self.clear()
            start = time.monotonic()
            done = self.start().wait()
            self.seconds = time.monotonic() - start
        if done not in (0, 1):
            raise SystemExit(f"{self.scene.name} fails undisturbed: {self.told()}")
        self.whole = self.said(self.files())

    def clear(self) -> None:
        """Begin anew: the inputs, and what stands at the outputs before."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.inputs, self.folder)
        for name, text in self.scene.earlier.items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            held = self.inputs / text
            path.write_bytes(held.read_bytes() if held.is_file() else text.encode())
        self.before = {}
        for name in self.scene.earlier:
            try:
                say = self.scene.reader(name)
                self.before[name] = say((self.folder / name).read_bytes()) if say else None
            except ValueError:  # not of the kind that the verb writes
                self.before[name] = (self.folder / name).read_bytes()

    def start(self) -> Process:
        """Start the scene in a session of its own."""
        arguments = list(self.scene.arguments)
        if self.scene.verb == "grow":
            arguments += ["--server", self.server]
        if self.scene.jobs:
            arguments += ["--jobs", "2"]
        told = self.folder.with_suffix(".err")
        return Process(arguments, self.folder, told, anew=self.scene.jobs)

    def told(self) -> str:
        """The end of what it said on standard error."""
        return self.folder.with_suffix(".err").read_text(errors="replace")[-400:]

    def files(self) -> dict[str, bytes]:
        """Contents of all files but the inputs, by name."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        names = {str(path.relative_to(self.folder)): path for path in found}
        return {name: path.read_bytes() for name, path in names.items() if name not in self.sums}

    def said(self, files: dict[str, bytes]) -> dict[str, object]:
        """What the outputs say."""
        readers = {name: self.scene.reader(name) for name in files}
        return {name: say(files[name]) for name, say in readers.items() if say is not None}

    def faults(self, *, killed: str | None) -> tuple[list[str], int]:
        """What is wrong with the folder, and how many temporaries lie there."""
        found = [
            f"{name} has changed" for name, sum_ in self.sums.items()
            if not (self.folder / name).exists() or _sum(self.folder / name) != sum_
        ]  # fmt: skip
        files = self.files()
        parts = [name for name in files if ".part" in name]
        if parts and killed != "KILL":
            found.append(f"{killed or 'a whole run'} leaves {', '.join(parts)}")
        for name, data in files.items():
            say = self.scene.reader(name)
            if name in parts:
                continue
            if say is None:
                found.append(f"{name} should not be there")
                continue
            try:
                now = say(data)
            except Exception as error:
                if data != self.before.get(name):
                    found.append(f"{name} is torn: {error}")
                continue
            grows = any(Path(name).match(pattern) for pattern in self.scene.grows)
            if killed is not None and (
                now == self.before.get(name) or (grows and self.part(name, now))
            ):
                continue
            if now != self.whole.get(name):
                found.append(f"{name} is neither the earlier nor the whole one")
        for name in self.whole if killed is None else self.before:
            if name not in files:
                found.append(f"{name} is gone")
        return found, len(parts)

    def part(self, name: str, now: object) -> bool:
        """Whether all of what a growing file says is in what it says when whole."""
        whole = self.whole.get(name)
        before = self.before.get(name)
        if isinstance(now, dict) and isinstance(whole, dict):
            kept = before.items() if isinstance(before, dict) else ()
            return now.items() <= whole.items() and all(now.get(k) == v for k, v in kept)
        if isinstance(now, list) and isinstance(whole, list):
            return all(entry in whole for entry in now)
        return False


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def left_in_session(leader: int) -> list[int]:
    """Processes of a session, from what the system says of each."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def kill(stage: Stage, draw: random.Random, tally: Tally) -> bool:
    """Start a scene and kill it; False if it had ended before."""
    name, group = draw.choice(SIGNALS), draw.random() < 0.5
    process = stage.start()
    wait = draw.uniform(0.0, 1.05 * stage.seconds)
    if process.wait(wait) is not None:
        tally.early[stage.scene.name] += 1
        return False
    (os.killpg if group else os.kill)(process.pid, getattr(signal, f"SIG{name}"))
    tally.kills[stage.scene.name, name] += 1
    where = f"{stage.scene.name}, {name} to {'group' if group else 'process'} at {wait:.2f} s"
    if process.wait(PATIENCE + stage.seconds) is None:
        tally.faults.append(f"{where}: does not end")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    until = time.monotonic() + PATIENCE
    while (left := left_in_session(process.pid)) and time.monotonic() < until:
        time.sleep(0.1)
    if left:
        tally.faults.append(f"{where}: {len(left)} workers are left")
        os.killpg(process.pid, signal.SIGKILL)
    told = stage.told()
    if "Traceback" in told:
        tally.faults.append(f"{where}: {' | '.join(told.splitlines()[-4:])}")
    found, parts = stage.faults(killed=name)
    tally.parts += parts
    for path in stage.folder.rglob(".ibn-*.part"):  # so that the next is not blamed
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    tally.faults += [f"{where}: {fault}" for fault in found]
    return True


def play(stage: Stage, kills: int, draw: random.Random, tally: Tally) -> None:
    """Kill a scene so many times, several in a row before it may end."""
    done = 0
    while done < kills:
        stage.clear()
        for _ in range(min(draw.randint(1, IN_A_ROW), kills - done)):
            done += kill(stage, draw, tally)
        process = stage.start()
        status = process.wait()
        if status not in (0, 1) and stage.scene.name != "embed":  # which replaces nothing
            tally.faults.append(
                f"{stage.scene.name}: started again, exits {status}: {stage.told()}"
            )
        found, _ = stage.faults(killed=None)
        tally.faults += [f"{stage.scene.name}, started again: {fault}" for fault in found]


def shares(kills: int, chosen: list[Scene]) -> dict[str, int]:
    """Say how often each scene is killed: each verb at least ``LEAST`` times if that can be."""
    of_verb = Counter(scene.verb for scene in chosen)
    least = min(LEAST, kills // len(of_verb))
    found = {scene.name: -(-least // of_verb[scene.verb]) for scene in chosen}
    left = max(0, kills - sum(found.values()))
    whole = max(1, sum(scene.share - 1 for scene in chosen))
    for scene in chosen:
        found[scene.name] += -(-left * (scene.share - 1) // whole)
    return found


def campaign(kills: int, seed: int, real: Path | None = None, only: str = "") -> Tally:
    """Kill all verbs so many times in all."""
    for module in MODULES:
        import_module(module)
    tally = Tally()
    scratch = Path(tempfile.mkdtemp())  # not by a context manager: each fork would clean it up
    try:
        with serving() as server:
            inputs = scratch / "inputs"
            inputs.mkdir()
            set_up(inputs, real)
            set_up_labels(inputs, server)
            chosen = [
                scene for scene in scenes(real)
                if scene.verb in only.split(",") or not only
                if all(map(importlib.util.find_spec, scene.needs))
            ]  # fmt: skip
            for scene in chosen:
                folder = scratch / scene.name.replace(" ", "-")
                stage = Stage(scene, inputs, folder, server)
                share, before = shares(kills, chosen)[scene.name], len(tally.faults)
                play(stage, share, random.Random(f"{seed} {scene.name}"), tally)
                by_signal = {name: tally.kills[scene.name, name] for name in SIGNALS}
                said = f"{scene.name}: {by_signal}, {stage.seconds:.1f} s undisturbed"
                print(said, *tally.faults[before:], sep="\n  ", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(scratch)
    return tally


def table(tally: Tally) -> str:
    """Tabulate kills by scene and signal."""
    lines = [f"{'':18}" + "".join(f"{name:>7}" for name in SIGNALS) + "    all  ended before"]
    for scene in dict.fromkeys(scene for scene, _ in tally.kills):
        counts = [tally.kills[scene, name] for name in SIGNALS]
        cells = "".join(f"{count:7}" for count in (*counts, sum(counts), tally.early[scene]))
        lines.append(f"{scene:18}{cells}")
    total = sum(tally.kills.values())
    lines.append(f"{total} kills, {tally.parts} temporaries left by SIGKILL, "
                 f"{len(tally.faults)} faults")  # fmt: skip
    return "\n".join([*lines, *tally.faults])


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--real", type=Path, help="a folder of published data")
    parser.add_argument("--only", default="", help="verbs, with commas between")
    given = parser.parse_args()
    tally = campaign(given.kills, given.seed, given.real, given.only)
    print(table(tally))
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
