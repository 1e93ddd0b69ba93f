import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from skelact.errors import OutputExistsError
from skelact.visualization.summary import Section, timeline, write_summary

VOID = {"meta", "br", "img", "source"}


class Outline(HTMLParser):
    """Checks that tags close in order; collects what the page refers to, and its text."""

    def __init__(self, page):
        super().__init__()
        self.open, self.links, self.text, self.tags = [], [], "", []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.links += [unquote(v) for k, v in attrs if k in ("href", "src", "srcset")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def result(*tracks, duration=10.0):
    return {"source": "a.mp4", "fps": 10.0, "duration": duration, "classes": ["squat", "bowl"],
            "tracks": list(tracks)}


def track(track_id, start, end, *segments):
    return {"track_id": track_id, "start": start, "end": end, "segments": [
        {"start": a, "end": b, "label": label, "score": 0.5, "top": [[label, 0.5]]}
        for a, b, label in segments]}


def section(**changes):
    fields = {"name": "first one", "shows": "a person", "good": True, "verdict": "right",
              "result": result(track(1, 0, 10, (2, 4, "squat"))), "start": 0.0,
              "files": ("first one/a b.gif", "first one/sheet.png"), "credit": "somebody, MIT"}
    return Section(**fields | changes)


def read(path):
    page = path.read_text(encoding="utf-8")
    return page, Outline(page.split("</style>")[1].replace("</head>", "", 1)
                         .replace("</html>", ""))


def test_segments_stand_where_they_happen():
    bars = timeline(result(track(1, 0, 5, (2, 4, "squat")), track(7, 5, 10)))
    places = re.findall(r'class="(seen|named)"[^>]*left:([\d.]+)%;width:([\d.]+)%', bars)
    assert places == [("seen", "0.00", "50.00"), ("named", "20.00", "20.00"),
                      ("seen", "50.00", "50.00")]
    assert re.findall(r">(\d+)</span>", bars) == ["1", "7"]


def test_a_part_of_a_video_begins_at_its_own_time():
    bars = timeline(result(track(1, 40, 45)), start=40.0)
    assert "left:0.00%;width:50.00%" in bars
    assert re.findall(r"([\d.]+) s</span>", bars) == ["40.0", "45.0", "50.0"]


def test_a_segment_that_reaches_beyond_the_end_stays_inside():
    bars = timeline(result(track(1, 0, 9.9, (8, 11, "squat"))))
    assert "left:80.00%;width:20.00%" in bars


def test_nobody_and_nothing_are_said():
    assert "nobody" in timeline(result())
    assert "nobody" in timeline(result(duration=0.0))


def test_the_page_is_whole_and_refers_only_to_its_files(tmp_path):
    sections = [section(), section(name="second", good=False, files=("second/o.mp4",))]
    path = write_summary(tmp_path / "index.html", "A title", "A lead.", sections, ["a limit"],
                         [("skelact pose VIDEO", "why")], [("torch", "2")], [("draw", 1.25)])
    page, outline = read(path)
    assert outline.open == []
    assert set(outline.links) == {"#first one", "#second", "first one/a b.gif",
                                  "first one/sheet.png", "second/o.mp4"}
    assert not re.search(r"https?:|url\(|@import|<script", page)
    for words in ("A title", "A lead.", "a limit", "skelact pose VIDEO", "1.2 s", "somebody, MIT",
                  "squat", "✓", "✗"):
        assert words in outline.text
    assert "prefers-color-scheme: dark" in page


def test_motion_can_be_had_without(tmp_path):
    path = write_summary(tmp_path / "index.html", "t", "l", [section()])
    still = re.search(r'<source srcset="([^"]+)" media="\(prefers-reduced-motion', path.read_text())
    assert still[1] == "first%20one/sheet.png"


def test_many_segments_fold_away(tmp_path):
    many = result(track(1, 0, 10, *[(i, i + 1, "bowl") for i in range(9)]))
    path = write_summary(tmp_path / "index.html", "t", "l", [section(result=many)])
    assert "<summary>9 segments</summary>" in path.read_text()


def test_text_is_text(tmp_path):
    bad = '<script>"&'
    segments = result(track(1, 0, 10, (2, 4, bad)))
    path = write_summary(
        tmp_path / "index.html", bad, bad,
        [section(name=bad, shows=bad, verdict=bad, credit=bad, result=segments)],
        [bad], [(bad, bad)], [(bad, bad)], [(bad, 1.0)])
    _, outline = read(path)
    assert "script" not in outline.tags
    assert outline.text.count(bad) >= 10


def test_an_existing_page_is_kept(tmp_path):
    (tmp_path / "index.html").write_text("precious")
    with pytest.raises(OutputExistsError):
        write_summary(tmp_path / "index.html", "t", "l", [])
    assert (tmp_path / "index.html").read_text() == "precious"
    write_summary(tmp_path / "index.html", "t", "l", [], overwrite=True)
    assert "precious" not in (tmp_path / "index.html").read_text()
