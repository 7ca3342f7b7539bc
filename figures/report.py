"""The report: figures, tables and how they were made, as one page that needs nothing else."""

from __future__ import annotations

import base64
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

import ibn
from ibn.estimate import Estimate
from ibn.figures.bottom_line import bottom_line
from ibn.figures.fit import Fit
from ibn.figures.formulas import formula_image, typeset
from ibn.figures.gallery import DECIDED, EXAMPLES, RECORDED, Picture, left_out
from ibn.figures.ledger_evidence import Claims
from ibn.figures.measurements import COLUMNS, Rows, World, first
from ibn.figures.typeset import html, plus_minus, scientific, significant
from ibn.strict_json import dumps

EVIDENCE = "claims.json"
"""Name of the file beside a report that holds what the ledger found."""

_PACKAGES = ("numpy", "scipy", "numba", "networkx", "sympy", "matplotlib")
_COLUMNS = sorted(COLUMNS, key=lambda name: name in World._fields)
"""Those of the rows, the ones that differ least to the right."""


@dataclass(frozen=True)
class Provenance:
    """How a report was made.

    Attributes
    ----------
    command : str
        The command line that makes it again.
    store : str
        The file that holds its rows.
    date : str
        Day of the run.
    """

    command: str
    store: str
    date: str

    @property
    def machine(self) -> str:
        """The machine, in words."""
        return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"

    @property
    def versions(self) -> dict[str, str]:
        """Versions of what computed the numbers."""
        packages = {name: version(name) for name in _PACKAGES}
        return {"ibn": ibn.__version__, "Python": platform.python_version(), **packages}


def render(
    pictures: Sequence[Picture],
    rows: Rows,
    provenance: Provenance,
    claims: Claims = (),
    on_record: Mapping[str, str] | None = None,
) -> str:
    """Render the page.

    Parameters
    ----------
    pictures : sequence of Picture
        The figures, from ``gallery.draw``.
    rows : structured ndarray
        The rows they were drawn from; the numbers in the tables of measurements lead to them.
    provenance : Provenance
        How they were made.
    claims : sequence of mapping
        The claims decided, each as in the JSON document of ``ibn check``.
    on_record : mapping of str to str, optional
        Verdicts on record by claim, shown for those that were not decided.

    Returns
    -------
    str
        HTML with everything it shows inside.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(
        loader=PackageLoader("ibn.figures"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    pages.filters |= {
        "inline": inline,
        "formula": html,
        "describe": describe,
        "significant": significant,
        "image": formula_image,
        "typeset": typeset,
    }
    main = first(rows)[0]
    shown = [picture for picture in pictures if picture.world in (None, main)]
    others = list(dict.fromkeys(p.world for p in pictures if p.world not in (None, main)))
    decided = {claim["id"]: claim["verdict"] for claim in claims}
    return pages.get_template("report.html.j2").render(
        figures={picture.name: picture for picture in shown},
        main=main,
        others=[(world, [p for p in pictures if p.world == world]) for world in others],
        trained=[name for name in RECORDED if name != "tasks"],
        left_out=left_out(pictures, rows, claims),
        records=records(pictures),
        source=partial(source, store=provenance.store),
        rows=rows[_COLUMNS].tolist(),
        columns=_COLUMNS,
        provenance=provenance,
        seconds=rows["seconds"].sum(),
        seeds=", ".join(map(str, np.unique(rows["seed"]))),
        plus_minus=plus_minus,
        finding=finding,
        claims=claims,
        line=bottom_line(claims),
        decided=decided,
        on_record={k: v for k, v in (on_record or {}).items() if k not in decided},
    )


class Source(NamedTuple):
    """What a figure was drawn from, and the command that draws it again.

    Attributes
    ----------
    text, anchor : str
        What, and where on the page it is, if anywhere.
    command : str
        The command line.
    """

    text: str
    anchor: str
    command: str


def source(picture: Picture, store: str) -> Source:
    """Say what a picture was drawn from; ``store`` is the file of the rows."""
    command = f"ibn figures {picture.name}"
    if picture.name in EXAMPLES:
        return Source("computed as it is drawn", "", command)
    if picture.name in DECIDED:
        return Source("the ledger’s evidence", "ledger", f"{command} --evidence {EVIDENCE}")
    if picture.name in RECORDED:
        return Source("results on record", "records", command)
    return Source(f"the rows of {store}", "rows", f"{command} --data {store}")


def records(pictures: Sequence[Picture]) -> list[tuple[str, str, str]]:
    """List the files on record that pictures draw from: name, command and text of each."""
    found = []
    for path in dict.fromkeys(path for picture in pictures for path in picture.records):
        text, command = path.read_text(encoding="utf-8"), ""
        if path.suffix == ".json":
            document = json.loads(text)
            text = dumps(document, ensure_ascii=False, separators=(",", ":"))
            text = text.replace("},{", "},\n{")
            task = document.get("task")
            made = f"ibn validate {task} --profile {document['profile']} --json" if task else ""
            command = document.get("command", made)
        found.append((path.stem, command, text))
    return found


def inline(picture: Picture) -> str:
    """Return a picture's SVG as a data URI."""
    data = base64.b64encode(picture.files["svg"].read_bytes()).decode()
    return f"data:image/svg+xml;base64,{data}"


