"""Findings kept in a folder, so that a run that was interrupted, or is repeated, takes them up.

A claim's findings follow from the code, the packages that it computes with, the profile and the
seed. They are taken up only where all of these are the same; else the claim is decided anew.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from ibn.outputs import write_text
from ibn.proofs_check.claim import Context, Finding
from ibn.strict_json import dumps, loads

FOLDER = "findings"
"""Name of the folder beside a report."""

Found = tuple[Mapping[str, Finding], float]
"""What each check of a claim found, by name, and the seconds that it took."""

_CODE = ("ibn", "ibn.simulations", "ibn.proofs_check")
_PACKAGES = ("numpy", "scipy", "numba", "networkx", "sympy", "mpmath", "scikit-learn")


@dataclass(frozen=True)
class Kept:
    """The findings in a folder, each claim's in a file of its own.

    Attributes
    ----------
    folder : Path
        Made when the first is kept.
    context : Context
        What they are decided with.
    """

    folder: Path
    context: Context

    def find(self, claim: str) -> Found | None:
        """Return what is kept of a claim; None if nothing is, or of other code."""
        path = self._path(claim)
        if not path.is_file():
            return None
        try:
            document = loads(path.read_text(encoding="utf-8"))
            if document.pop("sum") != _sum(document) or document["made_by"] != self._made_by:
                return None
            findings = {name: Finding(**one) for name, one in document["findings"].items()}
            return findings, float(document["seconds"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def keep(self, claim: str, found: Found) -> None:
        """Keep a claim's findings in place of earlier ones."""
        findings, seconds = found
        self.folder.mkdir(exist_ok=True)
        document = {
            "made_by": self._made_by,
            "seconds": seconds,
            "findings": {name: asdict(one) for name, one in findings.items()},
        }
        whole = dumps({**document, "sum": _sum(document)}, indent=1, ensure_ascii=False)
        write_text(self._path(claim), whole + "\n")

    def _path(self, claim: str) -> Path:
        return self.folder / f"{claim}.json"

    @property
    def _made_by(self) -> str:
        return f"{self.context.profile}, seed {self.context.seed}, {_code()}"


def _sum(document: Mapping[str, Any]) -> str:
    """Digest a document, so that a damaged one is not believed."""
    return hashlib.sha256(dumps(document).encode()).hexdigest()


@cache
def _code() -> str:
    """Return a digest of all that findings follow from but profile and seed."""
    found = hashlib.sha256(f"{platform.python_version()} {platform.machine()}".encode())
    for name in _PACKAGES:
        found.update(f"{name} {version(name)}\n".encode())
    for package in _CODE:
        root = Path(str(files(package)))
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.suffix not in (".pyc", ".nbi", ".nbc"):
                found.update(f"{package}/{path.relative_to(root)}\n".encode())
                found.update(path.read_bytes())
    return found.hexdigest()
