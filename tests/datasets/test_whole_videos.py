"""Which video a file is a part of, by its name."""

import pytest

from skelact.datasets.whole_videos import find_piece, find_videos


@pytest.mark.parametrize(("stem", "piece"), [
    ("abc_000010_000020", ("abc", 10, 20)),
    ("a_b_000000_000001", ("a_b", 0, 1)),
    ("abc_10_20", None),
    ("abc", None),
    ("_000010_000020", None),
    ("VID_010124_093000", None), ("cam_093000_113000", None),
    ("VID_240131_093000", None),  # a camera's date and time: seconds do not run back
    ("abc_000010_000010", None),
])
def test_the_names_of_pieces(stem, piece):
    assert find_piece(stem) == piece


def test_clips_and_their_videos():
    sources = ["a/one.mp4", "b/one.mp4", "a/one.mp4", "a/x_000001_000002.MOV",
               "b/x_000003_000004.mov", "all.pkl", "", "0001.mat"]
    assert find_videos(sources).tolist() == ["a/one.mp4", "b/one.mp4", "a/one.mp4", "x", "x", "",
                                             "", ""]
    assert find_videos([]).tolist() == []
