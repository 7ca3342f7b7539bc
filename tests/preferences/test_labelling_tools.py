"""Plans go to labelling tools and their labels come back."""

import json

import pytest

from ibn.preferences.labelling_tools import from_tool, to_argilla, to_label_studio
from ibn.preferences.reading import read_for_planning, read_preferences

RECORD = {"prompt": "Hi?", "response_a": "x", "response_b": "y", "winner": "", "id": 7}
MESSAGES = [{"role": "user", "content": "Hi?"}]


def annotated(task, *sides):
    """As Label Studio exports it."""
    return {
        **task,
        "id": 1,
        "annotations": [
            {
                "result": [
                    {"from_name": "winner", "type": "pairwise", "value": {"selected": side}}
                ],
                "was_cancelled": False,
            }
            for side in sides
        ],
        "predictions": [],
    }


def responded(record, *values):
    """As Argilla exports it."""
    said = [{"value": value, "user_id": "u", "status": "submitted"} for value in values]
    return {**record, "responses": {"winner": said} if said else {}, "_server_id": "s"}


def test_labels_come_back():
    studio = [annotated(to_label_studio(1, RECORD), "right"), annotated(to_label_studio(2, RECORD))]
    argilla = [responded(to_argilla(1, RECORD), "b"), responded(to_argilla(2, RECORD))]
    for exported in (studio, argilla):
        labelled, waiting = read_for_planning(json.loads(json.dumps(exported)))
        assert labelled.responses == ["y", "x"]
        assert labelled.rows[0]["id"] == 7
        assert len(waiting.comparisons) == 1


def test_each_annotator_counts():
    exported = [annotated(to_label_studio(1, RECORD), "left", "left", "right")]
    assert len(read_preferences(exported).comparisons) == 3


def test_a_prediction_is_not_shown():
    record = {**RECORD, "probability_a": 0.9}
    assert "probability_a" not in json.dumps([to_label_studio(1, record), to_argilla(1, record)])


def test_conversations_are_shown_as_text_and_come_back():
    task = to_label_studio(1, {**RECORD, "prompt": MESSAGES})
    assert isinstance(task["data"]["prompt"], str)
    assert from_tool(annotated(task, "left"))["prompt"] == MESSAGES


def test_skipped_tasks_wait():
    task = annotated(to_label_studio(1, RECORD), "left")
    task["annotations"][0]["was_cancelled"] = True
    labelled, waiting = read_for_planning([task])
    assert labelled is None
    assert len(waiting.comparisons) == 1


def test_other_records_stay_as_they_are():
    for record in ({"data": {"x": 1}, "annotations": []}, {"fields": 3}, RECORD):
        assert from_tool(record) is record


def test_argilla_itself_reads_them():
    records = pytest.importorskip("argilla.records._resource")
    made = records.Record.from_dict(to_argilla(3, RECORD))
    assert made.id == "3"
    assert dict(made.fields.to_dict()) == {"prompt": "Hi?", "response_a": "x", "response_b": "y"}
