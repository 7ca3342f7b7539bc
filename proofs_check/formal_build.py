"""Build the machine-checked proofs: ``python -m ibn.proofs_check.formal_build``.

Every theorem of ``formal/*.v`` that is to be on record has a comment before it, with the fields
``claim``, ``check`` or ``part`` (several are parted by semicolons) or ``mutant``, ``says`` and
``tex``. Coq compiles the sources in the order of ``formal/_CoqProject``, in a folder of their own,
and then says what each of these theorems takes on trust. An axiom beyond the classical reals' fails
the build.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from textwrap import dedent

import click

from ibn.errors import InputError
from ibn.outputs import write_text
from ibn.proofs_check.machine_checked import (
    FOLDER,
    RECORD,
    TRUSTED,
    Checked,
    Theorem,
    checked,
    hashes,
)
from ibn.strict_json import dumps

HEADED = re.compile(
    r"\(\*\*\s*(claim: [^*]*?)\*\)\s*Theorem\s+(\w+)[^\0]*?\nProof\.(.*?)\nQed\.", re.S
)
FIELD = re.compile(r"^\s*(claim|check|part|mutant|says|tex): ", re.M)


def in_order(folder: Path) -> list[str]:
    """Names of the sources in the order in which they are compiled."""
    lines = (folder / "_CoqProject").read_text(encoding="utf-8").split()
    return [line for line in lines if line.endswith(".v")]


def headed(folder: Path) -> list[Theorem]:
    """List the theorems that are to be on record; their statements and axioms are Coq's to say."""
    return [one for name in in_order(folder) for one in _of_source(folder / name)]


def _of_source(path: Path) -> list[Theorem]:
    found = []
    for comment, name, proof in HEADED.findall(path.read_text(encoding="utf-8")):
        pieces = FIELD.split(comment)[1:]
        field = {key: " ".join(text.split()) for key, text in zip(*[iter(pieces)] * 2, strict=True)}
        checks, parts = (
            tuple(name.strip() for name in field.get(key, "").split(";") if name.strip())
            for key in ("check", "part")
        )
        found.append(
            Theorem(
                name=name,
                file=path.name,
                claim=field["claim"],
                checks=checks,
                parts=parts,
                mutant=field.get("mutant", ""),
                says=field["says"],
                tex=field["tex"],
                statement="",
                lines=len(proof.strip().splitlines()),
                axioms=(),
            )
        )
    return found


