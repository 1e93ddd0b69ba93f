"""How two pose estimators differ on the same people: noise to test recognizers with.

Every frame of every video goes through YOLO and through MediaPipe; the YOLO person whose box is
MediaPipe's is compared with it, joint by joint in COCO's 17. Distances are in % of the torso
(median over the person's time). What stays constant for a joint and person, since the estimators
do not agree where a joint is, is taken out first (median). The rest is the noise of both together.

    python benchmarks/detector_noise.py VIDEO_FOLDER... --weights yolo11n-pose.pt -o noise.yaml

The output is what `skelact robustness` draws ``detector_noise`` from: that of the shared videos is
``configs/detector_noise/yolo11n.yaml``.
"""

import argparse
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from scipy.optimize import curve_fit
from scipy.stats import norm, rankdata
from tqdm import tqdm

from skelact.errors import VideoError
from skelact.graph.layouts import get_layout
from skelact.output import write_text
from skelact.pose.estimators.base import Detections
from skelact.pose.estimators.mediapipe import MediaPipeEstimator
from skelact.pose.estimators.yolo import YoloEstimator
from skelact.pose.extract import detect
from skelact.pose.similarity import box_iou
from skelact.pose.video import VideoReader
from skelact.transforms.remap import remap_joints

COCO = get_layout("coco17")
LEVELS = (0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
LAGS = (0.02, 0.04, 0.07, 0.1, 0.2, 0.3, 0.5)
"""Seconds at which the correlation in time is measured, each with its neighbourhood of 20 %."""
SAME_PERSON, SAME_TRACK = 0.5, 0.3
"""Least overlap of two boxes in one frame, and from a frame to the next."""
VISIBLE, FOUND, PERSON = 0.5, 0.1, 0.25
"""MediaPipe's visibility of a joint that is there to be found; YOLO's confidence of one that it
found (`ClipConfig.min_confidence`), and of a person."""
SWAPPED = 10.0
"""% of the torso by which joints fit better, in the mean, once left and right change names."""
PAIRS = [(COCO.index(f"left_{part}"), COCO.index(f"right_{part}"))
         for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]


@dataclass(frozen=True)
class Stretch:
    """One person whom both estimators see: ``[T, 17, 3]`` each, and ``[T]`` seconds."""

    video: str
    times: np.ndarray
    yolo: np.ndarray
    mediapipe: np.ndarray
    torso: float
    size: tuple[int, int]


def compare(path: Path, yolo: YoloEstimator, mediapipe: MediaPipeEstimator, most: int
            ) -> list[Stretch]:
    """The stretches of a video in which both estimators see the same person."""
    reader = VideoReader(path, stop=most)
    mediapipe.reset()
    runs, last = [], None
    ours = detect(reader, yolo)
    theirs = detect(VideoReader(path, stop=most), mediapipe)
    for (time, people), (_, person) in zip(ours, theirs, strict=True):
        row = _match(people, person)
        if row is None:
            last = None
            continue
        box = person.boxes[0]
        if last is None or box_iou(box[None], last[None])[0, 0] < SAME_TRACK:
            runs.append([])
        last = box
        found = remap_joints(person.joints[0][..., None], mediapipe.layout, COCO)[..., 0]
        runs[-1].append((time, people.joints[row], found))
    return [_stretch(path.name, run, reader.size) for run in runs if len(run) >= 10]


def _match(people: Detections, person: Detections) -> int | None:
    """Which of YOLO's people MediaPipe's person is."""
    sure = np.flatnonzero(people.scores >= PERSON)
    if not len(sure) or not len(person):
        return None
    overlap = box_iou(_joint_boxes(people.joints[sure]), _joint_boxes(person.joints))[:, 0]
    return int(sure[overlap.argmax()]) if overlap.max() >= SAME_PERSON else None


def _joint_boxes(joints: np.ndarray) -> np.ndarray:
    """``[M, 4]`` around the joints: the estimators do not mean the same by a person's box."""
    return np.concatenate([joints[..., :2].min(1), joints[..., :2].max(1)], axis=1)


def _stretch(video: str, run: list, size: tuple[int, int]) -> Stretch:
    times, yolo, mediapipe = (np.array(part) for part in zip(*run, strict=True))
    middles = [(joints[:, [5, 6], :2].mean(1), joints[:, [11, 12], :2].mean(1))
               for joints in (yolo, mediapipe)]
    torso = np.median([np.linalg.norm(a - b, axis=-1) for a, b in middles])
    return Stretch(video, times, yolo, mediapipe, float(torso), size)


@dataclass(frozen=True)
class Differences:
    """Of all stretches together, frames ``[F]`` one after another.

    Args:
        residual: ``[F, 17, 2]`` in % of the torso, without what stays; NaN where either lacks the
            joint or sides are swapped.
        there: ``[F, 17]`` bool, MediaPipe sees the joint.
        missed: ``[F, 17]`` bool, and YOLO does not.
        swapped: ``[F]`` bool, sides are swapped.
        times: ``[F]`` seconds.
        stretch: ``[F]`` number of the stretch.
    """

    residual: np.ndarray
    there: np.ndarray
    missed: np.ndarray
    swapped: np.ndarray
    times: np.ndarray
    stretch: np.ndarray


def collect(stretches: list[Stretch]) -> Differences:
    """What the two estimators say differently."""
    parts = []
    for number, one in enumerate(stretches):
        step = 100 * (one.yolo[..., :2] - one.mediapipe[..., :2]) / one.torso
        inside = ((one.mediapipe[..., :2] >= 0) & (one.mediapipe[..., :2] < one.size)).all(-1)
        there = inside & (one.mediapipe[..., 2] >= VISIBLE)
        missed = there & (one.yolo[..., 2] < FOUND)
        left, right = map(list, zip(*PAIRS, strict=True))
        straight = np.linalg.norm(step[:, left + right], axis=-1).mean(1)
        crossed = 100 * np.linalg.norm(one.yolo[:, left + right, :2]
                                       - one.mediapipe[:, right + left, :2], axis=-1).mean(1)
        swapped = straight - crossed / one.torso > SWAPPED
        step[~there | missed | swapped[:, None]] = np.nan
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a joint that is never there
            step = step - np.nanmedian(step, axis=0)
        parts.append((step, there, missed, swapped, one.times, np.full(len(step), number)))
    return Differences(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def correlate(found: Differences) -> dict[float, float]:
    """Lag in seconds -> correlation of the normal scores of the residuals."""
    scores = np.full_like(found.residual, np.nan)
    for joint in range(COCO.num_joints):
        for axis in range(2):
            values = found.residual[:, joint, axis]
            known = np.isfinite(values)
            scores[known, joint, axis] = norm.ppf((rankdata(values[known]) - 0.5) / known.sum())
    pairs: dict[float, list] = {lag: [] for lag in LAGS}
    for step in range(1, 40):
        apart = found.times[step:] - found.times[:-step]
        same = found.stretch[step:] == found.stretch[:-step]
        for lag in LAGS:
            rows = np.flatnonzero(same & (np.abs(apart - lag) <= 0.2 * lag))
            pair = np.stack([scores[rows].ravel(), scores[rows + step].ravel()])
            pairs[lag].append(pair[:, np.isfinite(pair).all(axis=0)])
    joined = {lag: np.concatenate(parts, axis=1) for lag, parts in pairs.items()}
    return {lag: float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))
            for lag, (a, b) in joined.items() if len(a) > 1000}


