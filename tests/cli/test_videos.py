from pathlib import Path

import pytest
from locks import lock

from skelact.cli.videos import find_videos, place_outputs, why_missing
from skelact.errors import SkelactError


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "b.AVI", "notes.txt", ".hidden.mp4", "a.overlay.mp4", "a.skeleton.mp4",
                 "sub/a.mp4", "sub/deep/c.webm", "odd[1].mp4", "picture"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def names(words) -> list[str]:
    return [str(video) for video, _ in find_videos(words)[0]]


def test_a_folder_means_the_videos_in_it_and_below(tree):
    videos, missing = find_videos(["."])
    assert [str(below) for _, below in videos] == [
        "a.mp4", "b.AVI", "odd[1].mp4", "sub/a.mp4", "sub/deep/c.webm"]
    assert missing == []


def test_a_file_is_taken_as_it_is(tree):
    assert names(["notes.txt", "picture", "a.overlay.mp4", "odd[1].mp4"]) == [
        "notes.txt", "picture", "a.overlay.mp4", "odd[1].mp4"]


def test_globs_find_videos_only(tree):
    assert names(["a*"]) == ["a.mp4"]
    assert names(["**/*.mp4"]) == ["a.mp4", "odd[1].mp4", "sub/a.mp4"]


def test_every_file_comes_once_in_the_order_given(tree):
    assert names(["sub/a.mp4", ".", "a.mp4", str(tree / "a.mp4")]) == [
        "sub/a.mp4", "a.mp4", "b.AVI", "odd[1].mp4", "sub/deep/c.webm"]


def test_words_that_mean_no_video_are_told(tree):
    (tree / "empty").mkdir()
    assert find_videos(["nothing.mp4", "*.mpg", "empty"]) == ([], ["nothing.mp4", "*.mpg", "empty"])


def test_outputs_lie_beside_their_videos_or_mirror_the_folder(tree):
    videos, _ = find_videos(["."])
    beside = [str(output) for _, output in place_outputs(videos, None, ".npz")]
    assert beside[:2] == ["a.npz", "b.npz"]
    assert beside[-1] == "sub/deep/c.npz"
    mirrored = [str(output) for _, output in place_outputs(videos, Path("out"), ".npz")]
    assert mirrored == ["out/a.npz", "out/b.npz", "out/odd[1].npz", "out/sub/a.npz",
                        "out/sub/deep/c.npz"]


def test_two_videos_never_share_an_output(tree):
    videos, _ = find_videos(["a.mp4", "sub/a.mp4"])
    assert len(place_outputs(videos, None, ".npz")) == 2
    with pytest.raises(SkelactError, match=r"a\.mp4 and sub/a\.mp4 would both be written"):
        place_outputs(videos, Path("out"), ".npz")
    (tree / "a.mkv").touch()
    with pytest.raises(SkelactError, match="different names"):
        place_outputs(find_videos(["a.mp4", "a.mkv"])[0], None, ".npz")


def test_one_video_may_name_its_output_file(tree):
    videos, _ = find_videos(["a.mp4", "b.AVI"])
    assert place_outputs(videos[:1], Path("x.npz"), ".npz") == [(Path("a.mp4"), Path("x.npz"))]
    with pytest.raises(SkelactError, match="folder"):
        place_outputs(videos, Path("x.npz"), ".npz")
    with pytest.raises(SkelactError, match="folder"):
        place_outputs(videos, Path("notes.txt"), ".npz")


def test_videos_that_may_not_be_read_are_told_from_none(tree):
    assert why_missing("*.mpg") == "no video at *.mpg"
    with lock(tree / "sub"):
        for word in ("sub", "sub/a.mp4"):
            assert find_videos([word]) == ([], [word])
            assert why_missing(word).startswith("no permission to read sub")
