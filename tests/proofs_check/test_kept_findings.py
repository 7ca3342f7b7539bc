"""Findings kept in a folder are taken up, and only where nothing that they follow from changed."""

import os

import pytest

from ibn.proofs_check import kept_findings, ledger
from ibn.proofs_check.claim import Context
from ibn.proofs_check.decided import check, document
from ibn.proofs_check.kept_findings import Kept
from ibn.strict_json import dumps, loads


def test_findings_are_taken_up_while_code_profile_and_seed_are_the_same(tmp_path, monkeypatch):
    found = check("E1", kept=tmp_path)
    assert not found.taken_up
    assert document(found.verdicts[0])["evidence"]

    def refuse(*_):
        raise AssertionError("decided again")

    monkeypatch.setattr(ledger, "decide", refuse)
    again = check("E1", kept=tmp_path)
    assert again.taken_up == ("E1",)
    assert loads(dumps(again.to_json())) == loads(dumps(found.to_json()))
    for other in ({"seed": 1}, {"profile": "full"}):
        with pytest.raises(AssertionError, match="decided again"):
            check("E1", kept=tmp_path, **other)
    monkeypatch.setattr(kept_findings, "_code", lambda: "other code")
    with pytest.raises(AssertionError, match="decided again"):
        check("E1", kept=tmp_path)


@pytest.mark.parametrize("damaged", [b"", b"{", b"[1]", b"\xff", b'{"made_by": 1}', b"[" * 99999])
def test_damaged_findings_are_decided_anew(tmp_path, damaged):
    whole = check("E1", kept=tmp_path)
    (tmp_path / "E1.json").write_bytes(damaged)
    again = check("E1", kept=tmp_path)
    assert (again.taken_up, again.passed) == ((), True)
    assert check("E1", kept=tmp_path).taken_up == ("E1",)
    assert [v.findings for v in again.verdicts] == [v.findings for v in whole.verdicts]


def test_a_changed_verdict_and_a_pipe_are_not_believed(tmp_path):
    assert check("E1", kept=tmp_path).passed
    path = tmp_path / "E1.json"
    path.write_text(path.read_text().replace("holds", "fails", 1))
    again = check("E1", kept=tmp_path)
    assert (again.taken_up, again.passed) == ((), True)
    path.unlink()
    os.mkfifo(path)
    assert not Kept(tmp_path, Context()).find("E1")


def test_what_fell_before_an_interruption_is_kept(tmp_path):
    def interrupt(verdict, fallen, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("E1", "P1", kept=tmp_path, progress=interrupt)
    assert check("E1", "P1", kept=tmp_path).taken_up == ("E1",)
