"""Pose files are made once."""

import pytest
from dots import DotEstimator, dots_video

from skelact.cli.main import main
from skelact.errors import OutputExistsError, SkelactError, VideoError
from skelact.pose import cache
from skelact.pose.cache import PoseCache
from skelact.pose.estimators import choice
from skelact.pose.files import load_recording


class Choice:
    """Stands for a decided estimator."""

    def __init__(self, name="dots", layout="coco17"):
        self.identity, self.layout, self.loads = {"estimator": name}, layout, 0

    def load(self) -> DotEstimator:
        self.loads += 1
        return DotEstimator()


@pytest.fixture
def video(tmp_path):
    return dots_video(tmp_path / "videos" / "walk" / "a.mp4")


def test_poses_are_extracted_once(video, tmp_path):
    estimator = DotEstimator()
    first = PoseCache(tmp_path / "poses", estimator).get(video, "walk/a")
    file = tmp_path / "poses" / "walk" / "a.npz"
    written = file.stat().st_mtime_ns
    again = PoseCache(tmp_path / "poses", estimator).get(video, "walk/a")
    assert estimator.resets == 1
    assert file.stat().st_mtime_ns == written
    assert (again.joints() == first.joints()).all()
    assert len(load_recording(file).tracks) == 2


def test_the_estimator_is_loaded_when_it_is_needed(video, tmp_path, capsys):
    decided = Choice()
    poses = PoseCache(tmp_path / "poses", decided)
    assert decided.loads == 0
    poses.get(video, "a")
    poses.get(video, "b")
    assert decided.loads == 1
    assert capsys.readouterr().err.startswith("skelact: ")


def test_poses_of_something_else_are_never_replaced_unasked(video, tmp_path):
    PoseCache(tmp_path, Choice()).get(video, "a")
    before = (tmp_path / "a.npz").read_bytes()
    other = dots_video(tmp_path / "other.mp4", starts=(40,))
    for source, decided in ((other, Choice()), (video, Choice("better"))):
        with pytest.raises(OutputExistsError, match=r"a\.npz was not made from .*--overwrite"):
            PoseCache(tmp_path, decided).get(source, "a")
    assert (tmp_path / "a.npz").read_bytes() == before
    assert len(PoseCache(tmp_path, Choice(), overwrite=True).get(other, "a").tracks) == 1


def test_a_damaged_pose_file_is_not_taken_for_one(video, tmp_path):
    poses = PoseCache(tmp_path, Choice())
    poses.get(video, "a")
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:500])
    with pytest.raises(OutputExistsError):
        poses.get(video, "a")


def test_a_missing_or_broken_video(tmp_path):
    poses = PoseCache(tmp_path, DotEstimator())
    with pytest.raises(SkelactError, match=r"gone\.mp4 cannot be read"):
        poses.get(tmp_path / "gone.mp4", "gone")
    (tmp_path / "bad.mp4").write_bytes(b"nothing" * 99)
    with pytest.raises(VideoError, match=r"bad\.mp4"):
        poses.get(tmp_path / "bad.mp4", "bad")
    assert not list(tmp_path.rglob("*.npz"))


def test_a_file_is_no_folder(video):
    with pytest.raises(SkelactError, match="expected a folder for pose files, got the file"):
        PoseCache(video, DotEstimator())


def test_the_command_and_the_cache_go_on_where_the_other_stopped(video, tmp_path, monkeypatch,
                                                                 capsys):
    decided = Choice()
    for module in (choice, cache):
        monkeypatch.setattr(module, "decide_estimator", lambda *_: decided)
    folder, poses = tmp_path / "videos", tmp_path / "poses"
    assert main(["pose", str(folder), "-o", str(poses)]) == 0
    PoseCache(poses).get(video, "walk/a")
    assert decided.loads == 1
    dots_video(folder / "walk" / "b.mp4")
    PoseCache(poses).get(folder / "walk" / "b.mp4", "walk/b")
    capsys.readouterr()
    assert main(["pose", str(folder), "-o", str(poses)]) == 0
    assert capsys.readouterr().out.count("up to date, skipped") == 2
