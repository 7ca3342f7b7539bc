"""Settings of the whole suite, and fixtures that several of its files use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

import ibn.solvers.reduced

# One BLAS thread a process, as in the workers of sweep and ledger: on matrices as small as these
# more of them wait for each other, and for those of pytest's other processes, with cores busy.
threadpool_limits(1, user_api="blas")
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of the commands that tests start

# The same examples in every run, and no time limit an example: kernels compile in the first.
settings.register_profile("suite", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("suite")


@pytest.fixture
def iterative(monkeypatch):
    """Solve every posterior by conjugate gradients, however small the network."""
    monkeypatch.setattr(ibn.solvers.reduced, "DENSE_NODES", 0)


@pytest.fixture
def shared_data():
    """Return the folder of real data beside the checkout; tests of it are skipped without."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real data beside the checkout")
    return folder
