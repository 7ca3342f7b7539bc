"""Features of a tiny random model, made on the spot."""

import numpy as np
import pytest

from simulations.validation.features import HiddenStates
from simulations.validation.finetuning import Tuning, imitate
from simulations.validation.tiny import make

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    from ibn.prefix_tree.local import LocalModel

    folder = tmp_path_factory.mktemp("causal")
    make(folder, max_position_embeddings=256)
    return LocalModel(str(folder))


def naive(generator, prompt, response):
    """Read the whole text, alone."""
    opening = generator.opening(prompt)
    ids = generator.encode(opening + response)
    with torch.inference_mode():
        read = generator.model(torch.tensor([ids]), output_hidden_states=True)
    start = min(len(generator.encode(opening)), len(ids) - 1)
    return read.hidden_states[-1][0, start:].mean(dim=0).numpy()


@pytest.mark.parametrize("prompt", ["A prompt", "x", ""])
def test_responses_read_together_are_embedded_as_alone(generator, prompt):
    responses = ["one", "quite another, longer", "", "one and more", "one", *"abcdefgh" * 7]
    if not prompt:
        responses.remove("")  # nothing at all has no features
    embed = HiddenStates(generator)
    found = embed(prompt, responses)
    for response, row in zip(responses, found, strict=True):
        np.testing.assert_allclose(row, naive(generator, prompt, response), atol=1e-5)
    generator_used, embed.generator = embed.generator, None  # what is known is not read again
    np.testing.assert_array_equal(embed(prompt, responses[::-1]), found[::-1])
    assert generator_used is generator


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
