"""Whether every verb writes the same bytes whatever the threads, workers and hash seed.

``python tests/same_bytes.py`` runs each verb twice on small made-up data: with one thread and one
worker and ``PYTHONHASHSEED=0``, and with two threads, two workers and ``PYTHONHASHSEED=1``; and
tabulates for each output, standard output among them, whether it is the same. Times are put aside
where the documents of the project have them: ``seconds`` of a sweep's store and of claims.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from scenes import RUN, Scene, scenes, serving, set_up, set_up_labels

STDOUT = "standard output"
SETTINGS = (("1", "0"), ("2", "1"))  # threads and workers, hash seed
THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA")


def untimed(data: bytes) -> Any:
    """What was printed, without seconds where it is a document."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strip(inner) for name, inner in value.items() if name != "seconds"}
        return [strip(inner) for inner in value] if isinstance(value, list) else value

    try:
        return strip(json.loads(data))
    except ValueError:
        return data


def outputs(scene: Scene, folder: Path, inputs: Path, server: str, setting: tuple[str, str]) -> Any:
    """Run a scene in a setting; what each output says, and its status."""
    shutil.copytree(inputs, folder)
    for name, text in scene.earlier.items():
        if (inputs / text).is_file():
            shutil.copy(inputs / text, folder / name)
    threads, hashed = setting
    arguments = list(scene.arguments)
    arguments += ["--server", server] if scene.verb == "grow" else []
    arguments += ["--jobs", threads] if scene.jobs else []
    known = {f"{name}_NUM_THREADS": threads for name in THREADS}
    done = subprocess.run(
        [*RUN, *arguments],
        cwd=folder,
        capture_output=True,
        env={**os.environ, **known, "PYTHONHASHSEED": hashed},
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{scene.name}: {done.stderr.decode()[-400:]}")
    found: dict[str, Any] = {STDOUT: untimed(done.stdout)} if scene.verb != "sweep" else {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        say = scene.reader(name)
        if path.is_file() and say is not None:
            found[name] = say(path.read_bytes())
    return found


def compare(only: str = "", real: Path | None = None) -> list[tuple[str, str, bool]]:
    """List scene, output and whether it is the same in both settings."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch, serving() as server:
        inputs = Path(scratch) / "inputs"
        inputs.mkdir()
        set_up(inputs, real)
        set_up_labels(inputs, server)
        for scene in scenes(real):
            if (only and scene.verb not in only.split(",")) or not all(
                map(importlib.util.find_spec, scene.needs)
            ):
                continue
            place = Path(scratch) / "play"
            one, other = (
                outputs(scene, place / setting[0], inputs, server, setting) for setting in SETTINGS
            )
            shutil.rmtree(place)
            for name in sorted({*one, *other}):
                rows.append((scene.name, name, name in one and one[name] == other.get(name)))
                print(f"{scene.name:18}{name:34}{'same' if rows[-1][2] else 'differ'}", flush=True)
    return rows


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="verbs, with commas between")
    parser.add_argument("--real", type=Path, help="a folder of published data")
    given = parser.parse_args()
    rows = compare(given.only, given.real)
    differ = sum(not same for _, _, same in rows)
    print(f"{len(rows)} outputs of {len({scene for scene, _, _ in rows})} scenes, {differ} differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
