"""The one error type for bad input: what is wrong, where, and how to fix it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

STIFF = "variances differ by too many orders of magnitude; check beta and scale"  # a fix


class InputError(ValueError):
    """Input that cannot be used, explained in one line.

    Parameters
    ----------
    problem : str
        What is wrong.
    file : str, optional
        The file it is in.
    line : int, optional
        The line of that file, counted from 1.
    fix : str, optional
        What to do about it.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: object = None,
        line: int | None = None,
        fix: str | None = None,
    ) -> None:
        self.problem, self.file, self.line, self.fix = problem, file, line, fix
        where = "" if file is None else f"{file}: " if line is None else f"{file}:{line}: "
        super().__init__(where + problem + (f" ({fix})" if fix else ""))


class MissingExtra(InputError):
    """An optional dependency is needed and is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}", fix=f"pip install 'ibn[{extra}]'"
        )


def unknown_name(kind: str, name: str, known: Iterable[str]) -> InputError:
    """Build the error for a name that is none of the known ones, suggesting the nearest.

    ``kind`` is what the name should have named, such as ``"topology"``.
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    fix = f"did you mean {near[0]!r}?" if near else "known: " + ", ".join(names)
    return InputError(f"unknown {kind} {name!r}", fix=fix)
