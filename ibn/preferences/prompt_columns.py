"""Which columns make the prompt of what is compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ibn.errors import InputError
from ibn.preferences.column_roles import Columns, Sample
from ibn.preferences.fields import names
from ibn.preferences.source import Record
from ibn.preferences.transcripts import holds_messages, speaks, turn_of

PROMPTS = ("prompt", "instruction", "question", "problem", "query", "history")
# Lists of messages under these names are prompts; texts there might be anything.
PROMPT_TALKS = (
    *("conversations", "conversation", "context", "messages", "dialogue", "dialog"),
    "context_messages",
)
PROMPT_INSIDE = ("full_text", "text", "post", "article", "problem")  # of a prompt that is an object
BEFORE, BEHIND = ("system", "system_prompt"), ("input",)
LIKELY = ("input", "context", "post", "source", "dialogue", "document", "title", "article", "info")
ANNOTATORS = ("annotator", "annotator_id", "worker", "worker_id", "rater", "judge", "judge_id")
WEIGHTS = ("weight", "weights", "count", "counts")


def first_named(record: Record, known: Sequence[str]) -> str | None:
    """Find the first of several names that is in a record and not null."""
    return next((name for name in known if record.get(name) is not None), None)


def finished(sample: Sample, columns: Columns) -> Columns:
    """Add the columns that stand beside pairs: margin, weight and annotator."""
    pairs = columns.kind in ("pairs", "battles")
    annotator = sample.first(ANNOTATORS) if pairs else None
    return replace(
        columns,
        margin=sample.first(("margin",)) if columns.kind == "pairs" else None,
        weight=sample.first(WEIGHTS) if pairs else None,
        annotator=None if annotator in columns.used else annotator,
    )


def optional_prompt(sample: Sample) -> tuple[str, ...]:
    """Battles have prompts where a column says so."""
    prompt = sample.first(("prompt",))
    return () if sample.wishes.no_prompt or prompt is None else sample.parts(prompt)


def with_prompt(
    sample: Sample, kind: str, side_names: tuple[str, ...], sides: tuple[str, ...], **rest: Any
) -> Columns:
    """Find the prompt of what is compared, and what form it all has."""
    seen = [value for side in sides for value in sample.values(side)]
    talk = any(map(holds_messages, seen)) and kind in ("pairs", "pool")
    prompt: tuple[str, ...] = ()
    prompt_b, turn = None, None
    if sample.wishes.no_prompt:
        pass
    elif {"prompt_a", "prompt_b"} <= sample.known.keys() and "prompt" not in sample.known:
        prompt, prompt_b = (sample.known["prompt_a"],), sample.known["prompt_b"]
    else:
        prompt = _prompts(sample, talk and any(speaks(value, "user") for value in seen))
        if not prompt and not talk:
            turn = turn_of(
                [[x for x in sample.values(side) if isinstance(x, str)] for side in sides]
            )
        if not prompt and not turn and not any(speaks(value, "user") for value in seen):
            raise _no_prompt(sample, kind, sides, rest)
    asked = [
        value
        for name in (*prompt, *([prompt_b] if prompt_b else []))
        for value in sample.values(name)
    ]
    talks = talk or any(map(holds_messages, asked))
    columns = Columns(
        kind, prompt, sides, side_names, prompt_b=prompt_b, talks=talks, turn=turn, **rest
    )
    return finished(sample, columns)


def _prompts(sample: Sample, inside: bool) -> tuple[str, ...]:
    """Find the columns that together make the prompt."""
    if "prompt" in sample.wishes.columns:
        return sample.parts(sample.known["prompt"])
    main = sample.first(PROMPTS)
    if main is None and any(record.get("prompt") is not None for record in sample.records):
        return ("prompt",)  # there, and empty
    if main is None and not inside:
        main = next(
            (
                sample.known[name]
                for name in PROMPT_TALKS
                if name in sample.known
                and any(map(holds_messages, sample.values(sample.known[name])))
            ),
            None,
        )
    if main is None and "summaries" in sample.known:
        main = sample.first(("info",))  # summarize from feedback
    if main is None:
        return ()
    main = _inside(sample, main)
    before = [sample.known["system"]] if "system" in sample.wishes.columns else []
    before = before or [
        column for column in [sample.first(BEFORE)] if column and _sentences(sample, column)
    ]
    turns = sample.first(("history",)) if main != sample.known.get("history") else None
    history = [turns] if turns and any(isinstance(x, list) for x in sample.values(turns)) else []
    behind = [column for column in [sample.first(BEHIND)] if column]
    if main in (*behind, sample.known.get("history")) or sample.known.get("input") in history:
        behind = []
    return (*before, *history, main, *behind)


def _inside(sample: Sample, column: str) -> str:
    """Find where in an object that is no message the prompt stands."""
    first = next(iter(sample.values(column, 1)), None)
    inner = first_named(first, PROMPT_INSIDE) if isinstance(first, dict) else None
    return column if inner is None or holds_messages(first) else f"{column}.{inner}"


def holds_texts(sample: Sample, sides: tuple[str, ...]) -> bool:
    """Whether most of what stands in two columns is longer than a name: messages, or 3 words."""
    found = [value for side in sides for value in sample.values(side)]
    return 2 * sum(len(str(x).split()) > 2 for x in found) > len(found)


def _sentences(sample: Sample, column: str) -> bool:
    """Whether most values have words, as a system prompt and unlike the name of a system."""
    found = sample.values(column)
    return 2 * sum(isinstance(x, str) and " " in x.strip() for x in found) > len(found)


def _no_prompt(
    sample: Sample, kind: str, sides: tuple[str, ...], rest: Mapping[str, Any]
) -> InputError:
    used = {*sides, *rest.get("labels", ()), *rest.get("models", ()), rest.get("judge")}
    texts = []
    for key in sample.keys:
        found = sample.values(key)
        talk = any(map(holds_messages, found))
        nested = [
            f"{key}.{k}"
            for x in found[:1]
            if isinstance(x, dict)
            for k, v in x.items()
            if isinstance(v, str) and " " in v
        ]
        if key not in used and (talk or _sentences(sample, key)):
            texts.append(key)
        elif key not in used:
            texts.extend(nested)
    likely = [sample.known[name] for name in LIKELY if sample.known.get(name) in texts]
    likely = [*likely, *(text for text in texts if text not in likely)][:3]
    if likely:
        verb = "looks like one" if len(likely) == 1 else "look like one"
        return InputError(
            f"no prompt column; {' or '.join(map(repr, likely))} {verb}",
            fix=f"--column prompt={likely[0]}, or --no-prompt if there is none",
        )
    return InputError(
        f"no prompt column, and none looks like one among {names(sample.keys)}",
        fix="--column prompt=COLUMN, or --no-prompt if there is none",
    )