def describe(world: World) -> str:
    """Name a world's parameters."""
    alpha = f"α = {world.alpha:g}, " if world.alpha else ""
    return (
        f"{world.family} family, {alpha}I = {world.scale:g}, B = {world.branching}, "
        f"β = {world.beta:g}, so that σ² = {scientific(world.sigma2)}"
    )


def finding(fits: dict[str, list[Fit]]) -> str:
    """Say which topology each kind of inference prefers at the largest n measured.

    Parameters
    ----------
    fits : dict
        Those of the figure ``ratio``.
    """
    told = []
    for inference, found in fits.items():
        for one in found:
            side = one.curve.side
            verdict = {1: "the tree leaves less", -1: "the chain leaves less"}.get(side)
            ends = plus_minus(one.curve.mean[-1], one.curve.margin[-1])
            told.append(
                f"Under {inference} inference, {one.name}: "
                f"{verdict or 'neither leaves clearly less'} uncertainty, chain / tree = {ends} "
                f"at n = {one.curve.n[-1]:,}."
            )
    sides = {one.curve.side for found in fits.values() for one in found}
    if {1, -1} <= sides:
        told.append("Which is better depends on the inference and on |S|.")
    return " ".join(told)


def summary(pictures: Sequence[Picture], rows: Rows) -> dict[str, Any]:
    """Say in a JSON document what the page says in numbers.

    Returns
    -------
    dict
        ``rows`` (how many), ``figures`` (paths) and ``fits`` (each curve's world, inference,
        rate, exponent and last point, with 95 % intervals over datasets).
    """
    fits = [
        {
            **one.world._asdict(),
            "figure": picture.name,
            "inference": inference,
            "of": one.name,
            "claim": one.rate and one.rate.claim,
            "constant": one.constant if one.rate else None,
            "drift": _interval(one.drift) if one.rate else None,
            "exponent": _interval(one.exponent),
            "n": int(one.curve.n[-1]),
            "measured": _interval(one.curve.points[-1]),
        }
        for picture in pictures
        for inference, found in picture.fits.items()
        for one in found
    ]
    return {
        "rows": len(rows),
        "figures": [str(path) for picture in pictures for path in picture.files.values()],
        "fits": fits,
    }


def _interval(found: Estimate) -> list[float] | None:
    """Mean and 95 % interval over datasets; None of one dataset, which has no interval."""
    low, high = found.interval()
    return [found.mean, low, high] if isfinite(high - low) else None
