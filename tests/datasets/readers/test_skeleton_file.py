"""The ``.skeleton`` grammar: real-looking files, exact ids, and damage of every kind."""

import numpy as np
import pytest
from captures import NAME, assert_same, capture, person
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from line_by_line import read_bodies, read_bodies_and_colours

from skelact.datasets.readers.skeleton_file import RawCapture, read_skeleton_file
from skelact.datasets.writers.skeleton_file import format_capture, write_skeleton_file
from skelact.errors import FileFormatError

quick = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@st.composite
def captures(draw) -> RawCapture:
    """Any capture that the grammar allows: bodies at random, and numbers chosen to be difficult."""
    counts = draw(st.lists(st.integers(0, 3), max_size=4))
    ids = st.integers(0, 2**63 - 1) | st.integers(72057594037927900, 72057594037927990)
    body_ids = [body for count in counts
                for body in draw(st.lists(ids, min_size=count, max_size=count, unique=True))]
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = len(body_ids)
    joints = random.normal(0, draw(st.sampled_from([1e-6, 0.01, 1, 4, 1e20])), (rows, 25, 3))
    joints = joints.astype(np.float32)
    for number in draw(st.lists(st.floats(width=32, allow_infinity=False), max_size=6)):
        if rows:
            joints.flat[draw(st.integers(0, joints.size - 1))] = number
    tracking = random.integers(0, 3, (rows, 25), np.uint8)
    return RawCapture(NAME, len(counts), np.array(body_ids, np.int64),
                      np.repeat(np.arange(len(counts)), counts), joints, tracking)


@pytest.fixture
def two_people(tmp_path):
    frames = np.arange(6)
    both = capture(6, {72057594037931101: (frames, person(6)),
                       72057594037931102: (frames, person(6, x=1, seed=1))})
    return write_skeleton_file(both, tmp_path / f"{NAME}.skeleton")


@pytest.mark.shared
@pytest.mark.parametrize("read_plainly", [read_bodies, read_bodies_and_colours])
def test_the_fixtures_read_as_line_by_line(shared, read_plainly):
    files = sorted((shared / "reference" / "ntu_raw").glob("*.skeleton"))
    assert len(files) == 8
    for file in files:
        found, expected = read_skeleton_file(file), read_plainly(file)
        assert set(found.body_ids.tolist()) == set(expected)
        for body_id, (frames, joints) in expected.items():
            rows = found.body_ids == body_id
            np.testing.assert_array_equal(found.frame_index[rows], frames)
            np.testing.assert_array_equal(found.joints[rows], joints)
        assert found.num_frames == int(file.read_text().split("\n", 1)[0])
        assert (found.tracking == 2).all()


@settings(deadline=None, max_examples=150, suppress_health_check=quick)
@given(content=captures())
def test_what_is_written_reads_back(tmp_path, content):
    path = tmp_path / f"{NAME}.skeleton"
    path.write_text(format_capture(content))
    assert_same(read_skeleton_file(path), content)


def test_ids_that_a_float_cannot_tell_apart_stay_two(two_people):
    found = read_skeleton_file(two_people)
    assert float(72057594037931101) == float(72057594037931102)
    assert sorted(set(found.body_ids.tolist())) == [72057594037931101, 72057594037931102]
    assert found.body_ids.dtype == np.int64


def test_the_name_says_who_and_what(two_people):
    assert read_skeleton_file(two_people).labels == {
        "clip_id": NAME, "label": "tear_up_paper", "subject": 3, "camera": 2, "setup": 1,
        "repetition": 2}


@pytest.mark.parametrize("change", [
    lambda text: text.replace(b"\n", b"\r\n"),
    lambda text: text.replace(b"\n", b" \n"),
    lambda text: text.replace(b" ", b"\t"),
    lambda text: text.replace(b"\n", b"\n\n"),
    lambda text: b"\n" + text.rstrip(),
    lambda text: text + b"\n \n",
], ids=["windows", "blank at the end", "tabs", "empty lines", "no last break", "ends late"])
def test_blanks_do_not_matter(two_people, change):
    expected = read_skeleton_file(two_people)
    two_people.write_bytes(change(two_people.read_bytes()))
    assert_same(read_skeleton_file(two_people), expected)


def test_numbers_of_every_form(two_people):
    lines = two_people.read_text().split("\n")
    lines[4] = "1.5E-05 -12 nan " + lines[4].split(" ", 3)[3]
    lines[5] = "+.25 0.1234567890123 7. " + lines[5].split(" ", 3)[3]
    two_people.write_text("\n".join(lines))
    joints = read_skeleton_file(two_people).joints[0]
    np.testing.assert_array_equal(joints[0], np.array([1.5e-5, -12, np.nan], np.float32))
    np.testing.assert_array_equal(joints[1], np.array([0.25, 0.1234567890123, 7], np.float32))


