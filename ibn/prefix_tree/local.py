"""A local causal language model as a generator: prefixes are read once for all siblings."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from inspect import signature
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ibn.errors import InputError, MissingExtra
from ibn.prefix_tree.generator import Asked, Continuation, Request
from ibn.pretrained import load_pretrained

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 48  # sequences decoded side by side
LIKELY = 1024  # tokens among which a nucleus is looked for before all are sorted
CONTEXT_TOKENS = 4  # before a continuation, that tell how it reads
CONTEXT = 2048  # where a model does not say what it can read


class LocalModel:
    """A causal model of Hugging Face ``transformers``.

    The prompt and the prefix of each request run through the model once; its keys and values are
    then repeated for the siblings, which are decoded side by side.

    Raises MissingExtra if torch or transformers is missing, InputError if the model cannot be
    loaded.
    """

    def __init__(
        self,
        name: str,  # a directory, a GGUF file, or a name on the hub
        *,
        # whether prompts are put as a user's message into the tokenizer's chat template; by
        # default where it has one
        chat: bool | None = None,
        top_p: float = 0.95,  # draw among the likeliest tokens of this total probability
        device: str | None = None,  # of torch; by default the accelerator if there is one
    ) -> None:
        self.torch, self.tokenizer, self.model = load_model(name, device)
        self.model.eval()
        self.chat = bool(self.tokenizer.chat_template) if chat is None else chat
        if self.chat and not self.tokenizer.chat_template:
            raise InputError(f"{name} has no chat template", fix="give --raw")
        self.top_p = top_p
        stops = self.model.generation_config.eos_token_id
        known = [] if stops is None else stops if isinstance(stops, list) else [stops]
        self.stops = {*known, self.tokenizer.eos_token_id} - {None}
        arguments = signature(self.model.forward).parameters
        # Its newer name first.
        self.cache_name = "cache" if "cache" in arguments else "past_key_values"
        self.context = getattr(self.model.config, "max_position_embeddings", None) or CONTEXT

    def room(self, prompt: str) -> int:
        """Tokens that a response to this prompt may have before the context is full."""
        return int(self.context) - len(self.encode(self.opening(prompt)))

    def count(self, text: str) -> int:
        """Count the tokens of a text."""
        return len(self.encode(text))

    def extend(self, prompt: str, requests: Sequence[Request]) -> list[list[Continuation]]:
        """Continue responses to one prompt, see :class:`ibn.prefix_tree.generator.Generator`."""
        (drawn,) = self.extend_all([(prompt, requests)])
        return drawn

    def extend_all(self, asked: Sequence[Asked]) -> list[list[list[Continuation]]]:
        """Continue responses to several prompts; those of like length run side by side."""
        flat = [
            (self.encode(self.opening(prompt) + one.prefix), one)
            for prompt, requests in asked
            for one in requests
        ]
        drawn: dict[int, list[Continuation]] = {}
        batch: list[int] = []
        rows = 0
        for i in sorted(range(len(flat)), key=lambda i: (flat[i][1].tokens, len(flat[i][0]))):
            count = flat[i][1].count
            if len(flat[i][0]) + flat[i][1].tokens > self.context:
                drawn[i] = [Continuation("", 0, False, "longer than the model reads")] * count
                continue
            if batch and rows + count > ROWS:
                drawn |= zip(batch, self._extend([flat[k] for k in batch]), strict=True)
                batch, rows = [], 0
            batch.append(i)
            rows += count
        if batch:
            drawn |= zip(batch, self._extend([flat[k] for k in batch]), strict=True)
        order = iter(range(len(flat)))
        return [[drawn[next(order)] for _ in requests] for _, requests in asked]

    def opening(self, prompt: str) -> str:
        """Write what comes before a response: the prompt, in the chat template if there is one."""
        if not self.chat:
            return prompt
        message = [{"role": "user", "content": prompt}]
        return self.tokenizer.apply_chat_template(
            message, tokenize=False, add_generation_prompt=True
        )

    def encode(self, text: str) -> list[int]:
        """Tokens of a text."""
        special = not self.chat  # a chat template writes its own
        return self.tokenizer(text, add_special_tokens=special)["input_ids"]

    def cache_of(self, read: Any) -> Any:
        """Keys and values that a run of the model leaves behind."""
        return read[self.cache_name if self.cache_name in read else "past_key_values"]

    def _extend(self, asked: Sequence[tuple[list[int], Request]]) -> list[list[Continuation]]:
        """Read each prefix once, then write its continuations, all side by side."""
        torch = self.torch
        requests = [request for _, request in asked]
        width = max(len(ids) for ids, _ in asked)
        counts = torch.tensor([request.count for request in requests])
        pad = self.tokenizer.pad_token_id
        pad = (self.tokenizer.eos_token_id or 0) if pad is None else pad
        rows = [[pad] * (width - len(ids)) + ids for ids, _ in asked]
        mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids, _ in asked])
        device = self.model.device
        ids, mask = torch.tensor(rows, device=device), mask.to(device)
        with torch.inference_mode():
            position = (mask.cumsum(1) - 1).clamp(min=0)
            read = self.model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=position,
                use_cache=True,
                logits_to_keep=1,
            )
            which = torch.repeat_interleave(torch.arange(len(requests)), counts).to(device)
            cache = self.cache_of(read)
            cache.batch_select_indices(which)
            written = self._decode(
                read.logits[which, -1], cache, mask[which], position[which, -1], requests, which
            )
        return self._group(written, asked)

    def _decode(
        self,
        logits: Any,
        cache: Any,
        mask: Any,
        position: Any,
        requests: Sequence[Request],
        which: Any,
    ) -> list[tuple[list[int], bool]]:
        """Draw tokens for all rows until each has ended or reached its limit."""
        torch = self.torch
        streams = [
            np.random.default_rng([request.seed, i])
            for request in requests
            for i in range(request.count)
        ]
        owner = which.tolist()
        heat = torch.tensor([requests[i].temperature for i in owner], device=logits.device)
        limit = [requests[i].tokens for i in owner]
        tokens: list[list[int]] = [[] for _ in owner]
        ended = [False] * len(owner)
        alive = list(range(len(owner)))  # the rows still written, in the batch's order
        while True:
            chance = self._nucleus(torch.softmax(logits.float() / heat[alive, None], dim=-1))
            # A row's own stream: what it says does not depend on the rows beside it.
            point = torch.tensor([streams[row].random() for row in alive], device=logits.device)
            total = chance.cumsum(-1)
            ranks = torch.searchsorted(total, (point[:, None] * total[:, -1:]).to(total.dtype))
            following = ranks[:, 0].clamp(max=chance.shape[-1] - 1)
            for row, token in zip(alive, following.tolist(), strict=True):
                if token in self.stops:
                    ended[row] = True
                else:
                    tokens[row].append(token)
            places = [
                place
                for place, row in enumerate(alive)
                if not ended[row] and len(tokens[row]) < limit[row]
            ]
            if not places:
                return list(zip(tokens, ended, strict=True))
            if len(places) < len(alive):
                kept = torch.tensor(places, device=logits.device)
                cache.batch_select_indices(kept)
                mask, position, following = mask[kept], position[kept], following[kept]
                alive = [alive[place] for place in places]
            position = position + 1
            mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
            step = self.model(
                input_ids=following[:, None],
                attention_mask=mask,
                position_ids=position[:, None],
                use_cache=True,
                **{self.cache_name: cache},
            )
            logits = step.logits[:, -1]

    def _nucleus(self, chance: Any) -> Any:
        """Put the tokens beyond the likeliest ``top_p`` to probability 0."""
        if self.top_p >= 1.0:
            return chance
        ordered, order = chance.topk(min(LIKELY, chance.shape[-1]), dim=-1)
        if float(ordered.sum(-1).min()) < self.top_p:
            ordered, order = chance.sort(dim=-1, descending=True)
        kept = ordered.masked_fill(ordered.cumsum(-1) - ordered >= self.top_p, 0.0)
        return self.torch.zeros_like(chance).scatter(-1, order, kept)

    def _group(
        self,
        written: list[tuple[list[int], bool]],
        asked: Sequence[tuple[list[int], Request]],
    ) -> list[list[Continuation]]:
        rows = iter(written)
        return [
            [
                Continuation(self.text(ids, tokens), len(tokens), ended)
                for tokens, ended in islice(rows, request.count)
            ]
            for ids, request in asked
        ]

    def text(self, before: list[int], tokens: list[int]) -> str:
        """Decode tokens as they read behind others: some tokenizers drop a text's first blank.

        The last tokens are left out where they make no whole character.
        """
        reach = CONTEXT_TOKENS  # further, where it begins within a character
        while reach < len(before) and self._decoded(before[-reach:]).startswith("\ufffd"):
            reach += 1
        context = before[-reach:]
        start = len(self._decoded(context))
        text = ""
        for left_out in range(min(4, len(tokens) + 1)):
            text = self._decoded(context + tokens[: len(tokens) - left_out])[start:]
            if not text.endswith("\ufffd"):
                return text
        return text.rstrip("\ufffd")

    def _decoded(self, tokens: list[int]) -> str:
        return self.tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )


def load_model(
    name: str, device: str | None = None, head: str = "AutoModelForCausalLM", **config: Any
) -> Any:
    """Return the module torch, a tokenizer and its model, named as :class:`LocalModel` has it.

    ``head`` is that of the automatic classes of ``transformers`` which makes the model, ``config``
    fields of its configuration, such as ``num_labels``. Raises MissingExtra if torch or
    transformers is missing, InputError if the model cannot be loaded.
    """
    try:
        import torch
        import transformers
    except ImportError:
        raise MissingExtra("transformers", "llm", "a language model") from None
    path = Path(name)
    gguf = {"gguf_file": path.name} if path.suffix == ".gguf" and path.is_file() else {}
    where = str(path.parent) if gguf else name
    weights = {"dtype": "auto", "weights_only": True}
    with _quietly(transformers):
        tokenizer = load_pretrained(transformers.AutoTokenizer.from_pretrained, where, name, **gguf)
        model = load_pretrained(
            getattr(transformers, head).from_pretrained, where, name, **weights, **gguf, **config
        )
    if gguf:
        model.is_quantized = False  # its weights were expanded: it can be trained
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and model.dtype != torch.float32:
        model = model.float()  # half precision is emulated there
    return torch, tokenizer, model.to(device)


@contextmanager
def _quietly(transformers: Any) -> Iterator[None]:
    """Keep loading bars off standard error."""
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.utils.logging.enable_progress_bar()
