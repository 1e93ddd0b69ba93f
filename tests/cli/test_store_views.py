"""From stores to what draws them."""

import json
import re

import pytest
from recordings import walking
from stores import walkers, write_store

from skelact.cli.store_views import draw_store, review_store
from skelact.errors import ChoiceError


def clips(page):
    text = page.path.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="facts">(.*?)</script>', text, re.DOTALL)[1])["clips"]


def test_flagged_clips_come_first(tmp_path):
    recordings = walkers(12)
    recordings[8] = walking(1, labels={"clip_id": "short", "label": "run", "subject": 8})
    store = write_store(tmp_path / "store", recordings)
    page, findings = review_store(store.folder, tmp_path / "page.html", clips=2)
    assert [finding.check for finding in findings] == ["one frame"]
    found = clips(page)
    assert [clip["id"] for clip in found if clip["flags"]] == ["short"]
    assert found[0]["id"] == "short"
    assert (page.clips, page.total) == (4, 12)


def test_what_is_known_of_a_clip_is_shown(tmp_path):
    store = write_store(tmp_path / "store", walkers(8))
    found = {clip["id"]: clip for clip in clips(review_store(
        store.folder, tmp_path / "page.html")[0])}
    assert found["clip3"]["facts"] == {"split": "test", "subject": 3}
    assert found["clip3"]["own"] == [0, 14]


def test_parts_and_clips_without_a_label(tmp_path):
    parts = [{"label": "wave", "start": 1.0, "end": 2.0}] * 2
    times = [0.0, *(0.1 + 0.04 * i for i in range(74))]
    store = write_store(tmp_path / "store", [
        walking(75, times=times, labels={"clip_id": "long", "annotations": parts}),
        walking(9, labels={"clip_id": "bare"})])
    page, _ = review_store(store.folder, tmp_path / "page.html", classes=["wave"])
    assert [(clip["id"], clip["part"]) for clip in clips(page)] == [("long", 0), ("long", 1)]
    assert clips(page)[0]["begin"] == pytest.approx(times[clips(page)[0]["offset"]], abs=1e-4)
    page, _ = review_store(store.folder, tmp_path / "bare.html", classes=["no label"])
    assert [(clip["id"], clip["label"]) for clip in clips(page)] == [("bare", -1)]
    with pytest.raises(ChoiceError, match="wave, no label"):
        review_store(store.folder, tmp_path / "none.html", classes=["swim"])
    page = draw_store(store.folder, tmp_path / "sheet.html")[0].read_text()
    assert "3 labelled parts of 1 class," in page
    assert "<strong>no label</strong> 1 clip " in page


@pytest.mark.shared
def test_a_real_data_set(shared, tmp_path):
    import tarfile

    from skelact.datasets.prepare import prepare

    with tarfile.open(shared / "datasets" / "msr_action3d.tar.xz") as archive:
        members = [member for member in archive if member.isfile()][:40]
        archive.extractall(tmp_path / "raw", members, filter="data")
    report = prepare("msr_action3d", tmp_path / "raw", tmp_path / "store", jobs=1)
    page, _ = review_store(report.store, tmp_path / "page.html")
    assert page.clips == page.total > 20
    assert page.size < 6000 * page.clips + 60_000
