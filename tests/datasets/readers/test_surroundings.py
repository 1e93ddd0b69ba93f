"""labels.csv, class folders, and the video beside a keypoint file."""

from pathlib import Path

import numpy as np
import pytest
from videos import encode

from skelact.datasets.readers.surroundings import class_name, find_scene, read_labels
from skelact.errors import FileFormatError


def table(folder: Path, text: str) -> Path:
    (folder / "labels.csv").write_text(text)
    return folder


def test_a_table_names_files_with_or_without_suffix(tmp_path):
    for name in ("a.json", "b.json"):
        (tmp_path / "sub").mkdir(exist_ok=True)
        (tmp_path / "sub" / name).touch()
    labels = read_labels(table(tmp_path, "\ufefffile,label,camera,split\n./sub/a.json,Sit Down,2,\n"
                                         "sub\\b,jog,,train; val\n"))
    assert labels.of(tmp_path / "sub" / "a.json") == {"clip_id": "sub/a", "label": "sit_down",
                                                      "camera": 2}
    assert labels.of(tmp_path / "sub" / "b.json") == {"clip_id": "sub/b", "label": "jog",
                                                      "splits": ["train", "val"]}
    with pytest.raises(FileFormatError, match=r"does not list it; add a line for sub/c\.json"):
        labels.of(tmp_path / "sub" / "c.json")


def test_without_a_table_the_first_folder_is_the_class(tmp_path):
    labels = read_labels(tmp_path)
    assert labels.of(tmp_path / "Jumping-Jacks" / "day 1" / "a.npz")["label"] == "jumping_jacks"
    assert "label" not in labels.of(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file\na\n", "line 1: expected the columns file, label"),
        ("file,label,colour\na,b,c\n", "line 1: .* got file, label, colour"),
        ("file,label,label\na,b,c\n", "line 1"),
        ("", "line 1: .* got none"),
        ("file,label\na,b\na,c\n", "line 3: .*not named before, got 'a'"),
        ("file,label\n,b\n", "line 2: expected the name of a file"),
        ("file,label\na,b,c\n", "line 2: expected as many cells as columns"),
        ("file,label\na\n", "line 2: expected as many cells as columns"),
        ("file,label,subject\na,b,P1\n", "line 2: expected a whole number as subject, got 'P1'"),
        ('file,label\n"a,b\n', "is no table of labels"),
    ],
)
def test_a_damaged_table_is_refused_by_line(tmp_path, text, message):
    with pytest.raises(FileFormatError, match=message) as caught:
        read_labels(table(tmp_path, text))
    assert str(tmp_path / "labels.csv") in str(caught.value)


def test_class_names_are_lower_snake_case():
    assert class_name("  Air  Drumming (solo)") == "air_drumming_solo"
    assert class_name("long_jump") == "long_jump"


def test_what_is_stated_comes_before_the_video_and_that_before_assumptions(tmp_path):
    clip = tmp_path / "walk.keypoints.json"
    scene = find_scene(clip)
    assert (scene.fps, scene.fps_assumed, scene.image_size) == (30, True, None)
    encode(tmp_path / "walk.mp4", np.zeros((7, 48, 64, 3), np.uint8), fps=12)
    scene = find_scene(clip)
    assert (scene.fps, scene.fps_assumed, scene.image_size) == (12, False, (64, 48))
    assert scene.num_frames == 7
    scene = find_scene(clip, fps=5)
    assert (scene.fps, scene.fps_assumed, scene.image_size) == (5, False, (64, 48))
    assert find_scene(clip, image_size=(8, 6)).image_size == (8, 6)
    (tmp_path / "walk.mp4").write_bytes(b"damaged")
    assert find_scene(clip).fps_assumed


@pytest.mark.parametrize("stated", [{"fps": 0}, {"fps": float("nan")}, {"image_size": (0, 5)},
                                    {"image_size": (5,)}])
def test_impossible_statements_are_refused(tmp_path, stated):
    with pytest.raises(FileFormatError):
        find_scene(tmp_path / "a.json", **stated)
