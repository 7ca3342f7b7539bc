import pytest

from ibn.cli import progress
from ibn.cli.progress import Display


def test_without_a_terminal_a_plain_line_now_and_then(capsys, monkeypatch):
    clock = iter([0.0, 1.0, 9.0, 30.0, 31.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with Display() as display:
        for ended in range(4):  # told only of the third, 30 seconds in
            display(ended, 4, ended / 4)
    assert capsys.readouterr() == ("", "2 of 4 tasks, about 30 s left\n")
    assert display.total == 4


@pytest.mark.parametrize(
    ("seconds", "told"), [(59.4, "59 s"), (60, "1 min"), (3599, "59 min"), (7300, "2 h 1 min")]
)
def test_durations(seconds, told):
    assert progress._duration(seconds) == told


def test_a_stage_of_an_audit_begins_with_the_time_left(capsys, monkeypatch):
    clock = iter([0.0, 5.0, 20.0, 35.0, 91.0, 95.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(
        progress, "DONE_BEFORE", {"embedding": 0.1, "tying": 0.2, "prior": 0.3, "draw": 0.7}
    )
    tell = progress.audit_stages()
    for message in ("embedding", "tying 9", "prior", "chain, draw 1", "chain, draw 2"):
        tell(message)
    assert capsys.readouterr().err.splitlines() == [
        "   5.0 s  embedding",
        "  20.0 s  tying 9, about 2 min left",
        "  35.0 s  prior, about 1 min left",
        "  91.0 s  chain, draw 1, about 43 s left",
        "  95.0 s  chain, draw 2",
    ]
