"""What an installation brings: one name, with all that it needs, and nothing of the user's."""

import configparser
import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAPPED = ("simulations", "proofs_check", "figures")
PREFERENCES = "\n".join(
    json.dumps({"prompt": f"q{i % 6}", "chosen": f"good text {i}", "rejected": f"bad text {i + 1}"})
    for i in range(24)
)
BATTLES = "model_a,model_b,winner\n" + "x,y,model_a\ny,z,model_a\nz,x,model_a\n" * 3
VERBS = (
    ("sweep", "--n", "50", "--rel-err", "0.2", "--jobs", "1", "--seed", "3", "--out", "s.csv"),
    ("check", "P1", "--json"),
    ("figures", "families", "--out", "drawn"),
    ("audit", "prefs.jsonl", "--json"),
    ("plan", "prefs.jsonl", "--pairs", "any", "--budget", "2", "--out", "next.jsonl", "--json"),
    ("replay", "--world", "power", "--responses", "8", "--budget", "4", "--repetitions", "2",
     "--batches", "2", "--json"),
    ("rank", "battles.csv", "--json"),
)  # fmt: skip


def packages():
    """Every folder of code, as it is imported."""
    for folder in ("ibn", *MAPPED):
        for init in sorted((ROOT / folder).rglob("__init__.py")):
            name = ".".join(init.parent.relative_to(ROOT).parts)
            yield f"ibn.{name}" if folder in MAPPED else name


def test_every_folder_of_code_is_installed():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert sorted(config["options"]["packages"].split()) == sorted(packages())


def untimed(value):
    """Leave out how long things took."""
    if isinstance(value, dict):
        return {key: untimed(item) for key, item in value.items() if "seconds" not in key}
    return [untimed(item) for item in value] if isinstance(value, list) else value


def run(folder, arguments):
    """Run a verb in a folder, as from a script that lies there; return its answer."""
    code = "import sys; sys.path.insert(0, ''); from ibn.cli import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(folder)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return untimed(json.loads(done.stdout)) if "--json" in arguments else done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("arguments", VERBS, ids=lambda arguments: arguments[0])
def test_a_users_own_files_of_the_same_names_change_nothing(tmp_path, arguments):
    answers = []
    for name in ("alone", "beside"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "prefs.jsonl").write_text(PREFERENCES)
        (folder / "battles.csv").write_text(BATTLES)
        if name == "beside":
            for taken in MAPPED:
                (folder / f"{taken}.py").write_text("raise SystemExit('the user’s own')")
            for taken in ("figures", "proofs_check"):
                (folder / taken).mkdir()
                (folder / taken / "__init__.py").write_text("raise SystemExit('the user’s own')")
        answers.append(run(folder, arguments))
    # A table on a terminal holds the seconds taken; the store's own rows are compared instead.
    if arguments[0] != "sweep":
        assert answers[0] == answers[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build wheel and source distribution, as for a release."""
    pytest.importorskip("build")
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "-q", "--outdir", str(out), str(ROOT)],
        check=True, capture_output=True,
    )  # fmt: skip
    return out


@pytest.mark.slow
def test_the_wheel_has_one_name_with_its_types(built):
    names = zipfile.ZipFile(next(built.glob("*.whl"))).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"ibn"}
    assert "ibn/py.typed" in names
    assert {"ibn/figures/templates/report.html.j2", "ibn/proofs_check/recorded.json"} <= set(names)
    assert "ibn/proofs_check/formal/checked.json" in names


@pytest.mark.slow
def test_the_sources_pass_their_own_tests(built, tmp_path):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = next(tmp_path.iterdir())
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True, system_site_packages=False)
    python = environment / "bin" / "python"
    # What is installed here serves there too; ibn itself comes from the unpacked sources alone.
    site = next(path for path in sys.path if path.endswith("site-packages"))
    shared = next((environment / "lib").iterdir()) / "site-packages" / "shared.pth"
    shared.write_text(site)
    install = [python, "-m", "pip", "install", "-q", "--no-deps", str(unpacked)]
    subprocess.run(install, check=True, capture_output=True)
    ran = subprocess.run(
        [python, "-m", "pytest", "-q", "-x", *os.environ.get("SDIST_TESTS", "tests/cli").split()],
        cwd=unpacked, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-2000:]
