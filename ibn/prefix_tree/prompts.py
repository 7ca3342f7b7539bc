"""Prompts, read from the files people have."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ibn.errors import InputError
from ibn.preferences.files import read_records

COLUMNS = ("prompt", "question", "instruction", "problem", "query", "dialogue")


@dataclass(frozen=True)
class Prompt:
    """What is responded to."""

    text: str  # the prompt as the generator reads it
    record: Mapping[str, Any]  # the record it came from, for judges that need a reference
    line: int  # of the file, counted from 1


def read_prompts(
    path: str | os.PathLike[str], *, template: str = "", most: int = 0
) -> list[Prompt]:
    """Read prompts, each once.

    ``path``: any file that :func:`ibn.preferences.reading.read_preferences` takes; a record holds a
    text under ``prompt`` (or question, instruction, problem, query, dialogue); ``template``: a
    Jinja template of the record's fields, such as ``"Q: {{ question }} A:"``, in place of that
    text; ``most``: how many to read; 0 for all. Raises InputError if a record has no prompt, or
    none that is a text, or the template does not fit it.
    """
    source = os.fspath(path)
    found: dict[str, Prompt] = {}
    with closing(read_records(source)) as records:
        for line, record in records:
            try:
                text = _render(template, record) if template else _text(record)
            except InputError as error:
                raise InputError(error.problem, file=source, line=line, fix=error.fix) from None
            if re.search("[\ud800-\udfff]", text):
                problem = "the prompt holds half of a surrogate pair, which is no text"
                raise InputError(problem, file=source, line=line)
            found.setdefault(text, Prompt(text, record, line))
            if most and len(found) == most:
                break
    if not found:
        raise InputError("no prompts", file=source)
    return list(found.values())


def _text(record: Mapping[str, Any]) -> str:
    for name in COLUMNS:
        if name in record:
            if not (isinstance(record[name], str) and record[name].strip()):
                raise InputError(f"{name} is no text")
            return record[name]
    raise InputError(
        f"no prompt among the fields {', '.join(record)}",
        fix=f"name it one of {', '.join(COLUMNS)}, or give --template",
    )


def _render(template: str, record: Mapping[str, Any]) -> str:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    class Small(SandboxedEnvironment):
        intercepted_binops = frozenset(["*", "**", "%"])

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            # A short template can ask for more than any memory holds.
            if not (isinstance(left, float | int) and isinstance(right, float | int)):
                raise InputError(f"the template uses {operator} on what is no number")
            if operator == "**":
                float(left) ** float(right)  # fails where the whole number would have no end
            return super().call_binop(context, operator, left, right)

    try:
        text = Small(undefined=StrictUndefined).from_string(template).render(record)
    except Exception as error:  # whatever a stranger's template may raise
        raise InputError(f"the template does not fit: {error}") from None
    if not text.strip():
        raise InputError("the template makes an empty prompt")
    return text
