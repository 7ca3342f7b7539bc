import json

import pytest
from click.testing import CliRunner

from ibn.cli import main
from ibn.preferences.reading import read_preferences
from ibn.simulations.validation.tiny import make


def run(*arguments):
    return CliRunner().invoke(main, ["grow", *map(str, arguments)])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("model")
    make(folder, "LlamaForCausalLM")
    return folder


@pytest.fixture
def prompts(tmp_path):
    path = tmp_path / "prompts.jsonl"
    records = [{"question": f"{i} + {i}?", "answer": f"#### {2 * i}"} for i in range(3)]
    path.write_text("\n".join(map(json.dumps, records)))
    return path


SMALL = ("--depth", 2, "--branching", 2, "--tokens", 12, "--ties", "random", "--judge", "gsm8k")


@pytest.mark.parametrize("topology", ["tree", "chain"])
def test_grow_writes_preferences_and_goes_on_where_it_was(model, prompts, tmp_path, topology):
    out = tmp_path / "prefs.jsonl"
    arguments = (prompts, "--model", model, *SMALL, "--topology", topology, "--out", out)
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    data = read_preferences(out)
    assert len(data.comparisons) == told["written"] == told["comparisons"] == 6
    assert (data.comparisons.uses.max() == 1) == (topology == "chain")
    first = out.read_bytes()
    out.unlink()
    assert run(*arguments).exit_code == 0
    assert out.read_bytes() == first
    assert run(*arguments, "--conversations").exit_code == 0
    messages = json.loads(out.read_text().splitlines()[0])["chosen"]
    assert messages[0]["role"] == "assistant"
    assert read_preferences(out).responses == data.responses
    other = run(*arguments, "--seed", 1)
    assert other.exit_code == 2
    assert "begun with seed = 0, not 1" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--judge", "gsm9k"), "did you mean 'gsm8k'"),
        (("--topology", "tre"), "did you mean 'tree'"),
        (("--judge", "chat:m"), "--judge chat needs --judge-server"),
        (("--judge", "model"), "--judge model needs a name"),
        (("--judge", "overlap"), "prompts.jsonl:1: this judge needs a reference"),
        (("--depth", 0), "0 is not in the range 1<=x<=64"),
        (("--conversations", "--ties", "keep"), "--conversations are of chosen and rejected"),
        (("--opening", "{prompt}!"), "--opening is of --server"),
        (("--template", "{{ x }}"), "prompts.jsonl:1: the template does not fit"),
        (("--out", "/nowhere/x.jsonl"), "/nowhere: no such directory"),
        (("--model", "/nowhere"), "no model '/nowhere'"),
    ],
)
def test_bad_usage_is_told_in_one_line(model, prompts, tmp_path, arguments, message):
    pytest.importorskip("rouge_score")
    out = tmp_path / "p.jsonl"
    done = run(prompts, "--model", model, *SMALL, "--out", out, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stderr.strip().count("\n") == 0
    assert not out.exists()