def edit(number: int, new: str):
    """Replace a line, counted from 1."""
    def change(lines: list[str]) -> list[str]:
        return lines[: number - 1] + [new] + lines[number:]
    return change


@pytest.mark.parametrize(("change", "message"), [
    (edit(1, "six"), r"line 1: expected the number of frames, got 'six'"),
    (edit(1, "7"), r"line 332: expected the number of bodies, but the file ends here"),
    (edit(1, "5"), r"line 277: expected the end of the file after 5 frames, got '2'"),
    (edit(1, "99999999999"), r"line 1: expected the number of frames"),
    (edit(2, "-1"), r"line 2: expected the number of bodies, got '-1'"),
    (edit(2, "3"), r"line 57: expected a body \(bodyID and 9 fields, then 25 joints\), got '2'"),
    (edit(3, "7205 0 0 0 0 0 0 0 2"), r"line 3: expected a body of 10 fields, got '7205 0"),
    (edit(3, "7.2e16 0 0 0 0 0 0 0 0 2"), r"line 3: expected a body"),
    (edit(3, f"{2**63} 0 0 0 0 0 0 0 0 2"), r"line 3: expected a bodyID below 2\^63"),
    (edit(3, "72057594037931102 0 0 0 0 0 0 0 0 2"), r"line 30: expected a bodyID .* not have yet"),
    (edit(4, "24"), r"line 3: expected a body"),
    (edit(7, "1.0 2.0 3.0 2"), r"line 7: expected a joint of 12 fields, got '1.0 2.0 3.0 2'"),
    (edit(7, "x 2.0 3.0 0 0 0 0 0 0 0 0 2"), r"line 7: expected x, y and z, got 'x 2.0"),
    (edit(7, "1.0 2_0.0 3.0 0 0 0 0 0 0 0 0 2"), r"line 7: expected x, y and z"),
    (edit(7, "inf 2.0 3.0 0 0 0 0 0 0 0 0 2"), r"line 7: expected x, y and z"),
    (edit(7, "1e99 2.0 3.0 0 0 0 0 0 0 0 0 2"), r"line 7: expected coordinates in metres"),
    (edit(7, "1.0 2.0 3.0 0 0 0 0 0 0 0 0 3"), r"line 7: expected the tracking state 0, 1 or 2"),
    (edit(7, "1.0 2.0 3.0 0 0 0 0 0 0 0 0 12"), r"line 7: expected the tracking state"),
    (lambda lines: lines[:20], r"line 21: expected 25 joints, but the file ends here"),
    (lambda lines: lines[:2], r"line 3: expected a body .* but the file ends here"),
    (lambda lines: [], r"line 1: expected the number of frames, but the file ends here"),
    (lambda lines: ["", "", *lines[:5], "oops", *lines[6:]], r"line 8: expected a joint"),
])
def test_damage_is_named_with_its_line(two_people, change, message):
    lines = change(two_people.read_text().split("\n"))
    two_people.write_text("\n".join(lines))
    with pytest.raises(FileFormatError, match=rf"{NAME}\.skeleton, {message}"):
        read_skeleton_file(two_people)


def test_a_missing_file_and_a_wrong_name_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match="cannot read"):
        read_skeleton_file(tmp_path / f"{NAME}.skeleton")
    with pytest.raises(FileFormatError, match="expected a name such as S001C002P003R002A013"):
        read_skeleton_file(tmp_path / "walk.skeleton")


@settings(deadline=None, max_examples=100, suppress_health_check=quick)
@given(data=st.data())
def test_any_damage_is_refused_or_harmless(two_people, data):
    content = bytearray(two_people.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = start + data.draw(st.sampled_from([0, 1, 2, 30, 900, 10**6]))
        content[start:end] = data.draw(st.binary(max_size=4) | st.sampled_from(
            [b" ", b"\n", b"9" * 30, b"-", b".", b"1e9"]))
    damaged = two_people.with_name("S001C001P001R001A001.skeleton")
    damaged.write_bytes(content)
    try:
        found = read_skeleton_file(damaged)
    except FileFormatError as error:
        assert str(error).startswith(f"{damaged}, line ")  # noqa: PT017
    else:
        assert len(found.body_ids) == len(found.frame_index) == len(found.joints)
        assert not np.isinf(found.joints).any()
        assert found.tracking.max(initial=0) <= 2
