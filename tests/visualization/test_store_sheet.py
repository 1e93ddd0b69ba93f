"""Contact sheets of data sets."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from recordings import capture, walking

from skelact.errors import ChoiceError, OutputExistsError
from skelact.pose.recording import Recording
from skelact.visualization.colours import CANVAS
from skelact.visualization.store_sheet import SheetRow, write_store_sheet


def rows(count, clips=2):
    return [SheetRow(f"class_{i}", 10 + i, {"train": 7, "val": 0, "test": 3 + i},
                     [walking(step=k) for k in range(1, clips + 1)]) for i in range(count)]


def dark(image):
    """``[H, W]`` bool: the ground of a picture of people."""
    return (np.asarray(image.convert("RGB")) == CANVAS).all(axis=-1)


def test_one_strip_a_clip(tmp_path):
    few = write_store_sheet("walkers", "three", rows(3, clips=1), tmp_path / "one.png")
    many = write_store_sheet("walkers", "three", rows(3, clips=3), tmp_path / "three.png")
    one, three = dark(Image.open(few[0])).sum(), dark(Image.open(many[0])).sum()
    assert 2.9 < three / one < 3.1


@pytest.mark.parametrize(("count", "sheets"), [(1, 1), (9, 1), (40, 1), (41, 2), (120, 3)])
def test_many_classes_take_several_sheets(tmp_path, count, sheets):
    few = [SheetRow("c", 1, {}, [])] * count  # quick: nobody is drawn
    paths = write_store_sheet("many", "", few, tmp_path / "sheet.png")
    assert [path.name for path in paths] == ["sheet.png", "sheet_2.png", "sheet_3.png"][:sheets]
    assert all(max(Image.open(path).size) < 3000 for path in paths)


def test_everyone_is_inside_the_strip(tmp_path):
    for clip in (walking(people=3), walking(size=None), capture()):
        sheet = write_store_sheet("one", "", [SheetRow("c", 1, {}, [clip])],
                                  tmp_path / "sheet.png", overwrite=True)
        strip = np.asarray(Image.open(sheet[0]).convert("RGB"))
        ground = dark(Image.open(sheet[0]))
        lines, columns = np.flatnonzero(ground.any(axis=1)), np.flatnonzero(ground.any(axis=0))
        inside = strip[lines[0] : lines[-1] + 1, columns[0] : columns[-1] + 1]
        assert inside.shape[:2] == (84, 5 * 68)
        drawn = (inside != CANVAS).any(axis=-1)
        assert drawn.sum() > 300
        for tile in range(5):  # at every instant
            assert drawn[:, 68 * tile : 68 * (tile + 1)].any()


def test_clips_of_nobody_stay_dark(tmp_path):
    nobody = Recording((), np.arange(5) / 5, "coco17")
    sheet = write_store_sheet("none", "", [SheetRow("c", 1, {}, [nobody])], tmp_path / "a.png")
    assert dark(Image.open(sheet[0])).sum() == 84 * 5 * 68


def test_a_page_holds_the_pictures(tmp_path):
    page = write_store_sheet("a <b>", "lead", rows(2), tmp_path / "sheet.html")[0].read_text()
    assert "a &lt;b&gt;" in page
    assert "10 clips · train 7 · test 3" in page
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert len(pictures) == 4
    assert Image.open(io.BytesIO(base64.b64decode(pictures[0]))).size == (340, 84)
    assert not re.search(r"(?:src|href)=.(?!data:)", page)


def test_nothing_is_replaced_unasked(tmp_path):
    few = [SheetRow("c", 1, {}, [])] * 41
    (tmp_path / "sheet_2.png").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"sheet_2\.png exists"):
        write_store_sheet("many", "", few, tmp_path / "sheet.png")
    assert [path.name for path in tmp_path.iterdir()] == ["sheet_2.png"]
    assert len(write_store_sheet("many", "", few, tmp_path / "sheet.png", overwrite=True)) == 2
    with pytest.raises(ChoiceError, match=r"\.png, \.html"):
        write_store_sheet("many", "", few, tmp_path / "sheet.gif")
