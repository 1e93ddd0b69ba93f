"""Clips side by side."""

import numpy as np
import pytest
from PIL import Image
from recordings import walking

from skelact.errors import OutputExistsError, ShapeError
from skelact.pose.recording import Recording
from skelact.visualization.colours import LEFT
from skelact.visualization.comparison import animate_side_by_side


def share_of(image: np.ndarray, colour) -> float:
    return float((np.abs(image.astype(int) - colour) < 60).all(axis=-1).mean())


def frames(path) -> list[np.ndarray]:
    with Image.open(path) as image:
        shown = []
        for i in range(image.n_frames):
            image.seek(i)
            shown.append(np.asarray(image.convert("RGB")))
        return shown


def test_both_run_and_the_shorter_waits(tmp_path):
    short, long = walking(10, step=2.0), walking(30, step=2.0)
    path = animate_side_by_side([short, long], ["walk\ntaken for run", "run"], tmp_path / "a.gif")
    shown = frames(path)
    assert shown[0].shape == (342, 608, 3)
    seconds = sum(_durations(path)) / 1000
    assert seconds == pytest.approx(long.duration, abs=0.1)
    left, right = slice(0, 300), slice(308, 608)
    assert share_of(shown[0][:, left], LEFT) > 1e-3
    assert share_of(shown[0][:, right], LEFT) > 1e-3
    np.testing.assert_array_equal(shown[-1][42:, left], shown[-2][42:, left])
    assert (shown[-1][42:, right] != shown[0][42:, right]).any()


def _durations(path):
    with Image.open(path) as image:
        for i in range(image.n_frames):
            image.seek(i)
            yield image.info["duration"]


def test_long_clips_are_cut_at_six_seconds(tmp_path):
    long = walking(40, times=np.arange(40) * 0.5, fps=2.0)
    path = animate_side_by_side([long], ["long"], tmp_path / "a.gif")
    assert sum(_durations(path)) <= 6000
    assert frames(path)[0].shape[1] == 300


def test_nobody_is_an_empty_panel(tmp_path):
    empty = Recording((), np.arange(5) / 25, "coco17")
    shown = frames(animate_side_by_side([empty], ["nobody"], tmp_path / "a.gif"))
    assert share_of(shown[0], LEFT) == 0


def test_what_cannot_be_shown_is_refused(tmp_path):
    with pytest.raises(ShapeError, match="got 0 for 0"):
        animate_side_by_side([], [], tmp_path / "a.gif")
    with pytest.raises(ShapeError, match="got 2 for 1"):
        animate_side_by_side([walking()], ["a", "b"], tmp_path / "a.gif")
    (tmp_path / "a.gif").write_text("precious")
    with pytest.raises(OutputExistsError):
        animate_side_by_side([walking()], ["a"], tmp_path / "a.gif")
