"""The figures there are, drawn and written by name."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ibn.errors import InputError, unknown_name
from ibn.figures import (
    annotation,
    autoencoder,
    best_of,
    bound,
    convergence,
    families,
    headline,
    network,
    overview,
    pool_errors,
    pool_predictors,
    pool_spending,
    pool_wins,
    predicted_errors,
    rates,
    ratio,
    reversal,
    scaling,
    tournament,
    wins,
)
from ibn.figures.fit import Fit
from ibn.figures.ledger_evidence import Claims
from ibn.figures.measurements import Rows, World, worlds
from ibn.figures.report_tables import Table
from ibn.outputs import writing
from ibn.report.style import AS_DRAWN, Printing, printed, style
from ibn.simulations.recorded import files
from ibn.simulations.sweeping.executors import in_order

EXAMPLES: dict[str, ModuleType] = {
    "autoencoder": autoencoder,
    "network": network,
    "families": families,
}
"""Figures that need no measurements."""
RECORDED: dict[str, ModuleType] = {
    "wins": wins,
    "best-of": best_of,
    "annotation": annotation,
    "tournament": tournament,
    "errors": predicted_errors,
    "pool-wins": pool_wins,
    "pool-errors": pool_errors,
    "pool-spending": pool_spending,
    "pool-predictors": pool_predictors,
}
"""Figures of results on record (``simulations/recorded``)."""
DECIDED: dict[str, ModuleType] = {"convergence": convergence, "rates": rates}
"""Figures of what the ledger measured for its claims."""
ACROSS: dict[str, ModuleType] = {
    "headline": headline,
    "reversal": reversal,
    "bound": bound,
    "overview": overview,
}
"""Figures of all that a sweep measured together."""
MEASURED: dict[str, ModuleType] = {"scaling": scaling, "ratio": ratio}
"""Figures of what a sweep measured, one a world."""
FIGURES = {**EXAMPLES, **RECORDED, **DECIDED, **ACROSS, **MEASURED}
NAMES = tuple(FIGURES)


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure as it was written."""

    name: str
    # what it shows, in words
    title: str
    caption: str
    files: dict[str, Path]  # its paths, by format
    world: World | None = None  # where its measurements were made
    # what it shows in numbers, under each kind of inference
    fits: dict[str, list[Fit]] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)  # the numbers drawn

    @property
    def claims(self) -> tuple[str, ...]:
        """Ids of the claims that it bears on."""
        return getattr(FIGURES[self.name], "CLAIMS", ())

    @property
    def records(self) -> list[Path]:
        """Files on record that it was drawn from."""
        return files(FIGURES[self.name].RECORDS) if self.name in RECORDED else []


@dataclass(frozen=True, eq=False)
class _Shown:
    """A figure to draw: of what, into files of which name, and what its picture says besides."""

    name: str
    file: str
    found: tuple[Any, ...] = ()
    world: World | None = None
    fits: dict[str, list[Fit]] = field(default_factory=dict)


def draw(
    names: Sequence[str],
    rows: Rows | None,
    out: Path,
    claims: Claims | None = None,
    *,
    among: Collection[str] = NAMES,
    printing: Printing = AS_DRAWN,
    jobs: int = 1,
) -> list[Picture]:
    """Draw figures and write each.

    ``names``: which; if empty, all ``among`` these for which there is what they need; if the
    measured ones are among them, a sweep is needed.
    ``rows``: what a sweep measured. Where it covers several worlds, each has figures of its own.
    ``claims``: claims decided, as in the JSON document of ``ibn check``.
    ``printing``: in which formats and size.
    ``jobs``: processes; the files do not depend on it.

    Raises InputError if a name is unknown or what a figure needs is missing; nothing is written
    then.
    """
    if unknown := [name for name in names if name not in NAMES]:
        raise unknown_name("figure", unknown[0], NAMES)
    wanted = [name for name in NAMES if name in (names or among)]
    found = {}
    for name in wanted:
        try:
            found[name] = _found(name, rows, claims)
        except InputError:
            if names or name in MEASURED:
                raise
    out.mkdir(parents=True, exist_ok=True)
    shown = [one for name, each in found.items() for one in _each(name, each)]
    drawn = in_order(partial(_draw, out, printing), shown, jobs)
    for picture, contents in drawn:
        for kind, content in contents.items():
            with writing(picture.files[kind]) as file:
                file.write(content)
    return [picture for picture, _ in drawn]


def about(rows: Rows | None, claims: Claims | None) -> tuple[str, ...]:
    """Name the figures of what is given; if nothing is, those that need nothing."""
    given = (MEASURED | ACROSS if rows is not None else {}) | (DECIDED if claims else {})
    return tuple(given or EXAMPLES | RECORDED)


def left_out(
    pictures: Sequence[Picture], rows: Rows | None, claims: Claims | None
) -> dict[str, tuple[str, str]]:
    """Say of the figures that were not drawn the title of each, and why, by name."""
    missing = {}
    for name in NAMES:
        if name not in {picture.name for picture in pictures}:
            try:
                _found(name, rows, claims)
            except InputError as error:
                missing[name] = FIGURES[name].TITLE, str(error)
    return missing


def _found(name: str, rows: Rows | None, claims: Claims | None) -> Any:
    """Find what a figure is to show."""
    module = FIGURES[name]
    if name in EXAMPLES:
        return None
    needs = f"figure {name} needs {module.NEEDS}"
    if name in RECORDED:
        if not files(module.RECORDS):
            raise InputError(needs)
        return None
    if name in DECIDED:
        if not claims:
            raise InputError(needs, fix="give what ibn check --json prints with --evidence")
        if found := module.gather(claims):
            return found
        raise InputError(f"{needs}; the evidence has {', '.join(one['id'] for one in claims)}")
    if rows is None:
        raise InputError(needs, fix="give the results of a sweep with --data")
    if name in ACROSS:
        found = module.gather(rows)
    else:
        each = [(world, module.fits(part, world)) for world, part in worlds(rows)]
        found = [(world, fits) for world, fits in each if fits]
    if found:
        return found
    have = np.unique([f"{t} ({i}, n = {n})" for t, i, n in rows[["topology", "inference", "n"]]])
    more = ", …" if len(have) > 6 else ""
    raise InputError(f"{needs}; the data have {', '.join(have[:6])}{more}")


def _each(name: str, found: Any) -> list[_Shown]:
    """List the figures of a name: one, or of what was measured one a world."""
    if name not in MEASURED:
        return [_Shown(name, name, () if found is None else (found,))]
    return [
        _Shown(name, f"{name}-{world.slug}" if len(found) > 1 else name, (fits,), world, fits)
        for world, fits in found
    ]


def _draw(out: Path, printing: Printing, shown: _Shown) -> tuple[Picture, dict[str, bytes]]:
    """Draw a figure, perhaps in another process; it, and what is to be written."""
    module = FIGURES[shown.name]
    with style():
        contents = printed(module.draw(*shown.found), shown.file, printing)
    picture = Picture(
        shown.name,
        module.TITLE,
        module.caption(*shown.found),
        {kind: out / f"{shown.file}.{kind}" for kind in contents},
        shown.world,
        shown.fits,
        module.tables(*shown.found) if hasattr(module, "tables") else [],
    )
    return picture, contents
