"""The ledger as a page of the documentation, written by ``ibn check --page``."""

from __future__ import annotations

from collections.abc import Iterable

from ibn.proofs_check.claim import Verdict


def markdown(verdicts: Iterable[Verdict], profile: str, seed: int) -> str:
    """Render decided claims as Markdown.

    Parameters
    ----------
    verdicts : iterable of Verdict
        What was decided.
    profile, seed
        What it was decided with, to be told at the top.
    """
    verdicts = list(verdicts)
    command = f"ibn check --profile {profile} --seed {seed} --page docs/claims.md"
    lines = [
        "# The claims of the theory, decided",
        "",
        f"Written by `{command}`; do not edit. Each claim is decided by computation: it holds, "
        "fails, or is undecided, with the evidence below. What the signs mean stands under "
        "[Notation](notation.md).",
        "",
        "| claim | statement | verdict |",
        "| --- | --- | --- |",
    ]
    for verdict in verdicts:
        claim = verdict.claim
        link = f"[{claim.id}](#{claim.id.lower()})"
        lines.append(f"| {link} | {_cell(claim.statement)} | **{verdict.verdict}** |")
    for verdict in verdicts:
        claim = verdict.claim
        lines += ["", f"## {claim.id}", "", f"**{verdict.verdict}.** {_cell(claim.statement)}", ""]
        lines += [f"$$ {claim.latex} $$", "", f"Source: {claim.source}."]
        if claim.assumptions:
            lines += ["", "Assumptions:", ""]
            lines += [f"- {_cell(assumption)}" for assumption in claim.assumptions]
        lines += ["", "| check | method | verdict | evidence |", "| --- | --- | --- | --- |"]
        for check, finding in zip(claim.checks, verdict.findings, strict=True):
            cells = (check.name, check.method, finding.verdict, finding.evidence)
            lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text as it is to be read: no column, emphasis or tag begins in it."""
    for sign in "\\|*`$":
        text = text.replace(sign, "\\" + sign)
    return text.replace("<", "&lt;").replace("\n", " ")
