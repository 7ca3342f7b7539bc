"""What a release says of itself, and the action by which others gate their data."""

import configparser
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ibn

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def written(answer, asked):
    """Replace what an action was given, as GitHub does."""
    inputs = {name: one.get("default", "") for name, one in ACTION["inputs"].items()} | asked
    given = re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: inputs[found[1]], answer)
    return given.replace("${{ github.action_path }}", str(ROOT))


def run_action(folder, **asked):
    """Run the action's own steps in bash, but for those that install; return the first failure."""
    asked = {name.replace("_", "-"): value for name, value in asked.items()}
    for step in ACTION["runs"]["steps"]:
        wanted = re.fullmatch(r"inputs\.(\w+) != ''", step.get("if", ""))
        assert wanted or "if" not in step
        if "run" not in step or step["name"] == "Install" or (wanted and not asked.get(wanted[1])):
            continue
        given = {name: written(value, asked) for name, value in step["env"].items()}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=folder, capture_output=True, text=True,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **given},
        )  # fmt: skip
        if done.returncode:
            return done.returncode, done.stdout + done.stderr
    return 0, ""


@pytest.fixture
def folder(tmp_path):
    rows = [
        {"prompt": f"q{i % 6}", "chosen": f"good text {i}", "rejected": f"bad text {i}"}
        for i in range(24)
    ]
    (tmp_path / "prefs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


@pytest.mark.parametrize(("limit", "status"), [("2", 0), ("0.001", 1)])
def test_the_action_fails_where_a_limit_is_passed(folder, limit, status):
    asked = {"max_variance": limit, "options": "--replicates 2 --seed 1"}
    found, said = run_action(folder, file="prefs.jsonl", **asked)
    assert found == status, said
    assert ("is above" in said) == (status == 1)
    assert "<html" in (folder / "ibn-audit.html").read_text()


def test_the_action_refuses_a_file_that_cannot_be_read(folder):
    assert run_action(folder, file="none.jsonl", max_variance="1")[0] == 2
    assert run_action(folder)[0] == 2


def test_the_action_decides_claims(folder):
    assert run_action(folder, claims="M1")[0] == 0
    status, said = run_action(folder, claims="M1 Z99")
    assert status == 2
    assert "unknown claim 'Z99'" in said


def test_nothing_given_to_the_action_is_run_by_the_shell(folder):
    """Inputs reach the steps as variables, never as part of a script."""
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
    run_action(folder, file="$(touch stolen); `touch stolen`", options="; touch stolen")
    assert not (folder / "stolen").exists()


def test_the_version_stands_in_one_place():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert config["metadata"]["version"] == "attr: ibn.__version__"
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == ibn.__version__
    assert cited["references"][0]["identifiers"][0]["value"] == "arXiv:2402.10184"
    assert f"\n## {ibn.__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_the_versions_of_python_that_are_declared_are_tried():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    declared = re.findall(r"Python :: (3\.\d+)", config["metadata"]["classifiers"])
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    tried = [*jobs["test"]["strategy"]["matrix"]["python"]]
    tried += jobs["fast"]["strategy"]["matrix"]["python"]
    assert sorted(tried) == sorted(declared)
    assert config["options"]["python_requires"] == f">={declared[0]}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_ask_for_no_more_than_they_need(path):
    flow = yaml.safe_load(path.read_text())
    assert flow["permissions"] == {"contents": "read"}
    assert "secrets." not in path.read_text()
    for name, job in flow["jobs"].items():
        may = job.get("permissions", {})
        assert may == ({"id-token": "write"} if name == "publish" else {})
