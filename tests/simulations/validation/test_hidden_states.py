"""Features of a tiny random model, made on the spot."""

import numpy as np
import pytest

from ibn.simulations.validation.hidden_states import HiddenStates
from ibn.simulations.validation.tiny import make

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