def fit_correlation(correlation: dict[float, float]) -> tuple[float, float]:
    """Share of the variance that lasts, and for how many seconds: share exp(-lag / seconds)."""
    lags, values = map(np.array, zip(*correlation.items(), strict=True))
    share, seconds = curve_fit(lambda lag, share, seconds: share * np.exp(-lag / seconds), lags,
                               values, p0=(0.8, 0.3), bounds=([0, 0.01], [1, 10]))[0]
    return float(share), float(seconds)


def swap_lengths(found: Differences) -> tuple[float, int]:
    """Mean seconds of a swap, and how many there are."""
    starts = found.swapped & ~(np.roll(found.swapped, 1) & (found.stretch
                                                            == np.roll(found.stretch, 1)))
    number = int(starts.sum())
    frame = np.median(np.diff(found.times)[np.diff(found.stretch) == 0])
    return float(found.swapped.sum() * frame / max(number, 1)), number


def describe(found: Differences) -> dict:
    """The figures, as the YAML file holds them."""
    share, seconds = fit_correlation(correlate(found))
    joints = {}
    for joint, name in enumerate(COCO.joints):
        values = np.abs(found.residual[:, joint][np.isfinite(found.residual[:, joint]).all(-1)])
        joints[name] = {
            "quantiles": [round(float(q), 2) for q in np.quantile(values, LEVELS)],
            "missed": round(float(found.missed[:, joint].sum()
                                  / max(found.there[:, joint].sum(), 1)), 4),
        }
    return {"levels": list(LEVELS), "lasting_share": round(share, 3),
            "lasting_seconds": round(seconds, 3), "swapped": round(float(found.swapped.mean()), 4),
            "swapped_seconds": round(swap_lengths(found)[0], 3), "joints": joints}


