import builtins
import json

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose

from ibn.bias.embeddings import load_embeddings
from ibn.bias.text_models import embed, embed_by_sentence_model, embed_hidden_states, joined
from ibn.cli import main
from ibn.errors import InputError, MissingExtra

PROMPTS = ["how far is it", "what is it"]
RESPONSES = ["it is far", "it is not far at all", "nothing", "it is a very far thing not at all"]
PROMPT_OF = np.array([0, 0, 1, 1])
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "how", "far", "is", "it", "what", "not", "at", "all"]


@pytest.fixture(scope="module")
def tokenizer():
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    whole = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    whole.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=whole, pad_token="[PAD]", unk_token="[UNK]", model_max_length=12
    )


@pytest.fixture(scope="module")
def reward_model(tmp_path_factory, tokenizer):
    """A tiny random reward model, saved as people save theirs."""
    torch = pytest.importorskip("torch")
    from transformers import GPT2Config, GPT2ForSequenceClassification

    torch.manual_seed(0)
    settings = GPT2Config(
        vocab_size=len(WORDS), n_positions=16, n_embd=8, n_layer=2, n_head=2, num_labels=1
    )
    settings.pad_token_id = 0
    folder = tmp_path_factory.mktemp("reward_model")
    GPT2ForSequenceClassification(settings).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def sentence_model(tmp_path_factory, tokenizer):
    """A tiny random sentence encoder."""
    sentence_transformers = pytest.importorskip("sentence_transformers")
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    settings = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
    )
    inner = tmp_path_factory.mktemp("bert")
    BertModel(settings).save_pretrained(inner)
    tokenizer.save_pretrained(inner)
    folder = tmp_path_factory.mktemp("sentences")
    sentence_transformers.SentenceTransformer(str(inner)).save(str(folder))  # pooled by the mean
    return folder


@pytest.mark.parametrize("batch", [1, 3])
def test_hidden_states_are_what_a_reward_models_reward_is_linear_in(reward_model, tokenizer, batch):
    """Against the model's own score, text by text and without padding."""
    import torch
    from transformers import GPT2ForSequenceClassification

    rows = embed_hidden_states(PROMPTS, RESPONSES, PROMPT_OF, str(reward_model), batch=batch)
    assert rows.shape == (4, 8)
    model = GPT2ForSequenceClassification.from_pretrained(reward_model).eval()
    head = model.score.weight.detach().numpy()[0]
    tokenizer.truncation_side = "left"
    for row, prompt, response in zip(rows, PROMPT_OF, RESPONSES, strict=True):
        text = joined(PROMPTS[prompt], response)
        read = tokenizer([text], truncation=True, max_length=12, return_tensors="pt")
        with torch.no_grad():
            score = model(read["input_ids"], attention_mask=read["attention_mask"]).logits
        assert row @ head == pytest.approx(float(score[0, 0]), abs=1e-5)


def test_sentences_are_prompt_beside_response(sentence_model):
    seen = []
    rows = embed_by_sentence_model(
        PROMPTS,
        RESPONSES,
        PROMPT_OF,
        str(sentence_model),
        batch=4,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert rows.shape == (4, 16)
    assert seen == [(4, 6), (6, 6)]
    assert_allclose(np.linalg.norm(rows[:, :8], axis=1), 1.0, rtol=1e-5)
    assert_allclose(rows[0, :8], rows[1, :8], atol=1e-6)
    alone = embed_by_sentence_model([""], RESPONSES, np.zeros(4, int), str(sentence_model))
    assert_allclose(alone, rows[:, 8:], atol=1e-5)


def test_one_door_to_all_of_them_and_a_cache(reward_model, sentence_model, tmp_path):
    texts = (PROMPTS, RESPONSES, PROMPT_OF)
    cache = tmp_path / "rows"
    first = embed(*texts, f"llm:{reward_model}", cache=cache)
    assert_allclose(embed(*texts, "no such model", cache=cache), first)
    assert embed(*texts, str(sentence_model)).shape == (4, 16)
    assert embed(*texts, f"text:{sentence_model}").shape == (4, 16)
    assert len(embed(*texts)) == 4
    with pytest.raises(InputError, match="rows"):
        embed(PROMPTS, RESPONSES[:3], PROMPT_OF[:3], cache=cache)


@pytest.mark.parametrize("kind", ["llm:", "text:"])
def test_a_model_that_is_not_there_is_told(kind, tmp_path):
    pytest.importorskip("sentence_transformers")
    with pytest.raises(InputError, match="cannot be loaded"):
        embed(PROMPTS, RESPONSES, PROMPT_OF, f"{kind}{tmp_path}")


@pytest.mark.parametrize(("embedder", "extra"), [("llm:x", "llm"), ("x", "text")])
def test_a_missing_extra_is_named(monkeypatch, embedder, extra):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] in ("torch", "transformers", "sentence_transformers"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=rf"ibn\[{extra}\]"):
        embed(PROMPTS, RESPONSES, PROMPT_OF, embedder)


def test_the_command_writes_what_audit_reads(tmp_path):
    record = {"prompt": "how far", "chosen": "it is far", "rejected": "not at all"}
    prefs, out = tmp_path / "prefs.jsonl", tmp_path / "rows.npy"
    prefs.write_text(json.dumps(record) + "\n")
    told = CliRunner().invoke(main, ["embed", str(prefs), "--out", str(out)])
    assert told.exit_code == 0, told.stderr
    assert load_embeddings(out, 2).shape[0] == 2
    again = CliRunner().invoke(main, ["embed", str(prefs), "--out", str(out)])
    assert again.exit_code == 2
    assert "exists already" in again.stderr
    assert CliRunner().invoke(main, ["embed", str(prefs), "--out", "rows.txt"]).exit_code == 2
