"""`dataset.json`: own layouts, versions, damage."""

import json

import pytest
from recordings import walking
from stores import walkers, write_store

from skelact.datasets.header import check_header, read_header
from skelact.errors import FileFormatError
from skelact.graph.layouts import Layout, get_layout
from skelact.pose.recording import PoseTrack, Recording


def test_own_layouts_stand_in_the_header(tmp_path):
    layout = Layout("own", ("hip", "port", "starboard"), (0, 0, 0), flip_pairs=((1, 2),),
                    source_names=("a", "b", "c"))
    joints = walking(4).tracks[0].joints[:3]
    clip = Recording((PoseTrack(0, joints, range(4)),), [0.0, 1.0, 2.0, 3.0], layout)
    write_store(tmp_path / "own", [clip])
    assert read_header(tmp_path / "own").layout == layout
    write_store(tmp_path / "built_in", walkers(2))
    assert read_header(tmp_path / "built_in").layout is get_layout("coco17")


def test_a_layout_of_a_built_in_name_but_other_bones_is_kept(tmp_path):
    layout = get_layout("coco17").with_parents((0,) * 17)
    clip = Recording(walking(4).tracks, walking(4).timestamps, layout)
    write_store(tmp_path / "store", [clip])
    assert read_header(tmp_path / "store").layout.parents == (0,) * 17


def test_newer_and_damaged_headers_are_refused(tmp_path):
    file = write_store(tmp_path / "store", walkers(2)).folder / "dataset.json"
    text = file.read_text()
    assert check_header(tmp_path / "store")
    file.write_text(text.replace('"format_version": 1', '"format_version": 2'))
    assert not check_header(tmp_path / "store")
    with pytest.raises(FileFormatError, match="newer than this skelact reads"):
        read_header(tmp_path / "store")
    content = json.loads(text)
    for damaged in ("", "[]", "{", text.replace('"left_eye"', '"nose"', 1),
                    json.dumps({**content, "more": 1}),
                    json.dumps({k: v for k, v in content.items() if k != "dims"})):
        file.write_text(damaged)
        assert not check_header(tmp_path / "store")
        with pytest.raises(FileFormatError, match="damaged or no dataset header"):
            read_header(tmp_path / "store")