def report(found: Differences, stretches: list[Stretch]) -> None:
    """Print figures and conditions."""
    for video in dict.fromkeys(one.video for one in stretches):
        own = [one for one in stretches if one.video == video]
        print(f"{video:32} {sum(len(o.times) for o in own):5} frames in {len(own):2} stretches, "
              f"torso {np.median([o.torso for o in own]):5.0f} px")
    print("correlation in time: " + ", ".join(f"{lag:g} s {value:.2f}"
                                              for lag, value in correlate(found).items()))
    print(f"swapped: {found.swapped.mean():.2%} of frames in {swap_lengths(found)[1]} swaps")
    print(f"{'joint':16} frames  robust sd %  kurtosis  missed")
    for joint, name in enumerate(COCO.joints):
        values = found.residual[:, joint][np.isfinite(found.residual[:, joint]).all(-1)]
        spread = np.median(np.abs(values)) / 0.6745
        tails = (values**4).mean() / (values**2).mean() ** 2
        print(f"{name:16} {len(values):6} {spread:12.2f} {tails:9.1f} "
              f"{found.missed[:, joint].sum() / max(found.there[:, joint].sum(), 1):7.2%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path, nargs="+", help="files, or folders of them")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=400, help="most frames of a video")
    parser.add_argument("--least-torso", type=float, default=20.0, help="pixels")
    parser.add_argument("-o", "--output", type=Path, help="the YAML file to write")
    arguments = parser.parse_args()
    logging.getLogger("skelact").setLevel(logging.ERROR)  # awkward videos are meant to be

    yolo, mediapipe = YoloEstimator(arguments.weights, "cpu"), MediaPipeEstimator()
    paths = [path for given in arguments.videos
             for path in (sorted(given.iterdir()) if given.is_dir() else [given])
             if path.suffix in (".mp4", ".avi", ".mkv", ".mov", ".webm")]
    stretches = []
    for path in tqdm(paths, unit=" videos", disable=None):
        try:
            stretches += compare(path, yolo, mediapipe, arguments.frames)
        except VideoError as error:
            print(f"{path.name}: {error}")
    stretches = [one for one in stretches if one.torso >= arguments.least_torso]
    found = collect(stretches)
    print(f"{yolo.name} against {mediapipe.name}")
    report(found, stretches)
    if arguments.output:
        videos = len({one.video for one in stretches})
        facts = {"detector": yolo.name, "reference": mediapipe.name, "layout": COCO.name,
                 "videos": videos, "frames": len(found.times)}
        write_text(arguments.output, yaml.safe_dump(facts | describe(found), sort_keys=False,
                                                    default_flow_style=None), overwrite=True)


if __name__ == "__main__":
    main()
