"""Noise as a real pose estimator makes it, from figures that were measured on videos.

The figures stand in ``configs/detector_noise/yolo11n.yaml`` (with what was measured on what);
``benchmarks/detector_noise.py`` measures them.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml
from scipy.signal import lfilter
from scipy.special import ndtr

from skelact.datasets.arrays import ClipArrays
from skelact.errors import ChoiceError, FileFormatError, LayoutError
from skelact.evaluation.clip_rows import clip_of_rows, track_of_rows
from skelact.evaluation.joint_corruptions import swap_rows, torso_lengths
from skelact.graph.layouts import Layout, get_layout
from skelact.presets import detector_noise_file
from skelact.transforms.remap import plan_remap


@dataclass(frozen=True, eq=False)
class DetectorNoise:
    """How far two estimators differ on the same person, without what stays constant.

    Args:
        detector: The estimator, with its weights.
        reference: What it was compared with.
        layout: The skeleton of the figures.
        levels: ``[Q]`` shares of the quantiles, rising, between 0 and 1.
        quantiles: ``[N, Q]`` of the distance along an axis, in % of the torso.
        missed: ``[N]`` chance of a joint to be missed in a frame.
        lasting_share: Share of the variance that lasts; the rest is new in every frame.
        lasting_seconds: For how long: its correlation falls by e in this time.
        swapped: Share of frames in which left and right have changed names.
        swapped_seconds: Mean length of such a swap.
    """

    detector: str
    reference: str
    layout: Layout
    levels: np.ndarray
    quantiles: np.ndarray
    missed: np.ndarray
    lasting_share: float
    lasting_seconds: float
    swapped: float
    swapped_seconds: float

    def for_layout(self, layout: Layout) -> "DetectorNoise":
        """The figures for another skeleton: those of the same joints, or of what derives them.

        A joint that nothing in the figures' skeleton fixes takes the mean of all.

        Raises:
            LayoutError: The skeletons have too little in common.
        """
        weights = plan_remap(self.layout, layout).weights.copy()
        weights[~weights.any(axis=1)] = 1
        weights /= weights.sum(axis=1, keepdims=True)
        return replace(self, layout=layout, quantiles=weights @ self.quantiles,
                       missed=weights @ self.missed)


@functools.cache
def load_detector_noise(path: str | Path | None = None) -> DetectorNoise:
    """Figures from a YAML file, by default those that ship with skelact.

    Raises:
        FileFormatError: The file is missing or does not hold such figures.
    """
    path = Path(path or detector_noise_file())
    try:
        facts = yaml.safe_load(path.read_text(encoding="utf-8"))
        layout = get_layout(facts["layout"])
        joints: Mapping = facts["joints"]
        return DetectorNoise(
            facts["detector"], facts["reference"], layout,
            np.array(facts["levels"], float),
            np.array([joints[name]["quantiles"] for name in layout.joints], float),
            np.array([joints[name]["missed"] for name in layout.joints], float),
            *(float(facts[name]) for name in ("lasting_share", "lasting_seconds", "swapped",
                                              "swapped_seconds")))
    except (OSError, ValueError, TypeError, KeyError, LayoutError, yaml.YAMLError) as error:
        raise FileFormatError(f"{path} does not hold figures of detector noise ({error!r}); "
                              "benchmarks/detector_noise.py writes them") from error


def add_detector_noise(
    arrays: ClipArrays, times: float, seed: int = 0, noise: DetectorNoise | None = None
) -> ClipArrays:
    """2-D joints as an estimator gives them: moved, missed, and sides swapped.

    Distances have the measured distribution, tails included (a Gaussian process through the
    measured quantiles), and its correlation in time; swaps last as long as measured.

    Args:
        arrays: 2-D clips of whole bodies.
        times: 1: distances and chances as measured; 2: twice these.
        seed: The source of chance.
        noise: The figures; by default those that ship with skelact.

    Raises:
        ChoiceError: The clips are 3-D: an estimator on pictures gives no depth.
        LayoutError: The skeleton is none of a body.
    """
    if arrays.dims != 2:
        raise ChoiceError("the noise was measured in pictures and says nothing of depth; measure "
                          "it on 2-D data")
    noise = (noise or load_detector_noise()).for_layout(arrays.layout)
    random = np.random.default_rng(seed)
    step = 1 / arrays.fps[clip_of_rows(arrays)]
    torso = (times / 100 * torso_lengths(arrays)).astype(np.float32)[track_of_rows(arrays)]
    process = _correlated(arrays, noise, step, random)
    joints = arrays.joints.copy()
    joints[..., :2] += torso[:, None, None] * _through_quantiles(process, noise)
    joints[random.random(joints.shape[:2], np.float32) < times * noise.missed] = np.nan
    swapped = _bursts(arrays, times * noise.swapped, noise.swapped_seconds, step, random)
    return swap_rows(replace(arrays, joints=joints), swapped)


def _correlated(
    arrays: ClipArrays, noise: DetectorNoise, step: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """``[S, N, 2]`` float32 standard normal, correlated in time within a track as measured."""
    shape = (*arrays.joints.shape[:2], 2)
    fresh = random.standard_normal(shape, np.float32)
    lasting = random.standard_normal(shape, np.float32)
    for start, stop in zip(arrays.track_offsets[:-1], arrays.track_offsets[1:], strict=True):
        if stop > start:
            keep = math.exp(-step[start] / noise.lasting_seconds)
            part = lasting[start:stop]
            part[1:] *= math.sqrt(1 - keep**2)  # so that the variance stays 1
            filters = np.float32([1]), np.float32([1, -keep])
            lasting[start:stop] = lfilter(*filters, part, axis=0)
    lasting *= math.sqrt(noise.lasting_share)
    fresh *= math.sqrt(1 - noise.lasting_share)
    return lasting + fresh


def _through_quantiles(process: np.ndarray, noise: DetectorNoise) -> np.ndarray:
    """Standard normal values ``[S, N, 2]`` to distances of the measured distribution."""
    share = 2 * ndtr(np.abs(process)) - 1
    levels, distances = np.concatenate([[0.0], noise.levels]), np.empty_like(share)
    for n, values in enumerate(noise.quantiles):
        distances[:, n] = np.interp(share[:, n], levels, np.concatenate([[0.0], values]))
    return np.copysign(distances, process)


def _bursts(
    arrays: ClipArrays, share: float, seconds: float, step: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    """``[S]`` bool: a share of the frames, in bursts of this mean length within a track."""
    if share <= 0:
        return np.zeros(len(step), bool)
    share = min(share, 1.0)
    new = random.random(len(step)) < np.minimum(step / seconds, 1)  # a state begins; drawn anew
    new[arrays.track_offsets[:-1][np.diff(arrays.track_offsets) > 0]] = True
    state = random.random(len(step)) < share
    return state[np.maximum.accumulate(np.where(new, np.arange(len(step)), 0))]
