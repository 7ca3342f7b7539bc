"""The ledger as a page of the documentation, written by ``ibn check --page``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from ibn.outputs import write_text
from ibn.proofs_check.claim import AS_STATED, Check, Reading, Verdict
from ibn.proofs_check.claims_graph import save
from ibn.proofs_check.machine_checked import extent

GRAPH = "claims-graph.svg"
RULE = (
    "A claim may be read in several ways, and each reading is decided for itself: its verdict is "
    "the "
    "worst of its checks (fails, then undecided, then holds). The claim's one verdict is the worst "
    "of the readings that its source's words call for; a reading *beyond* them is on record too, "
    "but "
    "does not count. So “fails” means: fails in at least one sense that the words allow. The rate "
    "in "
    "the last column is what is so: the claim's own where the reading holds, the corrected one "
    "where "
    "it fails."
)


def write(
    path: Path, verdicts: Sequence[Verdict], profile: str, seed: int, changed: Collection[str]
) -> None:
    """Write the page, and beside it the graph of the claims.

    Parameters
    ----------
    path : Path
        The page; the graph is ``claims-graph.svg`` in its folder.
    verdicts : sequence of Verdict
        What was decided.
    profile, seed
        What it was decided with, to be said at the top.
    changed : collection of str
        What is not as on record: sentences written for the record are left out there.
    """
    graph = path.with_name(GRAPH)
    save(verdicts, graph)
    write_text(path, markdown(verdicts, profile, seed, changed, graph.name))


def markdown(
    verdicts: Sequence[Verdict],
    profile: str,
    seed: int,
    changed: Collection[str] = (),
    graph: str = GRAPH,
) -> str:
    """Render decided claims as Markdown; arguments are those of :func:`write`."""
    command = f"ibn check --profile {profile} --seed {seed} --page docs/claims.md"
    lines = [
        "# The claims of the theory, decided",
        "",
        f"Written by `{command}`; do not edit. What the signs mean stands under "
        "[Notation](notation.md).",
        "",
        RULE,
        "",
        *_summary(verdicts, changed),
        "",
        "## Which claim rests on which",
        "",
        "An arrow leads from a claim to one that uses it, where no other arrows lead there "
        "already; "
        "squares are [the written lemmas](proofs/index.md).",
        "",
        f"![Which claims rest on which, coloured by verdict]({graph})",
        *_left(verdicts, profile),
    ]
    for verdict in verdicts:
        lines += _section(verdict)
    return "\n".join(lines) + "\n"


def _summary(verdicts: Sequence[Verdict], changed: Collection[str]) -> list[str]:
    """Write the first table, a row a claim and reading."""
    lines = ["| claim | reading | verdict | why | what is so |", "| --- | --- | --- | --- | --- |"]
    for verdict in verdicts:
        claim, readings = verdict.claim, verdict.readings
        several = len(claim.readings) > 1
        for place, reading in enumerate(claim.readings):
            name = f"[{claim.id}](#{claim.id.lower()})" if place == 0 else ""
            if several and place == 0:
                name += f" **{verdict.verdict}**"
            why = cell(_why(verdict, reading, changed))
            shown = reading.latex or (claim.latex if reading.name == AS_STATED else "")
            formula = f"${_inline(shown)}$" if shown else ""
            found = f"**{readings[reading.name]}**"
            lines.append(f"| {name} | {cell(_named(reading))} | {found} | {why} | {formula} |")
    return lines


def _why(verdict: Verdict, reading: Reading, changed: Collection[str]) -> str:
    key = f"{verdict.claim.id}, reading “{reading.name}”:"
    if key in changed:
        return "the verdict is not the one on record; the evidence is below"
    return reading.why or verdict.claim.statement


def _named(reading: Reading) -> str:
    return reading.name if reading.counts else f"{reading.name} (beyond the claim's words)"


def _left(verdicts: Sequence[Verdict], profile: str) -> list[str]:
    """List what the quick profile leaves to the full one."""
    left = [(v.claim.id, check) for v in verdicts for check in v.claim.checks if check.full]
    if profile != "quick" or not left:
        return []
    lines = ["", "## What the quick profile leaves to the full one", ""]
    return [*lines, *(f"- {name}, {cell(c.name)}: {cell(c.full)}" for name, c in left)]


def _section(verdict: Verdict) -> list[str]:
    """Write a claim with its assumptions, readings and evidence."""
    claim, readings = verdict.claim, verdict.readings
    lines = ["", f"## {claim.id}", "", f"**{verdict.verdict}.** {cell(claim.statement)}", ""]
    lines += [f"$$ {claim.latex} $$", "", f"Source: {claim.source}."]
    if claim.rests_on:
        lines[-1] += " Rests on " + ", ".join(f"[{x}](#{x.lower()})" for x in claim.rests_on) + "."
    if claim.assumptions:
        lines += ["", "Assumptions:", ""]
        lines += [f"- {cell(assumption)}" for assumption in claim.assumptions]
    if len(claim.readings) > 1:
        lines += ["", "| reading | verdict | checks |", "| --- | --- | --- |"]
        for reading in claim.readings:
            names = "; ".join(cell(check.name) for check in reading.checks)
            lines.append(f"| {cell(_named(reading))} | {readings[reading.name]} | {names} |")
    lines += ["", "| check | method | verdict | evidence |", "| --- | --- | --- | --- |"]
    for check in claim.checks:
        finding = verdict.findings[check.name]
        cells = (
            cell(check.name),
            _method(claim.id, check),
            finding.verdict,
            cell(finding.evidence),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


LEMMAS = {
    **dict.fromkeys(("B1", "B2", "B3"), "best-leaves"),
    "L1": "l1-chain-lower",
    "L2": "l2-giant-component",
    "L3": "l3-nearest-leaf",
    "L4": "l4-degrees-of-freedom",
    "L5": "l5-exact-upper",
    "L6": "l6-counting-and-star",
}


def _method(claim: str, check: Check) -> str:
    """Write a check's method, the written lemmas that it instantiates, and whether Coq has it."""
    names = check.lemma.split(", ") if check.lemma else []
    links = [f"[{name}](proofs/{LEMMAS[name]}.md)" for name in names]
    if how_far := extent(claim, check.name):
        links.append(f"[{how_far}](machine_checked.md#{claim.lower()})")
    return ", ".join([check.method, *links])


def _inline(formula: str) -> str:
    """Fit a formula into a table's cell: no column begins in it."""
    return formula.replace(r"\|", r"\Vert ").replace("|", r"\vert ")


def cell(text: str) -> str:
    """Text as it is to be read: no column, emphasis or tag begins in it."""
    for sign in "\\|*`$_":
        text = text.replace(sign, "\\" + sign)
    return text.replace("<", "&lt;").replace("\n", " ")
