"""The machine: what it is, what is installed, how fast its memory is."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numba
import numpy as np

PACKAGES = (
    *("ibn", "numpy", "scipy", "numba", "networkx", "networkit", "igraph", "rustworkx"),
    *("pyamg", "approx-chol", "apxchol", "choix", "evalica", "arenakit"),
)
TRIAD = 2**25


@dataclass(frozen=True)
class Machine:
    """Where and when figures were measured.

    Attributes
    ----------
    processor, system, python : str
        The processor's model, the operating system, the interpreter.
    cores : int
        Those that this process may use.
    memory : int
        Bytes.
    blas_threads : int
        Threads of the linear algebra under NumPy and SciPy; on a busy machine, more than one
        costs them dearly and makes us look good.
    versions : dict
        Of the library and its peers; None where one is not installed.
    """

    processor: str
    cores: int
    memory: int
    blas_threads: int
    system: str
    python: str
    versions: dict[str, str | None]

    @classmethod
    def here(cls) -> Machine:
        """Describe this machine, without its name."""
        return cls(
            processor=_processor(),
            cores=cores(),
            memory=_memory(),
            blas_threads=_blas_threads(),
            system=f"{platform.system()} {platform.machine()}",
            python=f"{platform.python_implementation()} {platform.python_version()}",
            versions={name: _version(name) for name in PACKAGES},
        )


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load() -> float | None:
    """Count processes that wanted to run, on average over the last minute; None if unknown."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def commit() -> str:
    """Identify the commit of the working tree, "unknown" outside a checkout."""
    here = os.path.dirname(os.path.abspath(__file__))
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _blas_threads() -> int:
    import scipy.linalg  # noqa: F401  its BLAS is looked for among what is loaded
    from threadpoolctl import threadpool_info

    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return max((pool["num_threads"] for pool in pools), default=1)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        if package != "ibn":
            return None
        import ibn

        return ibn.__version__


@dataclass(frozen=True)
class Bandwidth:
    """Memory bandwidth in bytes a second, of one core and of all of them."""

    one: float
    all: float


@numba.njit(cache=True)
def _triad(a, b, c, scale):  # type: ignore[no-untyped-def]
    for i in range(len(a)):
        a[i] = b[i] + scale * c[i]


@numba.njit(cache=True, parallel=True)
def _parallel_triad(a, b, c, scale):  # type: ignore[no-untyped-def]
    for i in numba.prange(len(a)):
        a[i] = b[i] + scale * c[i]


def bandwidth(repeats: int = 5) -> Bandwidth:
    """Measure the STREAM triad, a = b + s c, on arrays far larger than any cache.

    As STREAM has it, three numbers of 8 bytes are moved an element, and the best repeat counts.
    """
    a, b, c = np.empty(TRIAD), np.ones(TRIAD), np.ones(TRIAD)
    best = []
    for triad in (_triad, _parallel_triad):
        seconds = []
        for _ in range(repeats + 1):  # the first compiles
            start = time.perf_counter()
            triad(a, b, c, 3.0)
            seconds.append(time.perf_counter() - start)
        best.append(24 * TRIAD / min(seconds[1:]))
    return Bandwidth(one=best[0], all=best[1])
