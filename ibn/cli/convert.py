"""``ibn convert``: a preference file of any shape, written in TRL's format."""

from __future__ import annotations

from typing import Any

import click

from ibn.cli.inputs import check_out, read_all, reading
from ibn.cli.printing import print_document, table
from ibn.errors import InputError
from ibn.preferences.replacing import keep_converted

SHOWN_LINES = 20


@click.command(name="convert")
@click.argument("prefs", metavar="PREFS …", nargs=-1, required=True)
@click.option("--out", metavar="FILE", required=True, help="Write the preferences here.")
@click.option(
    "--labelled",
    is_flag=True,
    help="Write response_a, response_b and winner instead of chosen and rejected, ties kept.",
)
@reading
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    prefs: tuple[str, ...], out: str, labelled: bool, as_json: bool, **options: Any
) -> None:
    """Write preferences of any shape in TRL's format, and say what was read.

    Reads PREFS (one or more files that ibn audit reads) and writes prompt, chosen and rejected,
    with ids and all other columns kept; texts or conversations as in PREFS. TRL's format cannot
    say ties: they are left out and counted, or kept with --labelled. Prints which columns were
    used and for what, which were not, and which rows were left out and why.

    \b
    Examples:
      ibn convert battles.json --out preferences.jsonl
      ibn convert scores.csv --score helpfulness --out preferences.parquet
      ibn convert pairs.json --winner 0=a,1=b,2=tie --labelled --out pairs.jsonl
    """  # noqa: D301 - the escape is for click
    check_out(out, *prefs)
    from ibn.preferences.writing import write_preferences

    data = read_all(prefs, options)
    keep_converted(out, data, ties=labelled)
    try:
        left_out = write_preferences(out, data, labelled=labelled)
    except InputError as error:
        raise InputError(error.problem, file=error.file or data.source, fix=error.fix) from None
    document = {
        "out": out,
        "source": list(prefs),
        **data.report.to_json(),
        "written": len(data.comparisons) - left_out,
        "ties_left_out": left_out,
    }
    print_document(document, convert_tables, as_json)


def convert_tables(document: dict[str, Any]) -> list[Any]:
    """Lay out for a terminal what was read and written."""
    from rich.text import Text

    counts = table("Read", "", "count")
    names = ("rows", "comparisons", "prompts", "responses", "ties", "skipped", "idle")
    said = {"idle": "rows that hold nothing to compare"}
    for name in names:
        counts.add_row(said.get(name, name), f"{document[name]:,}")
    counts.add_row("written", f"{document['written']:,}")
    if document["ties_left_out"]:
        counts.add_row("ties left out", f"{document['ties_left_out']:,}")
    columns = table("Columns", "", "used for")
    for role, used in document["columns"].items():
        joined = " (joined)" if role == "prompt" and len(used) > 1 else ""
        columns.add_row(Text(", ".join(used)), role + joined)
    for name in document["unused"]:
        kept = "nothing; kept" if name in document["carried"] else "nothing; not kept"
        columns.add_row(Text(name), kept)
    shown = [counts, columns]
    if document["skipped_lines"]:
        rows = table("Skipped", "why", "lines")
        for reason, lines in document["skipped_lines"].items():
            listed = ", ".join(map(str, lines[:SHOWN_LINES]))
            more = f" and {len(lines) - SHOWN_LINES:,} more" if len(lines) > SHOWN_LINES else ""
            rows.add_row(Text(reason), listed + more)
        shown.append(rows)
    return [*shown, *map(Text, document["notes"]), Text(f"Written to {document['out']}")]
