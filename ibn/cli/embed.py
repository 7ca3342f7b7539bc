"""``ibn embed``: embeddings of a preference dataset's responses, for the verbs that take them."""

from __future__ import annotations

import os
from typing import Any

import click

from ibn.cli.inputs import read_all, reading
from ibn.cli.verbosity import note, tasks
from ibn.errors import InputError
from ibn.outputs import check_file


@click.command(name="embed", context_settings={"show_default": True})
@click.argument("prefs", metavar="PREFS")
@click.option(
    "--embedder",
    default="tfidf",
    metavar="PATH_OR_NAME",
    help="A sentence-transformers model by local path or name (extra: text); llm:PATH_OR_NAME for "
    "the last hidden state of a transformers reward or language model (extra: llm); or tfidf.",
)
@click.option("--out", required=True, metavar="FILE", help="Write the matrix to this .npy file.")
@reading
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, help="Seed of the random SVD that tfidf uses."
)
def command(prefs: str, embedder: str, out: str, seed: int, **options: Any) -> int:
    """Embed the responses of a preference dataset.

    Writes a row for each distinct (prompt, response) of PREFS, in order of first appearance: what
    --embeddings of the other verbs reads. Sentence models see prompt and response apart, and a
    row is one beside the other; a reward or language model reads both as one text, and a row is
    its last layer at the last token, which a reward model's reward is linear in.

    \b
    Examples:
      ibn embed preferences.jsonl --embedder all-MiniLM-L6-v2 --out embeddings.npy
      ibn embed preferences.jsonl --embedder llm:./reward-model --out embeddings.npy
      ibn audit preferences.jsonl --embeddings embeddings.npy --out report.html
    """  # noqa: D301 - the escape is for click
    if not out.endswith(".npy"):
        raise InputError("not the name of a .npy file", file=out)
    check_file(out)
    if os.path.exists(out):
        raise InputError("exists already", file=out, fix="remove it, or give another name")
    from ibn.bias.text_models import embed

    data = read_all((prefs,), options)
    with tasks("texts") as display:
        rows = embed(
            data.prompts,
            data.responses,
            data.prompt_of,
            embedder,
            cache=out,
            seed=seed,
            progress=lambda done, total: display(done, total, done / total),
        )
    note(f"{out}: {rows.shape[0]:,} responses, {rows.shape[1]:,} columns")
    return 0
