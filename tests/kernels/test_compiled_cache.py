"""Where compiled kernels are kept when neither the package nor the home can be written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = (
    "import numba, os; from ibn.kernels.pairwise import {}; "
    "print(numba.config.CACHE_DIR, os.path.isdir(numba.config.CACHE_DIR))"
)


@pytest.mark.parametrize("home", ["written", "unwritten"])
def test_kernels_load_where_nothing_can_be_written(tmp_path, home):
    shutil.copytree(ROOT / "ibn", tmp_path / "ibn", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "ibn" / "kernels" / "__pycache__").touch()  # no folder can be made there
    (tmp_path / "home").mkdir()
    where = str(tmp_path / "home") if home == "written" else "/proc/nowhere"
    environment = {**os.environ, "HOME": where, "PYTHONPATH": str(tmp_path)}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(tmp_path)}
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        environment.pop(name, None)
    kernel = next(
        line[4:].partition("(")[0]
        for line in (ROOT / "ibn/kernels/pairwise.py").read_text().splitlines()
        if line.startswith("def ")
    )
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(kernel)],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder, there = done.stdout.rsplit(maxsplit=1) if home == "unwritten" else ("", "False")
    assert there == str(home == "unwritten")
    assert not folder or not Path(folder).exists()  # it went with the process
