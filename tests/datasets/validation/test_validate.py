"""Validation: every kind of fault is found in a store that has it, and none in one that has not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from archives import unpack
from recordings import walking
from stores import captures, walkers, write_store

from skelact.datasets.prepare import prepare
from skelact.datasets.store import Store
from skelact.datasets.validation.findings import ERROR, WARNING, Finding, has_errors, to_table
from skelact.datasets.validation.integrity import check_tables
from skelact.datasets.validation.validate import validate
from skelact.errors import FileFormatError
from skelact.graph.layouts import get_layout
from skelact.pose.recording import Recording

Change = Callable[[np.ndarray], np.ndarray]


def check(tmp_path, recordings, **facts) -> dict[str, Finding]:
    """Findings by what was looked at."""
    write_store(tmp_path / "store", recordings, **facts)
    return {finding.check: finding for finding in validate(tmp_path / "store")}


def changed(recording: Recording, change: Change) -> Recording:
    return recording.with_tracks(replace(track, joints=change(track.joints.copy()))
                                 for track in recording.tracks)


def mirror(axis: int, about: float = 0.0) -> Change:
    def change(joints):
        joints[:, axis] = 2 * about - joints[:, axis]
        return joints

    return change


def swap_sides(joints: np.ndarray) -> np.ndarray:
    return joints[get_layout("kinect20").flip_order]


def test_sound_stores_have_no_findings(tmp_path):
    write_store(tmp_path / "flat", walkers())
    write_store(tmp_path / "deep", captures())
    assert validate(tmp_path / "flat") == []
    assert validate(tmp_path / "deep") == []
    assert "sound" in to_table([])


def test_any_flipped_byte_is_found_and_its_file_named(tmp_path):
    report = tmp_path / "dropped.csv"
    report.write_text("source,reason\n")
    store = write_store(tmp_path / "store", walkers(4), reports=[report])
    random = np.random.default_rng(0)
    for file in sorted(store.folder.iterdir()):
        content = file.read_bytes()
        places = random.choice(len(content), min(40, len(content)), replace=False)
        for place in [0, len(content) - 1, *places]:
            damaged = bytearray(content)
            damaged[place] ^= 1 << random.integers(8)
            file.write_bytes(damaged)
            findings = validate(store.folder)
            assert has_errors(findings), (file.name, place)
            assert any(file.name in finding.message for finding in findings), (file.name, place)
        file.write_bytes(content)
    assert validate(store.folder) == []


def test_missing_and_strange_files_are_named(tmp_path):
    folder = write_store(tmp_path / "store", walkers(2)).folder
    (folder / "notes.txt").write_text("mine")
    (found,) = validate(folder)
    assert (found.severity, found.check) == (WARNING, "files")
    assert "notes.txt" in found.message
    (folder / "clips.arrow").unlink()
    assert "clips.arrow is missing" in validate(folder)[0].message
    with pytest.raises(FileFormatError, match="no dataset store"):
        validate(tmp_path)


def test_clips_without_content_are_named(tmp_path):
    clips = captures(8)
    clips[0] = changed(clips[0], lambda joints: np.full_like(joints, np.nan))
    clips[1] = changed(clips[1], np.zeros_like)
    clips[2] = Recording((), np.arange(20) / 30, "kinect20", 3, labels=clips[2].labels)
    clips[3] = replace(clips[3], labels={"clip_id": "c3"})
    one = replace(clips[4].tracks[0], joints=clips[4].tracks[0].joints[..., :1], frame_index=[0])
    clips[4] = Recording((one,), [0.0], "kinect20", 3, 30.0, labels=clips[4].labels)
    found = check(tmp_path, clips)
    assert found["empty"].clips == ("c0", "c2")
    assert found["zeros"].clips == ("c1",)
    assert found["one frame"].clips == ("c4",)
    assert found["unlabelled"].clips == ("c3",)
    assert {finding.severity for finding in found.values()} == {WARNING}
    assert "duplicates" not in found  # two clips without joints do not repeat each other


def test_duplicates_and_leaks_are_named(tmp_path):
    clips = walkers(8)  # clips 3 and 7 are for testing
    clips[3] = replace(clips[0], labels=clips[3].labels)
    clips[6] = replace(clips[5], labels=clips[6].labels)
    found = check(tmp_path, clips)
    assert found["duplicates"].clips == ("clip0", "clip3", "clip5", "clip6")
    assert "2 clips repeat" in found["duplicates"].message
    assert found["leak"].clips == ("clip3",)
    assert "official" in found["leak"].message


@pytest.mark.parametrize("change", [swap_sides, mirror(0)])
def test_exchanged_sides_and_mirrored_x_are_found(tmp_path, change):
    found = check(tmp_path, [changed(clip, change) for clip in captures()])
    assert set(found) == {"left and right"}
    assert found["left and right"].severity == ERROR


def test_a_few_exchanged_clips_are_named(tmp_path):
    clips = captures()
    clips[2] = changed(clips[2], swap_sides)
    found = check(tmp_path, clips)
    assert (found["left and right"].severity, found["left and right"].clips) == (WARNING, ("c2",))


def test_sides_that_change_within_a_clip_are_found(tmp_path):
    clips = captures()
    middle = clips[1].tracks[0].joints.copy()
    middle[..., 8:] = swap_sides(middle[..., 8:])
    clips[1] = changed(clips[1], lambda joints: middle)
    assert check(tmp_path, clips)["side swaps"].clips == ("c1",)


def test_people_who_face_the_camera_have_their_left_on_the_right(tmp_path):
    flip = get_layout("coco17").flip_order
    found = check(tmp_path, [changed(clip, lambda joints: joints[flip]) for clip in walkers()])
    assert set(found) == {"left and right"}


def test_flipped_y_is_found(tmp_path):
    found = check(tmp_path / "deep", [changed(clip, mirror(1)) for clip in captures()])
    assert set(found) == {"flipped y"}  # and not also exchanged sides, which follow from it
    assert found["flipped y"].severity == ERROR
    found = check(tmp_path / "flat", [changed(clip, mirror(1, 100)) for clip in walkers()])
    assert found["flipped y"].severity == ERROR


def turned(degrees: float) -> Change:
    def change(joints):
        x, y = joints[:, 0].copy(), joints[:, 1].copy()
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        joints[:, 0], joints[:, 1] = cos * x - sin * y, sin * x + cos * y
        return joints

    return change


def test_a_push_up_is_not_upside_down_and_a_handstand_is(tmp_path):
    clips = captures()
    clips[1] = changed(clips[1], turned(110))  # the head a little lower than the feet
    clips[2] = changed(clips[2], turned(180))
    found = check(tmp_path, clips)
    assert found["upside down"].clips == ("c2",)


def test_a_wrong_layout_is_found_and_the_right_one_named(tmp_path):
    clips = [replace(clip, layout="utd20") for clip in captures(layout="kinect20")]
    found = check(tmp_path, clips)
    assert found["layout"].severity == ERROR
    assert "'kinect20', not 'utd20'" in found["layout"].message


def test_shuffled_joints_are_found(tmp_path):
    order = np.random.default_rng(1).permutation(17)
    found = check(tmp_path, [changed(clip, lambda joints: joints[order]) for clip in walkers()])
    assert "do not look like layout 'coco17'" in found["layout"].message


def test_units_and_places_are_checked(tmp_path):
    found = check(tmp_path / "a", [changed(clip, lambda joints: 1000 * joints)
                                   for clip in captures()])
    assert "metres" in found["units"].message
    found = check(tmp_path / "b", [changed(clip, lambda joints: joints / 300)
                                   for clip in walkers()])
    assert "pixels" in found["units"].message
    found = check(tmp_path / "c", [changed(clip, mirror(0)) for clip in walkers()])
    assert "outside the image" in found["outside"].message


def test_frame_rate_outliers_are_named(tmp_path):
    clips = [*walkers(6),
             walking(12, fps=100.0, step=3, labels={"clip_id": "fast", "label": "run"}),
             replace(walking(12, step=4, labels={"clip_id": "odd", "label": "run"}),
                     timestamps=np.arange(12) / 5)]
    write_store(tmp_path / "store", clips)
    found = [finding.clips for finding in validate(tmp_path / "store")
             if finding.check == "frame rate"]
    assert found == [("fast",), ("odd",)]


def test_the_table_puts_errors_first_and_shortens_lists():
    table = to_table([Finding(WARNING, "a", "seven clips", tuple("abcdefg")),
                      Finding(ERROR, "b", "worse")])
    assert table.splitlines()[0].startswith("error    b")
    assert "a, b, c, d, e, ... (7 in all)" in table


@pytest.mark.shared
def test_nw_ucla_leaks_95_test_clips(shared, tmp_path):
    raw = unpack(shared / "datasets" / "nw_ucla.tar.xz", tmp_path / "raw")
    header = prepare("nw_ucla", raw, tmp_path / "store", jobs=1).header
    assert (header.counts["clips"], len(header.classes)) == (1484, 10)
    assert header.fps_assumed
    found = {finding.check: finding for finding in validate(tmp_path / "store")}
    assert set(found) == {"one frame", "duplicates", "leak"}
    assert len(found["leak"].clips) == 95
    assert all(clip.endswith("_v03") for clip in found["leak"].clips)
    assert len(found["one frame"].clips) == 2


@pytest.mark.parametrize(("table", "column", "values", "message"), [
    ("tracks", "frame_index", [0, 1, 1, 3], "frame numbers"),
    ("tracks", "frame_index", [0, 1, 2, 9], "frame numbers"),
    ("clips", "num_frames", [3], "frame numbers"),
    ("clips", "label", [5], "out of bounds"),
    ("clips", "label", [-7], "out of bounds"),
])
def test_contradictions_between_tables_are_found(tmp_path, table, column, values, message):
    """A table that somebody wrote, with checksums that fit."""
    store = write_store(tmp_path / "store", [
        walking(4, step=i, labels={"clip_id": f"clip{i}", "label": label})
        for i, label in enumerate(("walk", "run", "walk"))])
    arrays = {"frame_index": store.arrays.frame_index, "num_frames": store.arrays.num_frames,
              "label": store.arrays.labels}[column]
    content = (store.folder / f"{table}.arrow").read_bytes()
    old, new = arrays.tobytes(), arrays.copy()
    new[: len(values)] = values
    assert content.count(old) == 1
    (store.folder / f"{table}.arrow").write_bytes(content.replace(old, new.tobytes()))
    findings = check_tables(Store(store.folder))
    assert any(message in str(finding) for finding in findings), findings
    assert all(finding.severity == ERROR for finding in findings)
