"""The ledger as a whole: claims found, verdicts drawn, the record kept and held against."""

import json
import re
from pathlib import Path

import pytest

from ibn.errors import InputError
from ibn.proofs_check import evidence_plot, ledger
from ibn.proofs_check.claim import (
    Check,
    Claim,
    Context,
    Finding,
    Reading,
    as_stated,
    decide,
    judged,
    worst,
)
from ibn.proofs_check.claims_graph import graph, places
from ibn.proofs_check.claims_page import LEMMAS, markdown, write
from ibn.proofs_check.evidence_tables import table_of
from ibn.report.style import VERMILION


def check_of(name, verdict):
    return Check(
        name,
        "exhaustive",
        lambda _: Finding(verdict, f"found | {verdict}", {"n": 1}),
        lemma="L1",
        full="more of it",
    )


def claim_of(*verdicts, name="X1", rests_on=()):
    checks = (check_of(str(i), verdict) for i, verdict in enumerate(verdicts))
    readings = as_stated(*checks, why="so it is")
    return Claim(name, "a statement", "x = 1", "this project", ("assumed",), readings, rests_on)


def read_twice(upper, tight, counts=True):
    """A claim that may be an upper bound or a tight order."""
    shared = check_of("shared", upper)
    readings = (
        Reading("upper", (shared,), "x = O(1)", "bounded"),
        Reading("tight", (shared, check_of("attained", tight)), "x = 2", "attained", counts),
    )
    return Claim("P1", "a statement", "x = 1", "paper", (), readings)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["holds", "holds"], "holds"),
        (["holds", "undecided"], "undecided"),
        (["undecided", "fails", "holds"], "fails"),
    ],
)
def test_a_verdict_follows_from_its_checks(verdicts, expected):
    assert decide(claim_of(*verdicts), Context()).verdict == expected
    assert worst(verdicts) == expected


def test_a_reading_that_does_not_count_leaves_the_claims_verdict_alone():
    counted = decide(read_twice("holds", "fails"), Context())
    assert counted.readings == {"upper": "holds", "tight": "fails"}
    assert counted.verdict == "fails"
    assert decide(read_twice("holds", "fails", counts=False), Context()).verdict == "holds"


def test_refutation_comes_before_what_is_shown():
    assert [judged(True, True), judged(True, False), judged(False, False)] == [
        "fails",
        "holds",
        "undecided",
    ]


def test_a_check_of_two_readings_runs_once():
    ran = []
    check = Check("x", "symbolic", lambda _: ran.append(1) or Finding("holds", "found"))
    claim = Claim("X1", "", "", "", (), (Reading("a", (check,)), Reading("b", (check,))))
    assert decide(claim, Context()).readings == {"a": "holds", "b": "holds"}
    assert ran == [1]


def test_streams_differ_by_check_and_seed_alone():
    streams = [("quick", 0, "a"), ("full", 0, "a"), ("quick", 0, "b"), ("quick", 1, "a")]
    draws = [Context(profile, seed).rng(name).random() for profile, seed, name in streams]
    assert draws[0] == draws[1]
    assert len(set(draws)) == 3


def test_every_verdict_is_on_record():
    known = json.loads(ledger.RECORD.read_text())
    built = {name: build() for name, build in ledger.claims().items()}
    assert set(known) == set(built) == set(ledger.recorded())
    for name, claim in built.items():
        assert set(known[name]["checks"]) == {check.name for check in claim.checks}
        assert set(known[name]["readings"]) == {reading.name for reading in claim.readings}
        assert known[name]["profile"] in ("quick", "full")


def test_formulas_run_no_spacing_into_the_letter_behind():
    for name, build in ledger.claims().items():
        for formula in (build().latex, *(reading.latex for reading in build().readings)):
            assert not re.search(r"\\q?quad[A-Za-z]", formula), name


def test_no_claim_rests_on_itself():
    verdicts = [
        ledger.Verdict(build(), {c.name: Finding("holds", "") for c in build().checks}, 0.0)
        for build in ledger.claims().values()
    ]
    at = places(graph(verdicts))
    for verdict in verdicts:
        assert all(at[used][1] < at[verdict.claim.id][1] for used in verdict.claim.rests_on)


def test_unknown_claims_are_refused():
    assert ledger.select(["p1"]) == ["P1"]
    assert ledger.select([]) == list(ledger.claims())
    with pytest.raises(InputError, match=r"unknown claim 'P11'.*did you mean 'P1'"):
        ledger.select(["P11"])


def test_processes_make_no_difference():
    def found(jobs):
        return [
            (v.claim.id, v.verdict, v.findings) for v in ledger.run(["P1", "E1"], Context(), jobs)
        ]

    assert found(1) == found(2)


@pytest.fixture
def record(tmp_path, monkeypatch):
    path = tmp_path / "recorded.json"
    monkeypatch.setattr(ledger, "RECORD", path)
    return path


def test_the_record_keeps_other_claims(record):
    record.write_text('{"E1": {"verdict": "holds"}}')
    ledger.record([decide(read_twice("holds", "fails"), Context())], "quick")
    assert json.loads(record.read_text()) == {
        "P1": {
            "profile": "quick",
            "verdict": "fails",
            "readings": {"upper": "holds", "tight": "fails"},
            "checks": {"shared": "holds", "attained": "fails"},
        },
        "E1": {"verdict": "holds"},
    }
    record.write_text("not JSON")
    with pytest.raises(InputError, match=r"recorded\.json: the record of verdicts cannot be read"):
        ledger.recorded()


