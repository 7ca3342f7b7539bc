"""Every figure of the gallery, drawn while the site is built: a small sweep, then ``figures``."""

from __future__ import annotations

from pathlib import Path

from ibn.figures.gallery import DECIDED, EXAMPLES, RECORDED, Picture, draw, left_out
from ibn.figures.ledger_evidence import read as read_evidence
from ibn.figures.measurements import MAIN, read
from ibn.simulations.sweeping.grid import Grid
from ibn.simulations.sweeping.profiles import ALL
from ibn.simulations.sweeping.profiles import MAIN as SHOWN
from ibn.simulations.sweeping.sweep import run

GRIDS = (
    Grid(topology=SHOWN, n="1e2:1e4:5", rel_err=0.03, replicates=2),
    Grid(n="1e2:1e4:3", alpha="0.1,0.5,1", rel_err=0.05, replicates=2),
    Grid(n="1e2:1e4:3", family="logarithmic", rel_err=0.05, replicates=2),
    Grid(topology=ALL, n="1e3", rel_err=0.03, replicates=2),
)
"""A minute's measuring at most; ``ibn reproduce`` measures at larger n and in every regime."""


def write(folder: Path, evidence: Path) -> None:
    """Measure, draw and write ``figures.md`` into a folder; what was measured is kept.

    Parameters
    ----------
    folder : Path
        Made if missing.
    evidence : Path
        What ``ibn check --json`` printed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "sweep.csv"
    run(list(dict.fromkeys(task for grid in GRIDS for task in grid.tasks())), store)
    rows, claims = read(store), read_evidence(evidence)
    pictures = draw((), rows, folder, claims)
    known = {claim["id"] for claim in claims}
    parts = [_part(picture, known) for picture in pictures if picture.world in (None, MAIN)]
    parts += [
        f"## {title}\n\nNot drawn: {why}.\n"
        for title, why in left_out(pictures, rows, claims).values()
    ]
    (folder / "figures.md").write_text("\n".join(parts), encoding="utf-8")


def _part(picture: Picture, known: set[str]) -> str:
    """Set a picture with its caption, claims and command."""
    command = f"ibn figures {picture.name}"
    if picture.name in DECIDED:
        command += " --evidence claims.json"
    elif picture.name not in {**EXAMPLES, **RECORDED}:
        command += " --data sweep.csv"
    claims = ", ".join(
        f"[{name}](claims.md#{name.lower()})" for name in picture.claims if name in known
    )
    about = f"`{command}`" + (f" · bears on {claims}" if claims else "")
    return (
        f"## {picture.title}\n\n"
        f"```{{image}} _gallery/{picture.files['svg'].name}\n"
        f":alt: {picture.title}\n:width: 30rem\n:align: center\n```\n\n"
        f"{_plain(picture.caption)}\n\n{about}\n"
    )


def _plain(text: str) -> str:
    """Text as it is to be read: no emphasis, formula or tag begins in it."""
    for sign in "\\*_`$":
        text = text.replace(sign, "\\" + sign)
    return text.replace("<", "&lt;")
