"""What shells, pipes and terminals see of the command."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from ibn.cli import VERBS, main

COLOUR = re.compile(r"\x1b\[(3[0-8]|9[0-7])[;m]")


def ran(*arguments, **variables):
    done = subprocess.run(
        [sys.executable, "-m", "ibn", *arguments],
        capture_output=True, text=True, env={**os.environ, **variables},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("ibn", "pl"), ["plain,plan"]),
        (("ibn", "audit", "--max-variance-"), ["plain,--max-variance-of"]),
        (("ibn", "plan", "--kernel", "r"), ["plain,rbf"]),
        (("ibn", "audit", "--out", ""), ["file,"]),
        (("ibn", "rank", "x"), ["file,x"]),
    ],
)
def test_what_completes_a_line(words, found):
    asked = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    assert ran(_IBN_COMPLETE="bash_complete", **asked).splitlines() == found


def test_verbs_are_completed_without_importing_them():
    asked = {"COMP_WORDS": "ibn ", "COMP_CWORD": "1", "_IBN_COMPLETE": "bash_complete"}
    assert ran(**asked).splitlines() == [f"plain,{name}" for name in VERBS]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_one_it_reads(shell, tmp_path):
    script = ran("completion", shell)
    assert "_IBN_COMPLETE" in script
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    (tmp_path / "script").write_text(script)
    subprocess.run([shell, "-n", tmp_path / "script"], check=True)


def test_bash_completes_by_it(tmp_path):
    (tmp_path / "ibn").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ibn "$@"\n')
    (tmp_path / "ibn").chmod(0o755)
    script = (
        'eval "$(ibn completion bash)"\n'
        "COMP_WORDS=(ibn au); COMP_CWORD=1; _ibn_completion ibn au ibn\n"
        'echo "${COMPREPLY[@]}"'
    )
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=env)
    assert done.stdout.split() == ["audit"], done.stderr


@pytest.mark.parametrize("verb", [name for name in VERBS if name != "completion"])
def test_every_verb_can_be_quiet_or_verbose(verb):
    names = {name for param in main.get_command(None, verb).params for name in param.opts}
    assert {"-q", "--quiet", "-v", "--verbose"} <= names


def test_quiet_says_nothing_but_what_is_wrong(ibn, prefs, tmp_path):
    out = tmp_path / "next.jsonl"
    for arguments in (
        ("audit", prefs, "--replicates", 2),
        ("plan", prefs, "--budget", 2, "--out", out),
        ("sweep", "--n", 50, "--rel-err", 0.3, "--jobs", 1, "--out", tmp_path / "s.csv"),
        ("check", "M1", "--jobs", 1),
        ("convert", prefs, "--out", tmp_path / "again.jsonl"),
    ):
        status, printed, err = ibn(*arguments, "--quiet")
        assert (status, err) == (0, ""), arguments
        assert printed
    status, _, err = ibn("audit", prefs, "--replicates", 2, "--max-variance", 0.001, "--quiet")
    assert status == 1
    assert err.startswith("ibn: the mean posterior variance")
    assert len(err.splitlines()) == 1


def test_an_audit_takes_few_lines_and_verbose_all(ibn, prefs):
    usual = ibn("audit", prefs, "--json")[2].splitlines()
    all_steps = ibn("audit", prefs, "--json", "--verbose")[2].splitlines()
    assert len(usual) < 20
    assert len(all_steps) > 70
    assert sum("draw" in line for line in usual) <= 2
    assert sum("draw" in line for line in all_steps) == 64


@pytest.mark.parametrize("no_color", ["", "1"])
def test_no_color_is_heard(no_color, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    asked = {"NO_COLOR": no_color} if no_color else {}
    printed = ran("check", "M1", "--jobs", "1", FORCE_COLOR="1", TERM="xterm-256color", **asked)
    assert bool(COLOUR.search(printed)) != bool(no_color)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_in_a_callback_that_drops_it_is_heeded_all_the_same(name):
    script = (
        "import ctypes, signal, time\n"
        "from ibn.cli import end_on_signals\n"
        "end_on_signals()\n"
        "call = ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.NAME))\n"
        "call()\n"
        "time.sleep(30)\n"
        "print('not heeded')\n"
    ).replace("NAME", name)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == (128 + 15 if name == "SIGTERM" else -2)
    assert done.stdout == ""
    assert "ignored" not in done.stderr
