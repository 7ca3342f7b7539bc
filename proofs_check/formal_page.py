"""The machine-checked proofs as a page of the documentation, ``docs/machine_checked.md``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jinja2

from ibn.proofs_check import ledger
from ibn.proofs_check.claim import Claim
from ibn.proofs_check.evidence_tables import escaped
from ibn.proofs_check.machine_checked import FOLDER, TRUSTED, Checked

TEMPLATE = "machine_checked.md.j2"


def markdown(found: Checked) -> str:
    """Render the record of a build."""
    words = jinja2.Environment(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        loader=jinja2.FileSystemLoader(FOLDER),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # it is Markdown
    )
    words.filters.update(read=escaped, listed=_listed)
    about = {one.claim for one in found.theorems}
    builders = ledger.claims()
    text = words.get_template(TEMPLATE).render(
        found=found,
        refuted=sum(bool(one.mutant) for one in found.theorems),
        trusted=TRUSTED,
        users={name: sum(name in one.axioms for one in found.theorems) for name in TRUSTED},
        claims=[_of_claim(found, builders[name]()) for name in builders if name in about],
        others=[name for name in builders if name not in about],
    )
    return text.rstrip("\n") + "\n"


def _of_claim(found: Checked, claim: Claim) -> dict[str, Any]:
    """Gather what the page says of a claim."""
    theorems = [one for one in found.theorems if one.claim == claim.id]
    names = [check.name for check in claim.checks]
    proved = {name for one in theorems for name in one.checks}
    parts = {name for one in theorems for name in one.parts} - proved
    return {
        "id": claim.id,
        "verdict": ledger.recorded()[claim.id],
        "statement": claim.statement,
        "latex": claim.latex,
        "theorems": theorems,
        "proved": [name for name in names if name in proved],
        "parts": [name for name in names if name in parts],
        "left": [name for name in names if name not in proved | parts],
    }


def _listed(checks: Sequence[str]) -> str:
    """Name checks in a sentence."""
    names = ", ".join(f"“{escaped(name)}”" for name in checks)
    return ("check " if len(checks) == 1 else "checks ") + names
