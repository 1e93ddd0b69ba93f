"""Detector noise: drawn as it was measured, for any body, and from what ships."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from actions import swinging

from skelact.datasets.arrays import ClipArrays
from skelact.errors import ChoiceError, FileFormatError, LayoutError
from skelact.evaluation.clip_rows import track_of_rows
from skelact.evaluation.detector_noise import add_detector_noise, load_detector_noise
from skelact.evaluation.joint_corruptions import torso_lengths
from skelact.graph.layouts import get_layout
from skelact.presets import detector_noise_file


def standing_clip(frames=4000, layout="coco17") -> ClipArrays:
    """Somebody who hardly moves, for long."""
    arrays = ClipArrays.from_recordings([swinging("arms", 0, layout, frames=2)])
    joints = np.repeat(arrays.joints[:1], frames, axis=0)
    return replace(arrays, joints=joints, frame_index=np.arange(frames),
                   num_frames=np.array([frames]), track_offsets=np.array([0, frames]))


def moved(arrays, changed) -> np.ndarray:
    """``[S, N, 2]`` in % of the torso."""
    torso = torso_lengths(arrays)[track_of_rows(arrays)][:, None, None]
    return 100 * (changed.joints - arrays.joints)[..., :2] / torso


def quiet(**changes):
    """The shipped figures without misses and swaps."""
    noise = load_detector_noise()
    return replace(noise, missed=0 * noise.missed, swapped=0.0, **changes)


@pytest.mark.parametrize("times", [1, 2])
def test_distances_have_the_measured_distribution_at_every_joint(times):
    arrays, noise = standing_clip(20000), quiet(lasting_share=0.0)
    distances = np.abs(moved(arrays, add_detector_noise(arrays, times, 0, noise)))
    for level, wanted in zip(noise.levels, noise.quantiles.T, strict=True):
        found = (distances <= times * wanted[:, None]).mean(axis=(0, 2))
        np.testing.assert_allclose(found, level, atol=0.01)


def test_distances_last_as_long_as_was_measured():
    arrays, noise = standing_clip(8000), quiet(lasting_share=0.7, lasting_seconds=0.2)
    noise = replace(noise, levels=np.array([0.5, 0.9, 0.99]),
                    quantiles=np.tile([0.6745, 1.645, 2.576], (17, 1)))  # nearly normal
    steps = moved(arrays, add_detector_noise(arrays, 1, 0, noise))
    for lag in (1, 5, 10):
        found = np.mean(steps[lag:] * steps[:-lag]) / np.mean(steps**2)
        assert found == pytest.approx(0.7 * np.exp(-lag / 25 / 0.2), abs=0.04)


def test_joints_are_missed_and_sides_swapped_as_often_as_was_measured():
    arrays = standing_clip(40000)
    noise = replace(quiet(), quantiles=0 * quiet().quantiles, missed=np.linspace(0, 0.3, 17))
    gone = np.isnan(add_detector_noise(arrays, 2, 0, noise).joints).any(-1)
    np.testing.assert_allclose(gone.mean(axis=0), 2 * noise.missed, atol=0.02)
    noise = replace(noise, missed=0 * noise.missed, swapped=0.2, swapped_seconds=0.4)
    changed = add_detector_noise(arrays, 1, 0, noise).joints
    swapped = (changed != arrays.joints).any(axis=(1, 2))
    np.testing.assert_array_equal(changed[swapped],
                                  arrays.joints[swapped][:, arrays.layout.flip_order])
    assert swapped.mean() == pytest.approx(0.2, abs=0.03)
    bursts = ((~swapped[:-1]) & swapped[1:]).sum()
    assert swapped.sum() / bursts / 25 == pytest.approx(0.4, rel=0.25)


def test_figures_for_other_skeletons():
    noise = load_detector_noise()
    penn = noise.for_layout(get_layout("penn13"))
    for joint in ("left_wrist", "right_ankle"):
        np.testing.assert_array_equal(penn.quantiles[penn.layout.index(joint)],
                                      noise.quantiles[noise.layout.index(joint)])
    ears = [noise.layout.index(f"{side}_ear") for side in ("left", "right")]
    np.testing.assert_allclose(penn.quantiles[penn.layout.index("head")],
                               noise.quantiles[ears].mean(axis=0))
    feet = noise.for_layout(get_layout("mediapipe33"))
    np.testing.assert_allclose(feet.missed[feet.layout.index("left_heel")], noise.missed.mean())
    with pytest.raises(LayoutError):
        noise.for_layout(get_layout("hand21"))


def test_the_shipped_figures_are_those_of_real_estimators():
    noise = load_detector_noise()
    assert "yolo11n" in noise.detector
    assert "mediapipe" in noise.reference
    assert (np.diff(noise.levels) > 0).all()
    assert (np.diff(noise.quantiles, axis=1) > 0).all()
    wrist, shoulder = (noise.quantiles[noise.layout.index(f"left_{part}")].sum()
                       for part in ("wrist", "shoulder"))
    assert wrist > shoulder  # what moves is harder to find
    assert 0 <= noise.missed.max() < 0.5
    assert 0 < noise.lasting_share < 1


def test_figures_that_are_none(tmp_path):
    path = tmp_path / "noise.yaml"
    with pytest.raises(FileFormatError, match=r"noise\.yaml.*benchmarks/detector_noise"):
        load_detector_noise(path)
    text = detector_noise_file().read_text()
    path.write_text(text.replace("  nose:", "  snout:"))
    with pytest.raises(FileFormatError, match="nose"):
        load_detector_noise(path)


def test_solid_clips_get_no_picture_noise():
    arrays = standing_clip(3)
    with pytest.raises(ChoiceError, match="2-D data"):
        add_detector_noise(replace(arrays, dims=3, image_size=None), 1)


def test_what_is_drawn_is_what_the_benchmark_measures():
    """There and back: noise of known figures, measured as that of the videos was."""
    path = Path(__file__).parents[2] / "benchmarks" / "detector_noise.py"
    spec = importlib.util.spec_from_file_location("detector_noise_benchmark", path)
    benchmark = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = benchmark  # dataclasses look their module up
    spec.loader.exec_module(benchmark)

    arrays, noise = standing_clip(20000), load_detector_noise()
    noise = replace(noise, swapped=0.05, swapped_seconds=0.3, missed=np.linspace(0, 0.2, 17))
    seen = add_detector_noise(arrays, 1, 0, noise).joints
    seen = np.where(np.isnan(seen), np.float32([160, 100, 0]), seen)  # as YOLO says it
    stretch = benchmark.Stretch("made up", arrays.frame_index / 25, seen, arrays.joints,
                                torso_lengths(arrays)[0], (320, 200))
    found = benchmark.describe(benchmark.collect([stretch]))
    assert found["swapped"] == pytest.approx(0.05, abs=0.02)
    assert found["swapped_seconds"] == pytest.approx(0.3, rel=0.3)
    # of normal scores; a lasting part counts as its share of the variance
    assert found["lasting_share"] == pytest.approx(noise.lasting_share, abs=0.08)
    assert found["lasting_seconds"] == pytest.approx(noise.lasting_seconds, rel=0.2)
    for index, joint in enumerate(noise.layout.joints):
        figures = found["joints"][joint]
        assert figures["missed"] == pytest.approx(noise.missed[index], abs=0.02)
        np.testing.assert_allclose(figures["quantiles"][:4], noise.quantiles[index, :4], rtol=0.15)
