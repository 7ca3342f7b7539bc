"""Features of responses: a language model's own last hidden layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ibn.prefix_tree.local import ROWS

if TYPE_CHECKING:
    from ibn.prefix_tree.local import LocalModel


class HiddenStates:
    """Embeds responses by the mean of a language model's last hidden layer over their tokens.

    What the texts of one prompt begin with in common is read once, and what was embedded before
    is remembered.

    ``generator``: its model reads, in the form in which it would write.
    """

    def __init__(self, generator: LocalModel) -> None:
        self.generator = generator
        self._known: dict[tuple[str, str], NDArray[np.float64]] = {}

    def __call__(self, prompt: str, responses: Sequence[str]) -> NDArray[np.float64]:
        """Embed responses to a prompt, shape (k, d)."""
        new = [r for r in dict.fromkeys(responses) if (prompt, r) not in self._known]
        for row in range(0, len(new), ROWS):
            batch = new[row : row + ROWS]
            for response, state in zip(batch, self._read(prompt, batch), strict=True):
                self._known[prompt, response] = state
        return np.array([self._known[prompt, response] for response in responses])

    def _read(self, prompt: str, responses: Sequence[str]) -> NDArray[np.float64]:
        model, torch = self.generator.model, self.generator.torch
        encode, opening = self.generator.encode, self.generator.opening(prompt)
        texts = [encode(opening + response) for response in responses]
        start = len(encode(opening))
        most = min(start, min(map(len, texts)) - 1)  # so that something is left of every text
        shared = 0
        while shared < most and all(ids[shared] == texts[0][shared] for ids in texts):
            shared += 1
        width = max(map(len, texts)) - shared
        rest = [ids[shared:] + [0] * (width - len(ids) + shared) for ids in texts]
        mask = [[1] * len(ids) + [0] * (width + shared - len(ids)) for ids in texts]
        states = []
        with torch.inference_mode():
            more = {}
            if shared:
                opened = model(
                    input_ids=torch.tensor([texts[0][:shared]], device=model.device),
                    use_cache=True,
                    logits_to_keep=1,
                )
                cache = self.generator.cache_of(opened)
                cache.batch_select_indices(torch.zeros(len(texts), dtype=torch.long))
                more[self.generator.cache_name] = cache
            read = model(
                input_ids=torch.tensor(rest, device=model.device),
                attention_mask=torch.tensor(mask, device=model.device),
                output_hidden_states=True,
                logits_to_keep=1,
                **more,
            )
            for row, ids in zip(read.hidden_states[-1], texts, strict=True):
                first = min(start, len(ids) - 1) - shared
                states.append(row[first : len(ids) - shared].float().mean(dim=0).cpu().numpy())
        return np.array(states, dtype=np.float64)
