"""The page of a gallery as a file."""

import base64
import json
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
from packed import unpack
from recordings import capture, walking

from skelact.errors import OutputExistsError
from skelact.graph.layouts import get_layout
from skelact.pose.recording import Recording
from skelact.visualization.gallery import GalleryClip, GallerySet, write_gallery
from skelact.visualization.packing import pack

EVIL = "</script><script>document.title = 'ran'</script>"


def about(**fields):
    return GallerySet("walkers", "0" * 64, get_layout("coco17"), 2, ["run", "walk"], [1, 1, 0],
                      "of walkers", **fields)


def clip(recording, clip_id="clip", label=0, **fields):
    facts = {"part": None, "offset": 0, "first": 0, "last": recording.num_frames - 1,
             "frames": recording.num_frames, "flags": [], "facts": {}}
    return GalleryClip(recording, clip_id, label, **(facts | fields))


def facts(page):
    text = page.path.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="facts">(.*?)</script>', text, re.DOTALL)[1])


def test_a_page_holds_clips(tmp_path):
    recording = walking(people=2, source="/home/me/secret.mp4")
    page = write_gallery(about(findings=[("warning", "zeros", "1 clip")]), [
        clip(recording, "a", 1, flags=[(0, 0)], facts={"subject": 3}), clip(walking(), "b")],
        tmp_path / "page.html")
    assert (page.path.stat().st_size, page.clips, page.total) == (page.size, 2, 2)
    found = facts(page)
    assert [(c["id"], c["label"], c["flags"]) for c in found["clips"]] == [
        ("a", 1, [[0, 0]]), ("b", 0, [])]
    assert found["store"] == {"name": "walkers", "fingerprint": "0" * 64}
    assert "secret" not in page.path.read_text()
    assert "All 2 clips of walkers, joints of coco17, 2-D." in page.path.read_text()


def test_joints_come_through(tmp_path):
    recording = replace(walking(people=2), image_size=None)
    entry = facts(write_gallery(about(), [clip(recording)], tmp_path / "page.html"))["clips"][0]
    packed = pack(recording, steps=1024)
    assert base64.b64decode(entry["data"]) == packed.data
    _, tracks = unpack(packed, recording)
    for track, (places, _, _) in zip(recording.tracks, tracks, strict=True):
        np.testing.assert_allclose(places, track.joints[:, :2], atol=0.501 * packed.step)
    np.testing.assert_allclose(entry["middle"], packed.middle, rtol=1e-5)
    assert packed.step < 1


def test_a_full_page_says_so(tmp_path):
    clips = [clip(walking(step=0.1 * i), f"clip{i}") for i in range(40)]
    few = replace(about(), totals=[30, 10, 0])
    taken = []
    page = write_gallery(few, (taken.append(c) or c for c in clips), tmp_path / "page.html",
                         largest=75_000)
    assert 3 < page.clips < 40
    assert len(taken) == page.clips + 1  # no clip is read in vain
    assert 74_000 < page.size <= 75_000
    assert f"{page.clips} of 40 clips of walkers" in page.path.read_text()
    assert "--classes" in page.path.read_text()


def test_long_clips_show_some_frames(tmp_path):
    track = walking(frames=1501, step=0.1).tracks[0]
    odd = replace(track, joints=track.joints[..., 1::2], frame_index=track.frame_index[1::2],
                  boxes=None)
    recording = walking(frames=1501).with_tracks([track, replace(odd, track_id=9)])
    entry = facts(write_gallery(about(), [clip(recording)], tmp_path / "page.html"))["clips"][0]
    assert (entry["every"], entry["frames"], entry["total"]) == (3, 501, 1501)
    assert entry["tracks"][0]["runs"] == [[0, 501]]
    assert entry["tracks"][1]["runs"][:2] == [[1, 1], [3, 1]]


def test_nobody_and_depth(tmp_path):
    nobody = Recording((), np.arange(4) / 4, "coco17")
    empty = Recording((), [], "coco17")
    page = write_gallery(about(), [clip(nobody), clip(empty, "e", last=0)], tmp_path / "a.html")
    assert [entry["tracks"] for entry in facts(page)["clips"]] == [[], []]
    page = write_gallery(replace(about(), dims=3), [clip(capture())], tmp_path / "b.html")
    assert len(facts(page)["clips"][0]["low"]) == 3


def test_no_text_breaks_out_and_nothing_comes_from_elsewhere(tmp_path):
    evil = replace(about(), name=EVIL, classes=[EVIL, "b"], chosen=EVIL)
    bad = write_gallery(evil, [clip(walking(), EVIL)], tmp_path / "a.html").path.read_text()
    good = write_gallery(about(), [clip(walking())], tmp_path / "b.html").path.read_text()
    assert bad.count("<script") == good.count("<script")
    assert not re.search(r"""(?:src|href|action)\s*=\s*["']""", good)
    assert "default-src 'none'" in good


def test_a_page_is_not_replaced_unasked(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("mine")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        write_gallery(about(), [clip(walking())], page)
    assert page.read_text() == "mine"
    write_gallery(about(), [clip(walking())], page, overwrite=True)
    assert zlib.decompress(base64.b64decode(facts(write_gallery(
        about(), [clip(walking())], page, overwrite=True))["clips"][0]["data"]))
