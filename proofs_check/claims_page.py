"""The ledger as a page of the documentation, written by ``ibn check --page``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from ibn.outputs import write_text
from ibn.plurals import count_of
from ibn.proofs_check import evidence_plot
from ibn.proofs_check.claim import AS_STATED, HOLDS, Check, Reading, Verdict
from ibn.proofs_check.claims_graph import save
from ibn.proofs_check.evidence_tables import escaped, table_of
from ibn.proofs_check.machine_checked import extent

SHORT = 300  # characters of evidence that need no folding
NO_PLOTS: Mapping[str, str] = MappingProxyType({})

COUNTED = {"holds": "hold", "fails": "fail", "undecided": "undecided"}

GRAPH = "claims-graph.svg"
RULE = (
    "A claim may be read in several ways, and each reading is decided for itself: its verdict is "
    "the "
    "worst of its checks (fails, then undecided, then holds). The claim's one verdict is the worst "
    "of the readings that its source's words call for; a reading *beyond* them is on record too, "
    "but does not count. So “fails” means: fails in at least one sense that the words allow. The "
    "table gives each claim's verdict, the reason in a sentence, and what is so: the claim itself "
    "where it holds, and the corrected rate where it fails. Readings and evidence are below."
)


def write(
    path: Path, verdicts: Sequence[Verdict], profile: str, seed: int, changed: Collection[str]
) -> None:
    """Write the page, and beside it the graph of the claims and the plots of what was measured.

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
    plots = {verdict.claim.id: evidence_plot.save(verdict, path.parent) for verdict in verdicts}
    write_text(path, markdown(verdicts, profile, seed, changed, graph.name, plots))


def markdown(
    verdicts: Sequence[Verdict],
    profile: str,
    seed: int,
    changed: Collection[str] = (),
    graph: str = GRAPH,
    plots: Mapping[str, str] = NO_PLOTS,
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
        lines += _section(verdict, changed, plots.get(verdict.claim.id, ""))
    return "\n".join(lines) + "\n"


def _summary(verdicts: Sequence[Verdict], changed: Collection[str]) -> list[str]:
    """Write the first table, a row a claim: why, by the reading that decides, and what is so."""
    lines = ["| claim | verdict | why, and what is so |", "| --- | --- | --- |"]
    for verdict in verdicts:
        claim, deciding = verdict.claim, _deciding(verdict)
        why = escaped(_why(verdict, deciding, changed))
        if len(claim.readings) > 1 and verdict.verdict != HOLDS:
            why = f"{escaped(deciding.name)}: {why}"
        shown = claim.latex if verdict.verdict == HOLDS else deciding.latex
        reason = _reason(why, shown)
        cells = (f"[{claim.id}](#{claim.id.lower()})", f"**{verdict.verdict}**", reason)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _deciding(verdict: Verdict) -> Reading:
    """Return the first reading that gives the claim its verdict."""
    return next(
        reading
        for reading in verdict.claim.readings
        if reading.counts and verdict.readings[reading.name] == verdict.verdict
    )


def _reason(why: str, formula: str) -> str:
    """Write why in a table's cell, and below it the formula, which breaks between its parts."""
    # No column begins in a formula.
    parts = (x.replace(r"\|", r"\Vert ").replace("|", r"\vert ") for x in _parts(formula))
    return "<br>".join(filter(None, (why, " ".join(f"${part}$" for part in parts))))


def _display(formula: str) -> str:
    """Write a formula by itself, each of its parts on a line."""
    parts = _parts(formula)
    if len(parts) == 1:
        return f"$$ {formula} $$"
    lines = r" \\ ".join(parts)
    return rf"$$ \begin{{gathered}} {lines} \end{{gathered}} $$"


def _parts(formula: str) -> list[str]:
    """Take a formula apart where it has wide gaps."""
    return [part.strip() for part in re.split(r"\\q?quad", formula) if part.strip()]


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
    listed = [f"- {name}, {escaped(check.name)}: {escaped(check.full)}" for name, check in left]
    heading = "## What the quick profile leaves to the full one"
    return ["", heading, *_folded(f"{len(left)} checks, with less work each", listed)]


def _section(verdict: Verdict, changed: Collection[str], plot: str) -> list[str]:
    """Write a claim with its assumptions, readings and evidence."""
    claim, readings = verdict.claim, verdict.readings
    lines = ["", f"## {claim.id}", "", f"**{verdict.verdict}.** {escaped(claim.statement)}", ""]
    lines += [_display(claim.latex), "", f"Source: {claim.source}."]
    if claim.rests_on:
        lines[-1] += " Rests on " + ", ".join(f"[{x}](#{x.lower()})" for x in claim.rests_on) + "."
    lines += ["", "| read as | verdict | why, and what is so |", "| --- | --- | --- |"]
    for reading in claim.readings:
        shown = reading.latex or (claim.latex if reading.name == AS_STATED else "")
        reason = _reason(escaped(_why(verdict, reading, changed)), shown)
        cells = (escaped(_named(reading)), f"**{readings[reading.name]}**", reason)
        lines.append(f"| {' | '.join(cells)} |")
    if claim.assumptions:
        lines += _folded("Assumptions", [f"- {escaped(one)}" for one in claim.assumptions])
    if plot:
        lines += ["", f"![What the measured orders leave over]({plot})"]
    evidence = [line for check in claim.checks for line in _evidence(verdict, check)]
    found = Counter(finding.verdict for finding in verdict.findings.values())
    counts = ", ".join(f"{found[name]} {shown}" for name, shown in COUNTED.items() if found[name])
    return lines + _folded(
        f"Evidence of {count_of(len(claim.checks), 'check')}: {counts}", evidence[1:]
    )


def _evidence(verdict: Verdict, check: Check) -> list[str]:
    """Write what a check found: its table, if its data make one, and the words, folded if long."""
    finding = verdict.findings[check.name]
    served = [r.name for r in verdict.claim.readings if check.name in {c.name for c in r.checks}]
    of = f"; of “{escaped('”, “'.join(served))}”" if len(verdict.claim.readings) > 1 else ""
    how = _method(verdict.claim.id, check)
    lines = ["", f"**{escaped(check.name)}** ({how}{of}): **{finding.verdict}**"]
    table = table_of(finding.data)
    if table:
        lines += ["", *table]
    if not table and len(finding.evidence) <= SHORT:
        return [*lines, "", escaped(finding.evidence)]
    return lines + _folded(
        "in words", [f"- {escaped(one)}" for one in finding.evidence.split("; ")]
    )


def _folded(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"<details><summary>{title}</summary>", "", *lines, "", "</details>"]


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
