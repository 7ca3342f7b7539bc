"""Settings of the whole suite, and fixtures that several of its files use."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

from ibn.solvers import reduced

# One BLAS thread a process, as in the workers of sweep and ledger: on matrices as small as these
# more of them wait for each other, and for those of pytest's other processes, with cores busy.
threadpool_limits(1, user_api="blas")
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of the commands that tests start

# The same examples in every run, and no time limit an example: kernels compile in the first.
settings.register_profile("suite", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("suite")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture
def iterative(monkeypatch):
    """Solve every posterior by conjugate gradients, however small the network."""
    monkeypatch.setattr(reduced, "DENSE_NODES", 0)


@pytest.fixture
def shared_data():
    """Return the folder of real data beside the checkout; tests of it are skipped without."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real data beside the checkout")
    return folder


@pytest.fixture
def ibn(capsys):
    """Run the command line; return its exit status, standard output and standard error."""
    from ibn.cli import main

    def run(*args):
        with pytest.raises(SystemExit) as end:
            main([str(arg) for arg in args])
        return end.value.code, *capsys.readouterr()

    return run


@pytest.fixture(scope="session")
def browser():
    """Return a headless Chromium; tests of pages are skipped without."""
    sync_api = pytest.importorskip("playwright.sync_api")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("there is no Chromium")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def prefs(tmp_path_factory):
    """Four responses to each of 10 prompts, two of the six pairs compared."""
    words = ["red", "green", "blue", "warm", "cold", "sweet", "sour", "bitter", "loud", "calm"]
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("plan") / "prefs.jsonl"
    with path.open("w") as file:
        for i in range(10):
            texts = [" ".join(rng.choice(words, 5)) + f" {i} {j}" for j in range(4)]
            for a, b in ((0, 1), (2, 3)):
                good, bad = sorted((texts[a], texts[b]), key=lambda text: "red" not in text)
                record = {"prompt": f"Question {i}?", "chosen": good, "rejected": bad}
                file.write(json.dumps(record) + "\n")
    return path
