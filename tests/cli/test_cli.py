import json
import os
import subprocess
import sys

import pytest

from ibn import __version__
from ibn.cli import VERBS

HEAVY = {"numpy", "scipy", "numba", "rich", "joblib", "sympy", "matplotlib", "networkx", "sklearn"}


def python(code, **options):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


@pytest.mark.parametrize("args", [["--help"], ["sweep", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(args):
    code = f"import sys\nfrom ibn.cli import main\ntry: main({args})\nexcept SystemExit: pass\n"
    out = python(code + "print(*sys.modules)").stdout.splitlines()[-1].split()
    assert not HEAVY & set(out)


def test_help_lists_the_verbs(ibn):
    for args in ([], ["--help"]):
        status, out, err = ibn(*args)
        assert (status, err) == (0, "")
        for verb, (_, summary) in VERBS.items():
            assert verb in out
            assert summary.split()[0] in out


def test_version(ibn):
    assert ibn("--version") == (0, f"ibn {__version__}\n", "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["swep"], "ibn: unknown verb 'swep' (did you mean 'sweep'?)\n"),
        (["--jsn"], "ibn: No such option '--jsn'"),
        (["sweep", "--topolgy", "chain"], "--topolgy"),
        (["sweep"], "ibn: Missing option '--out'. (see ibn sweep --help)\n"),
        (["sweep", "--out", "x.csv", "--seed", "one"], "'one' is not a valid integer"),
    ],
)
def test_bad_usage_is_told_in_one_line(ibn, args, message):
    status, out, err = ibn(*args)
    assert (status, out) == (2, "")
    assert message in err
    assert err.startswith("ibn: ")
    assert err.count("\n") == 1


def test_a_reader_that_leaves_is_no_error():
    code = "import ibn.cli as c, sys\nc.main(['--help'])"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141


@pytest.mark.parametrize("verb", VERBS)
def test_help_shows_examples_as_they_are_typed(ibn, verb):
    _, shown, _ = ibn(verb, "--help")
    assert "\\b" not in shown
    assert f"\n    ibn {verb} " in shown


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "ibn", "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, f"ibn {__version__}\n")


def test_a_terminal_of_few_characters_and_a_long_seed(tmp_path):
    rows = [
        {"prompt": f"Q{i}", "chosen": f"yes – {i} good", "rejected": f"no {i} bad"}
        for i in range(12)
    ]
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = "import sys; from ibn.cli import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", command, "audit", str(path), "--seed", str(2**32)],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert b"Traceback" not in run.stderr


@pytest.mark.parametrize("word", ["\ud800", "rows.jsonl\udfff"])
def test_words_that_no_system_passes_on_are_refused(ibn, word):
    status, out, err = ibn("audit", "rows.jsonl", "--out", word)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert "no text that a command line can have" in err


@pytest.mark.parametrize(
    "words",
    [
        ("figures", "--height", "nan"),
        ("figures", "--width", "NaN"),
        ("rank", "battles.csv", "--level", "nan"),
        ("plan", "rows.jsonl", "--budget", "3", "--out", "next.jsonl", "--max-uses", "9" * 20),
    ],
)
def test_numbers_that_are_none_or_too_large_are_refused(ibn, words):
    status, out, err = ibn(*words)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
