"""Nothing that is read runs: no code from a hub, no pickled weights."""

import ast
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from ibn.errors import InputError

ROOT = Path(__file__).parents[1]
FOLDERS = ("ibn", "simulations", "proofs_check", "figures", "benchmarks")
RUNS = {
    *("pickle.load", "pickle.loads", "torch.load", "joblib.load", "eval", "exec"),
    *("yaml.load", "os.system", "marshal.loads", "shelve.open"),
}


def calls():
    """Every call in the product, with its file and keywords."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    keywords = {word.arg: word.value for word in node.keywords}
                    yield path.relative_to(ROOT), ast.unparse(node.func), keywords


def test_no_call_runs_what_it_reads():
    asked = 0
    for path, name, keywords in calls():
        assert name not in RUNS, path
        for word, value in keywords.items():
            if word in ("trust_remote_code", "allow_pickle"):
                asked += 1
                assert isinstance(value, ast.Constant), path
                assert value.value is False, path
        if name.endswith((".load_dataset", ".load_from_disk")):
            assert "trust_remote_code" not in keywords, path
    assert asked


def test_a_data_set_with_code_is_refused_and_the_code_not_run(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    from ibn.preferences.tables import read_hub

    repository = tmp_path / "owner" / "name"
    repository.mkdir(parents=True)
    (repository / "name.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\nimport datasets\n"
        "class Name(datasets.GeneratorBasedBuilder): pass\n"
    )
    heard = []
    load = datasets.load_dataset
    monkeypatch.setattr(
        datasets,
        "load_dataset",
        lambda *given, **named: (heard.append(named), load(*given, **named))[1],
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError):
        list(read_hub("owner/name"))
    assert heard == [{"split": None}]
    assert not (tmp_path / "ran").exists()


class Trap:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


@pytest.fixture
def trapped(tmp_path):
    """Return a tiny model whose weights are a pickle that would run."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from ibn.simulations.validation.tiny import make

    folder = tmp_path / "model"
    make(folder)
    (folder / "model.safetensors").unlink()
    with (folder / "pytorch_model.bin").open("wb") as file:
        pickle.dump({"model.embed_tokens.weight": Trap(tmp_path / "ran")}, file)
    return folder


def loaders():
    from ibn.bias.text_models import embed_hidden_states
    from ibn.prefix_tree.local import LocalModel

    one = np.zeros(1, np.int64)
    return {
        "grow": lambda folder: LocalModel(str(folder)),
        "embed": lambda folder: embed_hidden_states(["q"], ["a"], one, str(folder)),
    }


@pytest.mark.parametrize("verb", ["grow", "embed"])
def test_pickled_weights_are_refused_and_not_run(trapped, verb):
    with pytest.raises(InputError, match="be loaded"):
        loaders()[verb](trapped)
    assert not (trapped.parent / "ran").exists()


@pytest.mark.parametrize("verb", ["grow", "embed"])
def test_a_model_with_code_of_its_own_is_refused_and_not_run(trapped, verb):
    settings = json.loads((trapped / "config.json").read_text())
    settings |= {
        "model_type": "stranger",
        "auto_map": {
            "AutoConfig": "code.Config",
            "AutoModel": "code.Model",
            "AutoModelForCausalLM": "code.Model",
        },
    }
    (trapped / "config.json").write_text(json.dumps(settings))
    (trapped / "code.py").write_text(f"open({str(trapped.parent / 'ran')!r}, 'w')\n")
    with pytest.raises(InputError, match="be loaded"):
        loaders()[verb](trapped)
    assert not (trapped.parent / "ran").exists()


def test_pickled_embeddings_are_refused_and_not_run(tmp_path):
    from ibn.bias.embeddings import load_embeddings

    np.save(tmp_path / "rows.npy", np.array([Trap(tmp_path / "ran")], object), allow_pickle=True)
    with pytest.raises(InputError):
        load_embeddings(tmp_path / "rows.npy", 1)
    assert not (tmp_path / "ran").exists()