def test_any_verdict_that_changes_is_noticed(record):
    """Also where the claim's own verdict stays: that it failed hid what else went wrong."""
    ledger.record([decide(read_twice("holds", "fails"), Context())], "quick")
    assert ledger.changed([decide(read_twice("holds", "fails"), Context())]) == []
    changed = ledger.changed([decide(read_twice("undecided", "fails"), Context())])
    assert changed == [
        ("P1, reading “upper”:", "undecided", "holds"),
        ("P1, check “shared”:", "undecided", "holds"),
    ]
    gone = ledger.changed([decide(claim_of("fails", name="P1"), Context())])
    assert ("P1, check “shared”:", "missing", "holds") in gone
    assert ("P1, check “0”:", "fails", "none") in gone


def test_the_page_has_every_reading_and_check(tmp_path):
    verdicts = [
        decide(read_twice("holds", "fails"), Context()),
        decide(claim_of("holds", rests_on=("P1",)), Context()),
    ]
    write(tmp_path / "claims.md", verdicts, "quick", 0, {"P1, reading “tight”:"})
    page = (tmp_path / "claims.md").read_text()
    first, _, rest = page.partition("## Which claim rests on which")
    assert "| [P1](#p1) | **fails** | tight: the verdict is not the one on record" in first
    assert "| [X1](#x1) | **holds** | so it is<br>$x = 1$ |" in first
    assert "| upper | **holds** | bounded<br>$x = O(1)$ |" in rest
    assert "| tight | **fails** | the verdict is not the one on record" in rest
    assert "| n | 1 |" in rest
    assert "found \\| fails" in page
    assert "- assumed" in page
    assert "- X1, 0: more of it" in page
    assert "Rests on [P1](#p1)." in page
    assert "exhaustive, [L1](proofs/l1-chain-lower.md)" in page
    assert "<svg" in (tmp_path / "claims-graph.svg").read_text()
    assert "more of it" not in markdown(verdicts, "full", 0)


def test_the_graph_leads_from_what_is_used():
    verdicts = [
        decide(claim_of("holds", rests_on=("P1", "P9")), Context()),
        decide(read_twice("holds", "fails"), Context()),
    ]
    found = graph(verdicts)
    assert set(found.edges) == {("P1", "X1"), ("L1", "X1"), ("L1", "P1")}
    assert found.nodes["P1"]["verdict"] == "fails"


def test_every_check_names_lemmas_that_are_written_down():
    named = [
        (claim.id, name.strip())
        for claim in (build() for build in ledger.claims().values())
        for check in claim.checks
        for name in (check.lemma or "").split(",")
        if name.strip()
    ]
    assert {"L1", "L2", "L5", "B1"} <= {name for _, name in named}
    proofs = Path(__file__).parents[2] / "docs" / "proofs"
    for claim, name in named:
        assert (proofs / f"{LEMMAS[name]}.md").exists(), (claim, name)


SLOPE = {
    "claimed": {"n": -0.3, "log_n": 1.3},
    "first": 0.59,
    "last": 0.616,
    "left": {"n": [-0.08, 0.004, 0.03], "log_n": [0.0, 0.1, 0.3]},
}


def test_evidence_becomes_tables():
    assert table_of({}) == []
    assert table_of({"graph": [[1, 2], [3]]}) == []
    row = "| power | $n^{-0.3} (\\log n)^{1.3}$ | 0.59 → 0.616 | -0.080 ± 0.004 | ±0.030 |"
    assert table_of({"power": SLOPE})[2:] == [row]
    assert table_of({"rate": "beta**2/3", "kind": "finite"})[2:] == [
        "| rate | $\\frac{\\beta^{2}}{3}$ |",
        "| kind | finite |",
    ]
    assert table_of({"k": [1, 2], "variance": [0.5, 0.25]})[2:] == ["| 1 | 0.5 |", "| 2 | 0.25 |"]
    many = table_of({"rows": [{"n": n, "kl": [0.1, 0.01]} for n in range(15)]})
    assert many[2] == "| 0 | 0.1 ± 0.01 |"
    assert many[-1].startswith("| and 5 more |")


def test_every_table_of_the_page_is_one():
    """Each row has as many cells as its head, and no text on the page shows a program's powers."""
    page = (Path(__file__).parents[2] / "docs" / "claims.md").read_text(encoding="utf-8")
    assert not re.search(r"[a-zα-ω)]\*\*[0-9a-zα-ω(]", page)
    width = 0
    for line in page.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (cells and width) or cells == width, line
        width = cells


def test_what_is_beyond_is_drawn():
    check = Check("measured", "Monte Carlo", lambda _: Finding("fails", "told", {"power": SLOPE}))
    claim = Claim("P5", "a statement", "x", "paper", (), as_stated(check))
    rows = evidence_plot.rows_of(decide(claim, Context()))
    assert rows == [("measured: power", SLOPE["left"]["n"])]
    figure = evidence_plot.draw(rows)
    assert figure.axes[0].containers[-1].lines[0].get_color() == VERMILION
    assert evidence_plot.rows_of(decide(claim_of("holds"), Context())) == []
