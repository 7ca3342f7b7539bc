"""The notebook of the documentation runs, cell by cell, and shows what it should."""

import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_notebook_runs_quickly(tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.read(ROOT / "docs" / "notebook.ipynb", as_version=4)
    # Outputs are made as the site is built.
    assert not any(cell.get("outputs") for cell in book.cells)
    began = time.perf_counter()
    client = nbclient.NotebookClient(
        book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    took = time.perf_counter() - began
    shown = [
        output["data"]
        for cell in book.cells
        for output in cell.get("outputs", ())
        if "data" in output
    ]
    told = [each["text/plain"] for each in shown]
    for name in ("Audit(DataFrame: 80 comparisons", "Gate(max_variance=2.0", "Plan(12 of"):
        assert any(text.startswith(name) for text in told), name
    assert any("<table>" in each.get("text/html", "") for each in shown)
    assert sum("image/png" in each for each in shown) == 3
    made = [output for cell in book.cells for output in cell.get("outputs", ())]
    assert not any(output.output_type == "stream" for output in made)  # quiet
    assert took < 120, took
    print(f"{took:.0f} s")
