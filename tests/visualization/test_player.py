import base64
import hashlib
import json
import re
import subprocess
import sys
import zlib
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from crowds import crowd, named
from recordings import capture, walking
from videos import encode, grey_images, make_video

from skelact.cli.main import main
from skelact.errors import OutputExistsError, SkelactError
from skelact.pose.files import save_recording
from skelact.pose.recording import Recording
from skelact.visualization import player
from skelact.visualization.packing import pack
from skelact.visualization.player import write_player

EVIL = "</script><script>document.title = 'ran'</script>"


class Page(HTMLParser):
    """Collects tags and the text of each script by its id."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.attributes, self.scripts, self._inside = [], [], {}, None
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]
        self._inside = dict(attributes).get("id", "program") if tag == "script" else None

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside:
            self.scripts[self._inside] = self.scripts.get(self._inside, "") + data

    @property
    def facts(self):
        return json.loads(self.scripts["facts"])


def test_a_page_holds_everyone(tmp_path):
    recording = walking(people=2, source="/home/me/secret place/walk.mp4")
    written = write_player(recording, tmp_path / "page.html")
    assert (written.path.stat().st_size, written.video) == (written.size, "none")
    page = Page(written.path)
    assert "secret" not in written.path.read_text()
    assert page.facts["joints"] == list(recording.layout.joints)
    assert [track["runs"] for track in page.facts["tracks"]] == [[[0, 30]], [[0, 30]]]
    assert base64.b64decode(page.scripts["joints"]) == pack(recording).data
    assert (page.facts["first"], page.facts["length"]) == (0.0, pytest.approx(1.2))


def test_bones_carry_their_side(tmp_path):
    page = Page(write_player(walking(), tmp_path / "page.html").path)
    joints = page.facts["joints"]
    sides = {(joints[a], joints[b]): side for a, b, side in page.facts["edges"]}
    for (a, b), side in sides.items():
        expected = 1 if a[:4] == b[:4] == "left" else 2 if a[:5] == b[:5] == "right" else 0
        assert side == expected
    assert set(sides.values()) == {0, 1, 2}


def test_the_page_refers_to_nothing_elsewhere(tmp_path):
    page = Page(write_player(walking(people=2), tmp_path / "page.html").path)
    assert "link" not in page.tags
    assert not [a for a in page.attributes if a[1] in ("src", "href", "srcset", "action")]
    policy = next(v for _, k, v in page.attributes if k == "content" and "default-src" in v)
    assert policy.startswith("default-src 'none';")
    seal = base64.b64encode(hashlib.sha256(page.scripts["program"].encode()).digest()).decode()
    assert f"script-src 'sha256-{seal}'" in policy


def test_no_text_breaks_out_of_the_page(tmp_path):
    recording = replace(walking(), source=EVIL.replace("/", "\\"))
    result = {"duration": 1.2, "tracks": [{"track_id": 1, "segments": [
        {"start": 0, "end": 1, "label": EVIL + "\u2028&amp;", "score": 1, "top": [[EVIL, 1]]}]}]}
    plain = Page(write_player(walking(), tmp_path / "plain.html").path)
    page = Page(write_player(recording, tmp_path / "page.html", result=result).path)
    assert page.tags == plain.tags
    assert page.facts["tracks"][0]["segments"][0]["label"] == EVIL + "\u2028&amp;"


def test_ten_minutes_of_five_people_in_the_making(tmp_path):
    recording = crowd(seconds=30)
    size = write_player(recording, tmp_path / "page.html", result=named(recording)).size
    frame = Page(tmp_path / "page.html")
    assert len(zlib.decompress(base64.b64decode(frame.scripts["joints"]))) \
        == 900 * (4 + 5 * 17 * 5)
    fixed = size - len(frame.scripts["joints"])
    assert fixed + 20 * len(frame.scripts["joints"]) < 6_000_000


@pytest.mark.parametrize("recording", [
    Recording((), np.arange(4) / 4, "coco17"), capture(), walking(size=None),
    walking().with_tracks([replace(walking().tracks[0], joints=np.full((17, 3, 30), np.nan))])])
def test_nobody_depth_unknown_size_and_nothing_seen(tmp_path, recording):
    page = Page(write_player(recording, tmp_path / "page.html").path)
    assert len(page.facts["low"]) == page.facts["dims"] == recording.dims
    assert all(low < high for low, high in zip(page.facts["low"], page.facts["high"],
                                               strict=True))


def test_a_small_video_goes_inside_and_a_large_one_stays_beside(tmp_path, monkeypatch):
    video = make_video(tmp_path / "a b.mp4", grey_images(30))
    recording = walking(size=(64, 48))
    inside = write_player(recording, tmp_path / "inside.html", video)
    page = Page(inside.path)
    assert inside.video == "inside"
    assert base64.b64decode(page.scripts["film"]) == video.read_bytes()
    assert page.facts["video"] == {"inside": "video/mp4", "name": "a b.mp4"}
    monkeypatch.setattr(player, "LARGEST", inside.size - 1)
    beside = write_player(recording, tmp_path / "sub" / "beside.html", video)
    assert (beside.video, Page(beside.path).facts["video"]["link"]) == ("beside", "../a%20b.mp4")
    monkeypatch.setattr(player, "LARGEST", inside.size + 200)
    assert write_player(recording, inside.path, video, overwrite=True).video == "inside"


def test_refusals_write_nothing(tmp_path):
    page = tmp_path / "page.html"
    recording = walking(size=(64, 48))
    cases = [
        (lambda: write_player(Recording((), [], "coco17"), page), "no frames"),
        (lambda: write_player(recording, page, tmp_path / "gone.mp4"), "not there"),
        (lambda: write_player(walking(), page, make_video(tmp_path / "small.mp4",
                                                          grey_images(3))), "64x48"),
        (lambda: write_player(recording, page, encode(tmp_path / "old.avi", grey_images(3),
                                                      codec="mpeg4")), "mpeg4 in avi"),
        (lambda: write_player(recording, page, result={"tracks": []}), "recognize -o"),
    ]
    for act, message in cases:
        with pytest.raises(SkelactError, match=message):
            act()
        assert not page.exists()
    page.write_text("mine")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        write_player(recording, page)
    assert page.read_text() == "mine"


def test_the_command(tmp_path):
    poses = save_recording(walking(people=2), tmp_path / "walk.npz")
    result = tmp_path / "result.json"
    result.write_text(json.dumps(named(walking(people=2, frames=30))))
    command = [sys.executable, "-m", "skelact", "show", str(poses), "-o",
               str(tmp_path / "page.html"), "--result", str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"2 people in 30 frames -> \S+page.html \(0\.\d MB\)", done.stdout.strip())
    assert main(command[3:]) == 2
    assert main([*command[3:], "--overwrite"]) == 0


@pytest.mark.parametrize(("arguments", "message"), [
    (["-o", "out.svg"], ".png, .gif, .mp4, .html"),
    (["-o", "out.gif", "--result", "result.json"], "--result is for a page"),
    (["-o", "out.html", "--result", "gone.json"], "no result at gone.json"),
    (["-o", "out.html", "--video", "gone.mp4"], "not there"),
])
def test_wrong_use_of_the_command_is_explained(tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    save_recording(walking(), tmp_path / "walk.npz")
    assert main(["show", "walk.npz", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not list(tmp_path.glob("out.*"))
