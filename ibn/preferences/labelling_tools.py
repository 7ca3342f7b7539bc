"""Pairs as labelling tools take them, and their labels as these tools give them back.

Label Studio imports tasks, ``{"data": …}``, and exports them with ``annotations``, whose pairwise
results select ``left`` or ``right``:
<https://labelstud.io/guide/task_format.html>, <https://labelstud.io/tags/pairwise.html>.
Argilla's ``dataset.records.from_json`` takes records of ``fields``, ``metadata`` and more, and its
``to_json`` writes them with ``responses``: <https://docs.argilla.io/latest/reference/argilla/>.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ibn.preferences.source import Record
from ibn.preferences.transcripts import parse_messages, render

TEXTS = ("prompt", "prompt_a", "prompt_b", "response_a", "response_b")
LABEL = "winner"
SELECTED = {"left": "a", "right": "b"}
HIDDEN = "probability_a"  # what a model predicts is not to sway who labels


def to_label_studio(number: int, record: Mapping[str, Any]) -> Record:
    """Make a task; its labelling configuration is ``LABEL_STUDIO_VIEW``.

    Its tags show texts: conversations are shown as such, and kept as they are under ``messages``.
    """
    data = {key: value for key, value in record.items() if key not in (LABEL, HIDDEN)}
    spoken = {key: data[key] for key in TEXTS if isinstance(data.get(key), list)}
    for key, messages in spoken.items():
        data[key] = render(parse_messages(messages, key), "")
    return {"data": {"pair": number, **data, **({"messages": spoken} if spoken else {})}}


def to_argilla(number: int, record: Mapping[str, Any]) -> Record:
    """Make a record with the texts as fields and the rest as metadata."""
    fields = {key: record[key] for key in TEXTS if key in record}
    rest = {
        key: value
        for key, value in record.items()
        if key not in (*TEXTS, LABEL, HIDDEN) and value is not None
    }
    return {
        "id": str(number),
        "fields": fields,
        "metadata": rest,
        "suggestions": {},
        "responses": {},
        "vectors": {},
    }


TOOLS: dict[str, Callable[[int, Mapping[str, Any]], Record]] = {
    "label-studio": to_label_studio,
    "argilla": to_argilla,
}

LABEL_STUDIO_VIEW = """<View>
  <Text name="prompt" value="$prompt"/>
  <Pairwise name="winner" toName="response_a,response_b"/>
  <Text name="response_a" value="$response_a"/>
  <Text name="response_b" value="$response_b"/>
</View>"""


def from_tool(record: Record) -> Record:
    """Lay a tool's record out as columns, its labels a list; another record stays as it is."""
    data, annotations = record.get("data"), record.get("annotations")
    if isinstance(data, dict) and isinstance(annotations, list) and "response_a" in data:
        data = {**data, **(data.get("messages") or {})}
        data = {key: value for key, value in data.items() if key != "messages"}
        return {**data, LABEL: [x for each in annotations for x in _selected(each)]}
    fields, responses = record.get("fields"), record.get("responses")
    if isinstance(fields, dict) and isinstance(responses, dict) and "response_a" in fields:
        said = [x for x in responses.get(LABEL) or [] if isinstance(x, dict)]
        return {**(record.get("metadata") or {}), **fields, LABEL: [x.get("value") for x in said]}
    return record


def _selected(annotation: Any) -> list[str]:
    """Sides that one annotator selected; none where the task was skipped."""
    if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
        return []
    values = [x.get("value") or {} for x in annotation.get("result") or [] if isinstance(x, dict)]
    return [SELECTED[x["selected"]] for x in values if x.get("selected") in SELECTED]
