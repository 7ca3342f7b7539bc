"""``ibn figures``: the figures, from the results of a sweep."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(name="figures")
@click.argument("names", metavar="[NAME …]", nargs=-1)
@click.option("--data", metavar="FILE", help="Results of ibn sweep.")
@click.option(
    "--out", default="figures", show_default=True, metavar="DIR", help="Where to write them."
)
@click.option("--json", "as_json", is_flag=True, help='Print one JSON document, {"figures": […]}.')
def command(names: tuple[str, ...], data: str | None, out: str, as_json: bool) -> None:
    """Draw figures, each as SVG and PNG; all of them unless some are named.

    \b
    network   a small network, chain and tree, with one optimal path (needs no data)
    overview  chain over tree in every world, where the data cover several
    scaling   measured uncertainty against n, with the theory's rates drawn through
    ratio     chain over tree against n, under paths and under the exact posterior

    Where the data cover several worlds (family, α, I, B, β), each has its own figures.

    \b
    Examples:
      ibn figures network --out figures
      ibn sweep --topology chain,tree,star,expander --n 1e2:1e5:7 --out sweep.csv
      ibn figures --data sweep.csv --out figures
    """  # noqa: D301 - the escape is for click
    from figures.gallery import draw
    from figures.results import read

    pictures = draw(names, None if data is None else read(data), Path(out))
    if as_json:
        files = [
            {"name": p.name, **{kind: str(path) for kind, path in p.files.items()}}
            for p in pictures
        ]
        print(json.dumps({"figures": files}))
    else:
        for picture in pictures:
            for path in picture.files.values():
                click.echo(path)
