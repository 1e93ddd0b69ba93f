"""The notebooks as they stand in the repository; `pytest --nbmake notebooks` runs them."""

import json
import re
from pathlib import Path

import jupytext
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]_*.ipynb"))
LOCAL = re.compile(r"/(?:home|root|tmp|work|opt|usr|Users|private|var)/|site-packages|[A-Z]:\\\\")
"""Paths that only one machine has."""
LARGEST = 1_000_000
"""Bytes of a notebook with its outputs."""


def read(path: Path) -> dict:
    """A notebook as plain values."""
    return json.loads(path.read_text(encoding="utf-8"))


def outputs(path: Path) -> list[dict]:
    """Everything that the cells of a notebook gave."""
    return [output for cell in read(path)["cells"] for output in cell.get("outputs", ())]


def texts(path: Path) -> str:
    """All that is written in a notebook, in cells and outputs; no pictures."""
    shown = [output.get("text") or output.get("data", {}).get("text/plain", "")
             for output in outputs(path)]
    return "\n".join("".join(part) for part in [
        *(cell["source"] for cell in read(path)["cells"]), *shown])


def test_there_are_seven_in_order():
    assert [path.name[0] for path in NOTEBOOKS] == list("1234567")
    assert {path.stem for path in NOTEBOOKS} == {p.stem for p in FOLDER.glob("[0-9]_*.py")}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    def test_its_pair_has_the_same_cells(self, path):
        ours, pair = (jupytext.read(file) for file in (path, path.with_suffix(".py")))
        assert [(cell.cell_type, cell.source) for cell in ours.cells] == [
            (cell.cell_type, cell.source) for cell in pair.cells]
        assert ours.metadata["jupytext"]["formats"] == "ipynb,py:percent"

    def test_its_kernel_is_that_of_any_installation(self, path):
        assert read(path)["metadata"]["kernelspec"]["name"] == "python3"

    def test_it_was_run_from_top_to_bottom(self, path):
        counts = [cell["execution_count"] for cell in read(path)["cells"]
                  if cell["cell_type"] == "code"]
        assert counts == list(range(1, len(counts) + 1))

    def test_it_shows_pictures_and_no_errors(self, path):
        kinds = [output["output_type"] for output in outputs(path)]
        assert "error" not in kinds
        assert not [o["text"] for o in outputs(path) if o.get("name") == "stderr"]
        assert sum("image/png" in output.get("data", {}) for output in outputs(path)) >= 2

    def test_it_names_no_path_of_one_machine(self, path):
        for text in (texts(path), path.with_suffix(".py").read_text(encoding="utf-8")):
            assert not LOCAL.findall(text)

    def test_it_is_small(self, path):
        assert path.stat().st_size < LARGEST

    def test_it_says_what_to_look_at_and_what_holds(self, path):
        cells = read(path)["cells"]
        assert "".join(cells[0]["source"]).startswith(f"# {path.name[0]}. ")
        words = [cell for cell in cells if cell["cell_type"] == "markdown"]
        assert len(words) >= 0.4 * len(cells)
        assert any("assert " in "".join(cell["source"]) for cell in cells)

    def test_its_links_lead_somewhere(self, path):
        for target in re.findall(r"\]\(([^)#:]+)\)", texts(path)):
            assert (FOLDER / target).exists(), target