def _coqc(name: str, folder: Path) -> str:
    done = subprocess.run(
        ["coqc", "-q", "-Q", ".", "Ibn", name], cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        raise InputError("Coq does not accept it: " + " ".join(done.stderr.split()), file=name)
    return done.stdout


def _processor_seconds() -> float:
    """Time that processes of this one took, whatever else the machine did."""
    spent = os.times()
    return spent.children_user + spent.children_system


def axioms_of(printed: str) -> tuple[str, ...]:
    """Names of the axioms in what ``Print Assumptions`` printed."""
    return tuple(re.findall(r"^([A-Za-z_][\w.']*)\s*(?::|$)", printed.partition(":\n")[2], re.M))


def _asked(theorems: list[Theorem], importing: str, folder: Path) -> list[Theorem]:
    """Ask Coq what each theorem says and what it takes on trust."""
    questions = ["Require Import Reals List.", importing, "Import ListNotations."]
    questions += ["Open Scope R_scope.", "Set Printing Width 80."]
    for one in theorems:
        questions.append(f'Redirect "{one.name}.type" Check @{one.name}.')
        questions.append(f'Redirect "{one.name}.trust" Print Assumptions {one.name}.')
    (folder / "Asked.v").write_text("\n".join(questions))
    _coqc("Asked.v", folder)

    found = []
    for one in theorems:
        said = (folder / f"{one.name}.type.out").read_text(encoding="utf-8")
        trust = (folder / f"{one.name}.trust.out").read_text(encoding="utf-8")
        statement = dedent(" " * 7 + said.partition("\n     : ")[2]).strip()
        found.append(replace(one, statement=statement, axioms=axioms_of(trust)))
    return found


def build(folder: Path = FOLDER) -> Checked:
    """Compile the proofs and ask what each theorem takes on trust.

    Raises
    ------
    InputError
        If there is no Coq, if Coq rejects a proof, or if one takes more on trust than the
        classical reals do.
    """
    if shutil.which("coqc") is None:
        raise InputError("there is no coqc", fix="apt-get install coq")
    version = subprocess.run(["coqc", "--version"], capture_output=True, text=True, check=True)
    names, theorems = in_order(folder), headed(folder)
    with tempfile.TemporaryDirectory() as place:
        here = Path(place)
        begun = _processor_seconds()
        for name in names:
            shutil.copy(folder / name, here)
            start = time.perf_counter()
            _coqc(name, here)
            click.echo(f"{name}: {time.perf_counter() - start:.1f} s", err=True)
        seconds = _processor_seconds() - begun
        modules = " ".join(name.removesuffix(".v") for name in names)
        theorems = _asked(theorems, f"From Ibn Require Import {modules}.", here)
    for one in theorems:
        if more := set(one.axioms) - set(TRUSTED):
            raise InputError(f"{one.name} takes {', '.join(sorted(more))} on trust", file=one.file)
    return Checked(
        coq=version.stdout.split("version ")[1].split()[0],
        seconds=round(seconds, 1),
        sources=hashes(folder),
        lines={name: len((folder / name).read_text().splitlines()) for name in names},
        theorems=tuple(theorems),
    )


def differences(now: Checked, then: Checked) -> list[str]:
    """Say in what a build differs from the record, time apart.

    Another version of Coq may print statements and name axioms in its own way.
    """
    if now.coq != then.coq:
        now, then = (
            replace(x, theorems=tuple(replace(one, statement="", axioms=()) for one in x.theorems))
            for x in (now, then)
        )
    found = [name for name in now.sources if now.sources[name] != then.sources.get(name)]
    found += [name for name in then.sources if name not in now.sources]
    before = {one.name: one for one in then.theorems}
    found += [one.name for one in now.theorems if before.pop(one.name, None) != one]
    return [*found, *before]


def in_words(found: Checked) -> str:
    """Tabulate a build in Markdown."""
    lines = [
        f"Coq {found.coq}: {len(found.sources)} sources, {sum(found.lines.values())} lines, "
        f"{len(found.theorems)} theorems, {found.seconds:.0f} s.",
        "",
        "| theorem | claim | proves or refutes | proof, lines | axioms |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in found.theorems:
        proves = [*one.checks, *(f"{name} (in part)" for name in one.parts)]
        what = f"not: {one.mutant}" if one.mutant else "; ".join(proves) or "a bridge"
        axioms = ", ".join(one.axioms) or "none"
        lines.append(f"| {one.name} | {one.claim} | {what} | {one.lines} | {axioms} |")
    return "\n".join(lines)


@click.command()
@click.option("--record", is_flag=True, help="Put what was built on record.")
@click.option("--page", metavar="FILE", help="Write the record as a Markdown page; builds nothing.")
def main(record: bool, page: str | None) -> None:
    """Compile the proofs, print what they prove and assume, and hold that against the record.

    Exit status 0 if it is what is on record, else 1.
    """
    if page:
        from ibn.proofs_check.formal_page import markdown

        write_text(page, markdown(checked()))
        return
    try:
        found = build()
    except InputError as error:
        click.echo(f"ibn: {error}", err=True)
        raise SystemExit(2) from None
    click.echo(in_words(found))
    if record:
        text = dumps(asdict(found), indent=1, ensure_ascii=False) + "\n"
        write_text(RECORD, text)
        return
    changed: Sequence[str] = differences(found, checked())
    for name in changed:
        click.echo(f"ibn: not as on record: {name}", err=True)
    raise SystemExit(1 if changed else 0)


if __name__ == "__main__":
    main()
