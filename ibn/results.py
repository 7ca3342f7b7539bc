"""What the verbs answer in Python: objects that show, keep and draw themselves, all alike.

Each has a short ``repr``, a table in a notebook, ``to_json()``, ``to_frame()``, ``save(path)`` and
``plot()``. The command line prints ``to_json()`` and writes what ``save`` writes, so that both give
the same numbers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from html import escape
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ibn.errors import InputError, MissingExtra, unknown_name
from ibn.estimate import Estimate
from ibn.outputs import check_file, write_text
from ibn.strict_json import dumps

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

__all__ = ["Result", "Table", "plain"]

Table = list[dict[str, Any]]
STYLE = "ibn.report.style:style"  # by name, as ``Result.picture`` is
WRITE = "ibn.report.style:write_figure"
PICTURES = (".svg", ".png", ".pdf")
SHOWN = 10  # rows in a notebook


class Result:
    """What a verb found.

    A subclass says its ``headline``, ``to_json()`` and ``tables()``, what files of its own it
    writes (``endings`` and ``_write``), which were read (``_inputs``), and where its picture is
    drawn: a function that takes it, as ``"module:name"``, since drawing stands above what is drawn.
    """

    endings: ClassVar[tuple[str, ...]] = ()
    picture: ClassVar[str]

    @property
    def headline(self) -> str:
        """What was found, in a line."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Return what the command prints with ``--json``, before it is text."""
        raise NotImplementedError

    def tables(self) -> dict[str, Table]:
        """Return its tables by name, the first the one that is shown."""
        raise NotImplementedError

    def to_frame(self, table: str | None = None) -> DataFrame:
        """Return a table as a pandas DataFrame.

        Parameters
        ----------
        table : str, optional
            Which, a name of ``tables()``; by default the first.

        Raises
        ------
        InputError
            If there is no such table, or pandas is not installed.
        """
        tables = self.tables()
        if table is not None and table not in tables:
            raise unknown_name("table", table, tables)
        try:
            import pandas
        except ImportError:
            raise MissingExtra("pandas", "pandas", "a DataFrame") from None
        name = table or next(iter(tables))
        return pandas.DataFrame(tables[name])

    def plot(self) -> Figure:
        """Draw it, as a matplotlib figure."""
        _let_notebooks_show_figures()
        with standing_at(STYLE)():
            return standing_at(self.picture)(self)

    def save(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Write it to a file, what the file's ending says.

        Parameters
        ----------
        path : path-like
            One of ``endings``, which the command's ``--out`` writes; or ``.json``, what the
            command prints; or ``.svg``, ``.png`` or ``.pdf``, the picture.
        **options
            Of the file that ``--out`` writes.

        Raises
        ------
        InputError
            If the ending is none of these, the folder is not there, or a file that was read would
            be replaced.
        """
        ending = self.check_path(path, self._inputs())
        if ending in self.endings:
            self._write(Path(path), ending, **options)
        elif options:
            raise InputError(f"{ending} files know no {next(iter(options))}", file=path)
        elif ending == ".json":
            write_text(path, dumps(self.to_json()) + "\n")
        else:
            figure = self.plot()
            with standing_at(STYLE)():
                standing_at(WRITE)(figure, Path(path))

    @classmethod
    def check_path(cls, path: str | os.PathLike[str], inputs: Iterable[str | None] = ()) -> str:
        """Return the ending by which :meth:`save` knows what to write.

        ``inputs``: files that must not be replaced. Errors are those of :meth:`save`.
        """
        check_file(path, [each for each in inputs if each])
        return ending_of(path, (*cls.endings, ".json", *PICTURES))

    def _inputs(self) -> tuple[str, ...]:
        """Name the files that were read, which no output may replace."""
        return ()

    def _write(self, *where: Any, **options: Any) -> None:
        """Write a file of its own: given its path, ending and options."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.headline})"

    def _repr_html_(self) -> str:
        """Show the headline and the first table in a notebook."""
        rows = next(iter(self.tables().values()))
        more = f"<p>{len(rows) - SHOWN:,} more rows</p>" if len(rows) > SHOWN else ""
        return f"<p>{escape(self.headline)}</p>{_html(rows[:SHOWN])}{more}"


def ending_of(path: str | os.PathLike[str], known: Sequence[str]) -> str:
    """Return which of the known endings a file has; the first where its name has none at all.

    Raises
    ------
    InputError
        If it has none of them.
    """
    name = os.fspath(path)
    ending = next((each for each in known if name.lower().endswith(each)), None)
    if ending is None and not Path(name).suffix:
        ending = known[0]
    if ending is None:
        listed = ", ".join(dict.fromkeys(known))
        raise InputError("unknown kind of file", file=name, fix=f"known endings: {listed}")
    return ending


def _let_notebooks_show_figures() -> None:
    """Tell IPython how a figure is shown, unless it knows: by itself it knows those of pyplot."""
    running = sys.modules.get("IPython")
    shell = running.get_ipython() if running else None
    if shell is None:
        return
    from IPython.core.pylabtools import select_figure_formats
    from matplotlib.figure import Figure

    known = shell.display_formatter.formatters.values()
    if not any(Figure in formatter.type_printers for formatter in known):
        select_figure_formats(shell, {"png"})


def standing_at(place: str) -> Any:
    """Import what stands at ``"module:name"``."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def plain(value: Any) -> Any:
    """Turn findings into what JSON can say, without arrays, which are for plots."""
    if isinstance(value, Estimate):
        return {"mean": value.mean, "stderr": value.stderr, "count": value.count}
    if is_dataclass(value):
        held = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: plain(x) for name, x in held.items() if not isinstance(x, np.ndarray)}
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and np.isnan(value) else value


def _html(rows: Table) -> str:
    """Write a table, its numbers short."""

    def cell(value: Any) -> str:
        if isinstance(value, float):
            return f"{value:.4g}"
        return escape("" if value is None else str(value))

    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
    body = "".join(
        f"<tr>{''.join(f'<td>{cell(row.get(name))}</td>' for name in rows[0])}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
