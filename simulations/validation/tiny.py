"""A two-layer model over bytes with random weights: what a test needs, made on the spot."""

from __future__ import annotations

import os
from typing import Any

from ibn.errors import MissingExtra


def make(
    folder: str | os.PathLike[str], head: str = "LlamaForCausalLM", seed: int = 0, **config: Any
) -> None:
    """Save such a model with its tokenizer.

    ``folder``: where to, made if missing.
    ``head``: a class of ``transformers`` for Llama models.
    ``seed``: of the weights.
    ``**config``: further fields of its configuration, such as ``num_labels``.

    Raises MissingExtra if torch or transformers is missing.
    """
    try:
        import tokenizers
        import torch
        import transformers
    except ImportError:
        raise MissingExtra("transformers", "llm", "a tiny model") from None
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate(["</s>", *alphabet])}
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="</s>", pad_token="</s>"
    )
    tokenizer.save_pretrained(folder)
    settings = {
        "vocab_size": len(vocabulary),
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 2048,
        "eos_token_id": 0,
        "pad_token_id": 0,
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = getattr(transformers, head)(transformers.LlamaConfig(**settings | config))
    model.save_pretrained(folder)
