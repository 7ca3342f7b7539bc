"""Training a tiny random model, made on the spot."""

from dataclasses import replace

import numpy as np
import pytest

from ibn.errors import InputError
from ibn.prefix_tree.prompts import Prompt
from ibn.simulations.validation.document import win_rates
from ibn.simulations.validation.hidden_states import HiddenStates
from ibn.simulations.validation.protocol import PROFILES, repeat
from ibn.simulations.validation.reward import train_language_model
from ibn.simulations.validation.tasks import LanguageTask
from ibn.simulations.validation.tiny import make
from ibn.simulations.validation.training import Tuning, imitate, optimise, train_reward_model

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("trl")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("causal")
    make(folder, max_position_embeddings=256)
    return folder


@pytest.fixture(scope="module")
def generator(folder):
    from ibn.prefix_tree.local import LocalModel

    return LocalModel(str(folder))


def test_imitation_makes_what_was_chosen_likelier_and_leaves_the_base_model(generator):
    pytest.importorskip("trl")
    chosen = [(f"Say {i}", "yes indeed") for i in range(8)]
    before = {k: v.clone() for k, v in generator.model.state_dict().items()}

    def loss(model):
        opening = len(model.encode(model.opening("Say 3")))
        ids = torch.tensor([model.encode(model.opening("Say 3") + "yes indeed")])
        labels = ids.clone()
        labels[:, :opening] = -100
        with torch.inference_mode():
            return float(model.model(ids, labels=labels).loss)

    tuned = imitate(generator, chosen, Tuning(layers=1, epochs=6, rate=3e-3), seed=0)
    assert loss(tuned) < loss(generator) - 0.05
    after = generator.model.state_dict()
    assert all(torch.equal(after[name], kept) for name, kept in before.items())
    moved = [
        name
        for name, kept in before.items()
        if not torch.equal(tuned.model.state_dict()[name], kept)
    ]
    assert moved
    assert all(name.startswith("model.layers.1.") for name in moved)


def test_low_rank_adapters_are_merged(generator):
    pytest.importorskip("peft")
    tuned = imitate(generator, [("Say", "yes")] * 4, Tuning(epochs=2, rate=1e-2, lora=2), seed=0)
    before, after = generator.model.state_dict(), tuned.model.state_dict()
    assert set(before) == set(after)
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_a_reward_model_learns_what_was_preferred(folder):
    pairs = [
        {"prompt": f"Say {i}", "chosen": " yes" * (i % 3 + 1), "rejected": " no" * (i % 3 + 1)}
        for i in range(12)
    ]
    score = train_reward_model(str(folder), pairs, Tuning(layers=2, epochs=6, rate=1e-2), seed=0)
    yes, no = score(Prompt("Say 99", {}, 0), [" yes yes", " no no"])
    assert yes > no


def test_policy_optimisation_raises_the_reward(generator):
    """The reward is the share of ASCII; a model over bytes soon finds it."""

    def reward(prompt, responses):
        return np.array([sum(map(str.isascii, r)) / max(1, len(r)) for r in responses])

    tuning = Tuning(layers=2, rate=1e-2, batch=32)
    tuned = optimise(generator, ["Say"] * 8, reward, tuning, 0, steps=10, tokens=8, anchor=0.0)

    def mean(model):
        from ibn.prefix_tree.generator import Request

        (drawn,) = model.extend("Say", [Request("", 40, 8, 1.0, 1)])
        return reward("Say", [one.text for one in drawn]).mean()

    assert mean(tuned) > mean(generator) + 0.05


def test_the_whole_protocol_with_language_models_as_reward_models(folder, generator, tmp_path):
    def gold(prompt, responses):
        return [float(sum(map(ord, response))) for response in responses]  # hardly ever a tie

    prompts = [Prompt(f"Say {i}", {}, i + 1) for i in range(8)]
    task = LanguageTask("letters", prompts, gold, "letters")
    tuning = Tuning(layers=2, epochs=1, batch=4)
    profile = replace(
        PROFILES["tiny"], training=3, test=2, reward="model", shares=(1.0,), steps=1, tuning=tuning
    )
    embed = HiddenStates(generator)
    arguments = (task, generator, embed, profile, tmp_path, 0, {}, str(folder))
    one = repeat(*arguments)
    assert {rate.decoder for rate in win_rates([one])} == {
        "best-of-n",
        "rft",
        "policy-optimisation",
    }
    assert len(one.models) == 2 * 2
    again = repeat(*arguments)
    for policy, scores in one.scores.items():
        np.testing.assert_array_equal(scores, again.scores[policy])


def test_ties_alone_teach_no_language_model(folder):
    record = {"prompt": "Say", "response_a": "a", "response_b": "b", "winner": "tie"}
    with pytest.raises(InputError, match="every pair a tie"):
        train_language_model(str(folder), Tuning(), 0, [record], None)
