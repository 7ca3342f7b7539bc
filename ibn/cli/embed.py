"""``ibn embed``: embeddings of a preference dataset's responses, for the verbs that take them."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ibn.errors import InputError

TELL_SECONDS = 10.0


@click.command(name="embed")
@click.argument("prefs", metavar="PREFS")
@click.option(
    "--embedder",
    default="tfidf",
    show_default=True,
    metavar="PATH_OR_NAME",
    help="A sentence-transformers model by local path or name (extra: text); llm:PATH_OR_NAME for "
    "the last hidden state of a transformers reward or language model (extra: llm); or tfidf.",
)
@click.option("--out", required=True, metavar="FILE", help="The .npy matrix to write.")
@click.option(
    "--skip-identical", is_flag=True, help="Leave out responses compared with themselves."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of TF-IDF's SVD."
)
def command(prefs: str, embedder: str, out: str, skip_identical: bool, seed: int) -> int:
    """Embed the responses of a preference dataset.

    Writes a row a distinct (prompt, response) of PREFS, in order of first appearance: what
    --embeddings of the other verbs reads. Sentence models see prompt and response apart, and a
    row is one beside the other; a reward or language model reads both as one text, and a row is
    its last layer at the last token, which a reward model's reward is linear in.

    \b
    Examples:
      ibn embed preferences.jsonl --embedder all-MiniLM-L6-v2 --out embeddings.npy
      ibn embed preferences.jsonl --embedder llm:./reward-model --out embeddings.npy
      ibn audit preferences.jsonl --embeddings embeddings.npy --out report.html
    """  # noqa: D301 - the escape is for click
    target = Path(out)
    if target.suffix != ".npy":
        raise InputError("not the name of a .npy file", file=out)
    if not target.parent.is_dir():
        raise InputError("no such directory", file=target.parent)
    if target.exists():
        raise InputError("exists already", file=out, fix="remove it, or give another name")
    from ibn.bias.text_models import embed
    from ibn.preferences.reading import read_preferences

    data = read_preferences(prefs, on_identical="skip" if skip_identical else "error")
    start = told = time.perf_counter()

    def progress(done: int, total: int) -> None:
        nonlocal told
        now = time.perf_counter()
        if now - told >= TELL_SECONDS or done == total:
            told = now
            click.echo(f"{now - start:6.1f} s  {done:,} of {total:,} texts", err=True)

    rows = embed(
        data.prompts,
        data.responses,
        data.prompt_of,
        embedder,
        cache=target,
        seed=seed,
        progress=progress,
    )
    click.echo(f"{out}: {rows.shape[0]:,} responses, {rows.shape[1]:,} columns", err=True)
    return 0
