"""The figures there are, drawn and written by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from figures import network, overview, ratio, scaling, tournament
from figures.fit import Fit
from figures.results import Rows, World, worlds
from figures.style import save, style
from ibn.errors import InputError, unknown_name

EXAMPLES = {"network": network}
"""Figures that need no measurements."""
RECORDED = {"tournament": tournament}
"""Figures of recorded results, which need no others."""
MEASURED = {"scaling": scaling, "ratio": ratio}
"""Figures of what a sweep measured, one a world."""
ACROSS = {"overview": overview}
"""Figures of all worlds together, drawn from what ``ratio`` shows of each."""
NAMES = (*EXAMPLES, *RECORDED, *ACROSS, *MEASURED)


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure as it was written.

    Attributes
    ----------
    name : str
        One of ``NAMES``.
    title, caption : str
        What it shows, in words.
    files : dict
        Its paths, under ``"svg"`` and ``"png"``.
    world : World, optional
        Where its measurements were made.
    fits : dict
        What it shows in numbers, under each kind of inference.
    """

    name: str
    title: str
    caption: str
    files: dict[str, Path]
    world: World | None = None
    fits: dict[str, list[Fit]] = field(default_factory=dict)


def draw(names: Sequence[str], rows: Rows | None, out: Path) -> list[Picture]:
    """Draw figures and write each as SVG and PNG.

    Parameters
    ----------
    names : sequence of str
        Which; all that there are if empty.
    rows : structured ndarray, optional
        What a sweep measured. Where it covers several worlds, each has a figure of its own.
    out : Path
        The folder, made if missing.

    Raises
    ------
    InputError
        If a name is unknown or the rows lack what a figure needs; nothing is written then.
    """
    if missing := [name for name in names if name not in NAMES]:
        raise unknown_name("figure", missing[0], NAMES)
    wanted = [name for name in NAMES if not names or name in names]
    found = {name: _fits(name, rows) for name in wanted if name in MEASURED}
    each = found.get("ratio") or (_fits("ratio", rows) if "overview" in names else [])
    if len(each) < 2 and "overview" in names:
        raise InputError(f"figure overview needs {overview.NEEDS}")
    out.mkdir(parents=True, exist_ok=True)
    pictures = []
    with style():
        for name in wanted:
            if name in EXAMPLES or name in RECORDED:
                module = EXAMPLES.get(name) or RECORDED[name]
                files = save(module.draw(), out, name)
                pictures.append(Picture(name, module.TITLE, module.caption(), files))
            if name in ACROSS and len(each) > 1:
                files = save(overview.draw(each), out, name)
                pictures.append(Picture(name, overview.TITLE, overview.caption(each), files))
            for world, fits in found.get(name, []):
                module = MEASURED[name]
                file = name if len(found[name]) == 1 else f"{name}-{world.slug}"
                files = save(module.draw(fits), out, file)
                pictures.append(
                    Picture(name, module.TITLE, module.caption(fits), files, world, fits)
                )
    return pictures


def _fits(name: str, rows: Rows | None) -> list[tuple[World, dict[str, list[Fit]]]]:
    """Find the worlds whose rows suffice for a figure, and what it is to show of them."""
    needs = f"figure {name} needs {MEASURED[name].NEEDS}"
    if rows is None:
        raise InputError(needs, mend="give the results of a sweep with --data")
    each = [(world, MEASURED[name].fits(part, world)) for world, part in worlds(rows)]
    if found := [(world, fits) for world, fits in each if fits]:
        return found
    have = np.unique([f"{t} ({i}, n = {n})" for t, i, n in rows[["topology", "inference", "n"]]])
    more = ", …" if len(have) > 6 else ""
    raise InputError(f"{needs}; the data have {', '.join(have[:6])}{more}")
