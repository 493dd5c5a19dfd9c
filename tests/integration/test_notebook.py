"""The notebooks of the examples run from the first cell to the last, and show what they say they show."""

import asyncio
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from flows.notebook import compare

ROOT = Path(__file__).parents[2]


def shown_by(name: str) -> list[dict[str, Any]]:
    """Run a notebook; return what its cells show."""
    notebook = nbformat.read(ROOT / "examples" / "notebook" / name, as_version=4)  # type: ignore[no-untyped-call]  # theirs
    # The kernel is a process of its own; what its client leaves behind is not ours.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = NotebookClient(notebook, timeout=120)
        # In a thread: a browser that other tests share keeps a loop of its own running in this one.
        with ThreadPoolExecutor(1) as executor:
            executor.submit(lambda: asyncio.run(client.async_execute())).result()
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    return [output["data"] for each in outputs for output in each if "data" in output]


@pytest.fixture
def _kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.mark.usefixtures("_kernel")
def test_a_comparison() -> None:
    shown = shown_by("comparison.ipynb")
    assert "['amount', 'country']" in [data.get("text/plain") for data in shown]
    assert any("Drift in 2 of 3 columns" in data.get("text/html", "") for data in shown)
    (drawn,) = [data["image/svg+xml"] for data in shown if "image/svg+xml" in data]
    assert "#d9480f" in drawn


@pytest.mark.usefixtures("_kernel")
def test_what_runs_have_found() -> None:
    names, episodes, peak, windows, opened = shown_by("watched.ipynb")
    # Twelve columns of a payment model, as the demo itself says.
    assert names["text/plain"] == "(['every_6h', 'sliding'], 12)"
    # Five of them drift: docs/scenarios.md.
    for feature in ("income", "country", "session_s", "amount", "distance_km"):
        assert feature in episodes["text/html"]
    assert "items" not in episodes["text/html"]
    assert " at 2026-01-" in peak["text/plain"]
    assert windows["text/html"].count("<tr") == 6
    assert "2026-01-" in opened["text/plain"]


def test_a_column_that_was_not_compared(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x\n" + "\n".join(map(str, range(0, 200, 3))) + "\n1.5\n")
    with pytest.raises(KeyError, match="was not compared"):
        compare(tmp_path / "a.csv", tmp_path / "b.csv").column("y")
