"""A small pool whose reward is known: words that add up."""

import json

import numpy as np

WORDS = ("red", "green", "blue", "warm", "cold", "sweet", "sour", "bitter", "loud", "calm")


def write_pool(path, prompts=24, responses=6, seed=0):
    rng = np.random.default_rng(seed)
    worth = dict(zip(WORDS, rng.normal(size=len(WORDS)), strict=True))
    with path.open("w") as file:
        for i in range(prompts):
            for j in range(responses):
                said = rng.choice(WORDS, 6)
                score = sum(worth[word] for word in said) + rng.normal()
                text = f"{' '.join(said)} {i} {j}"
                row = {"prompt": f"Question {i}?", "response": text, "score": score}
                file.write(json.dumps(row) + "\n")
    return path
