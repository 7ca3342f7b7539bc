"""A local model: a tiny random one, made on the spot."""

import numpy as np
import pytest
from prefix_tree.generators import grow_alone

from ibn.errors import InputError
from ibn.prefix_tree.generator import Request
from ibn.prefix_tree.growth import Growth
from ibn.prefix_tree.judging import RewardModelScore
from ibn.prefix_tree.prompts import Prompt
from ibn.simulations.validation.tiny import make

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

CHAT = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}<assistant>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("causal")
    make(folder, max_position_embeddings=256)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    from ibn.prefix_tree.local import LocalModel

    return LocalModel(str(folder))


def naive(model, prompt, request, index):
    """Draw one continuation token by token, without a cache and without neighbours."""
    ids = model.tokenizer(prompt + request.prefix)["input_ids"]
    stream = np.random.default_rng([request.seed, index])
    said = []
    while len(said) < request.tokens:
        with torch.no_grad():
            logits = model.model(torch.tensor([ids + said])).logits[0, -1]
        chance = torch.softmax(logits.float() / request.temperature, dim=-1)
        order = chance.argsort(descending=True)
        before = chance[order].cumsum(0) - chance[order]
        chance[order[before >= model.top_p]] = 0.0
        total = chance.cumsum(0)
        token = int(torch.searchsorted(total, torch.tensor(stream.random()).float() * total[-1]))
        if token in model.stops:
            return said, True
        said.append(token)
    return said, False


def test_decoding_with_shared_prefixes_is_decoding_one_by_one(model):
    requests = [
        Request("", 2, 9, 0.7, 1),
        Request(" and then some more", 3, 12, 1.3, 2),
        Request("x", 1, 5, 0.2, 3),
    ]
    drawn = model.extend("A prompt", requests)
    for request, group in zip(requests, drawn, strict=True):
        assert len(group) == request.count
        for index, one in enumerate(group):
            said, ended = naive(model, "A prompt", request, index)
            whole = model.tokenizer.decode(said, skip_special_tokens=True)
            assert one.text == whole.rstrip("\ufffd")  # a character that is cut is left out
            assert (one.tokens, one.finished) == (len(said), ended)


def test_prompts_side_by_side_are_answered_as_alone(model):
    asked = [
        ("A prompt", [Request("", 2, 9, 0.7, 1), Request(" and then", 3, 12, 1.3, 2)]),
        ("Quite another, longer prompt", [Request("x", 40, 5, 0.2, 3)]),
        ("Nothing asked", []),
        ("B", [Request("", 20, 12, 0.9, 4)]),
    ]
    assert model.extend_all(asked) == [model.extend(prompt, them) for prompt, them in asked]


def test_a_nucleus_wider_than_the_likely_tokens_is_found_among_all(model, monkeypatch):
    chance = torch.softmax(torch.randn(5, 200, generator=torch.manual_seed(0)), dim=-1)
    whole = model._nucleus(chance)
    for likely in (1, 20, 150, 199):
        monkeypatch.setattr("ibn.prefix_tree.local.LIKELY", likely)
        assert torch.equal(model._nucleus(chance), whole)
    assert ((whole > 0).sum(-1) < 200).all()
    assert (whole.sum(-1) >= model.top_p - 1e-6).all()


def test_a_continuation_keeps_its_blank_under_tokenizers_that_drop_a_texts_first():
    import tokenizers
    from tokenizers import decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    from ibn.prefix_tree.local import LocalModel

    words = {"<unk>": 0, "</s>": 1, "▁Hello": 2, "▁world": 3, ".": 4}
    plain = tokenizers.Tokenizer(models.BPE(vocab=words, merges=[], unk_token="<unk>"))
    plain.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    plain.decoder = decoders.Sequence(  # as that of Llama 2
        [decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    local = LocalModel.__new__(LocalModel)
    local.tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="</s>")
    assert local.tokenizer.decode([3, 4]) == "world."
    assert local.text([2], [3, 4]) == " world."


def test_characters_of_several_tokens_are_whole_or_left_out():
    import tokenizers
    from tokenizers import decoders, models
    from transformers import PreTrainedTokenizerFast

    from ibn.prefix_tree.local import LocalModel

    names = ["<unk>", "</s>", *[f"<0x{byte:02X}>" for byte in range(256)], "a"]
    plain = tokenizers.Tokenizer(
        models.BPE(
            vocab={name: i for i, name in enumerate(names)},
            merges=[],
            unk_token="<unk>",
            byte_fallback=True,
        )
    )
    plain.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    local = LocalModel.__new__(LocalModel)
    local.tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="</s>")
    thai = [2 + byte for byte in "สวัสดี".encode()]
    assert local.text(thai, thai) == "สวัสดี"
    assert local.text(thai, thai[:-1]) == "สวัสด"
    assert local.text(thai, [*thai, names.index("a")]) == "สวัสดีa"


def test_a_prefix_longer_than_the_context_is_a_problem_of_its_own(model):
    asked = [Request("x" * 5000, 2, 4, 1.0, 0), Request("", 1, 4, 1.0, 0)]
    (long, (short,)) = model.extend("A prompt", asked)
    assert {one.problem for one in long} == {"longer than the model reads"}
    assert not short.problem


def test_a_tree_grows_from_a_model(model):
    growth = Growth(depth=2, branching=2, tokens=16)
    grown = grow_alone("Hello", model, growth, np.random.default_rng(0))
    assert len({leaf.text for leaf in grown.leaves()}) == 4
    again = grow_alone("Hello", model, growth, np.random.default_rng(0))
    assert again == grown


def test_room_and_chat_templates(folder, model, tmp_path):
    from ibn.prefix_tree.local import LocalModel

    assert model.room("12345") == 256 - 5
    assert not model.chat
    with pytest.raises(InputError, match="has no chat template"):
        LocalModel(str(folder), chat=True)
    model.model.save_pretrained(tmp_path)
    chatty = transformers.AutoTokenizer.from_pretrained(folder)
    chatty.chat_template = CHAT
    chatty.save_pretrained(tmp_path)
    assert LocalModel(str(tmp_path)).room("Hi") == 256 - len("<user>Hi<assistant>")
    assert LocalModel(str(tmp_path), chat=False).room("Hi") == 256 - 2


def test_a_model_that_is_not_there_is_one_clear_error(tmp_path):
    from ibn.prefix_tree.local import LocalModel

    with pytest.raises(InputError, match="cannot be loaded"):
        LocalModel(str(tmp_path))


def test_a_reward_model_scores_each_response_by_itself(tmp_path):
    make(tmp_path, "LlamaForSequenceClassification", num_labels=1)
    score = RewardModelScore(str(tmp_path))
    prompt = Prompt("Say", {}, 1)
    both = score(prompt, ["one", "three, longer"])
    assert both == [*score(prompt, ["one"]), *score(prompt, ["three, longer"])]
    assert np.isfinite(both).all()


def test_a_classifier_of_two_outputs_is_no_reward_model(tmp_path):
    make(tmp_path, "LlamaForSequenceClassification", num_labels=2)
    with pytest.raises(InputError, match="2 outputs"):
        RewardModelScore(str(tmp_path))
