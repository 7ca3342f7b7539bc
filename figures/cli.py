"""``ibn figures``: the figures, from the results of a sweep."""

from __future__ import annotations

from pathlib import Path

import click

from ibn.cli.bounded import Between
from ibn.cli.terminal import say
from ibn.outputs import keep_inputs
from ibn.strict_json import dumps

FORMATS = ("svg", "png", "pdf")


@click.command(name="figures")
@click.argument("names", metavar="[NAME …]", nargs=-1)
@click.option("--data", metavar="FILE", help="Results of ibn sweep.")
@click.option("--evidence", metavar="FILE", help="What ibn check --json printed.")
@click.option(
    "--out", default="figures", show_default=True, metavar="DIR", help="Where to write them."
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    help="svg, png or pdf; may be repeated.  [default: svg and png]",
)
@click.option("--width", type=Between(1, 40), metavar="INCHES", help="Of each figure.")
@click.option("--height", type=Between(1, 40), metavar="INCHES", help="Of each figure.")
@click.option("--json", "as_json", is_flag=True, help='Print one JSON document, {"figures": […]}.')
def command(
    names: tuple[str, ...],
    data: str | None,
    evidence: str | None,
    out: str,
    formats: tuple[str, ...],
    width: float | None,
    height: float | None,
    as_json: bool,
) -> None:
    """Draw figures. Without names, all of what is given: of --data, of --evidence, or of neither.

    \b
    Of nothing but the theory:
    autoencoder  a human distribution, and the policy that comparisons make of it
    network      a small network, chain and tree, with one optimal path
    families     structural functions of the three families
    \b
    From results on record:
    wins         win rates of trained reward models beside the paper's
    best-of      win rates against N of best-of-N
    annotation   what annotators read
    tournament   who wins against the chain on the synthetic language, and what predicts it
    errors       predicted against measured error of trained reward models
    \b
    From --data, results of ibn sweep:
    scaling      measured uncertainty against n, with the theory's rates drawn through
    ratio        chain over tree against n, under paths and under the exact posterior
    headline     chain over tree against the rate claimed for it, α → 0 included
    reversal     where path and exact posterior rank chain and tree in opposite order
    bound        topologies ranked against what none can beat
    overview     chain over tree in every world, where the data cover several
    \b
    From --evidence, what ibn check --json printed:
    convergence  the autoencoder's loss against n, measured and predicted
    rates        exponents of the table of rates, claimed and measured

    Where the data cover several worlds (family, α, I, B, β), each has its own scaling and ratio.

    \b
    Examples:
      ibn figures network --out figures
      ibn sweep --topology chain,tree,star,expander --n 1e2:1e5:7 --out sweep.csv
      ibn figures --data sweep.csv --out figures
      ibn figures ratio --data sweep.csv --format pdf --width 5 --height 3
      ibn check --json > claims.json
      ibn figures rates --evidence claims.json
    """  # noqa: D301 - the escape is for click
    from ibn.figures import ledger_evidence as ledger
    from ibn.figures.gallery import about, draw
    from ibn.figures.measurements import read
    from ibn.report.style import Printing

    for there in Path(out).glob("*.*"):
        if there.suffix.removeprefix(".") in FORMATS:
            keep_inputs(there, (data, evidence))
    rows = None if data is None else read(data)
    claims = None if evidence is None else ledger.read(evidence)
    printing = Printing(formats or Printing.formats, width, height)
    among = about(rows, claims)
    pictures = draw(names, rows, Path(out), claims, among=among, printing=printing)
    if as_json:
        files = [
            {"name": p.name, **{kind: str(path) for kind, path in p.files.items()}}
            for p in pictures
        ]
        print(dumps({"figures": files}))
    else:
        for picture in pictures:
            for path in picture.files.values():
                say(path)
