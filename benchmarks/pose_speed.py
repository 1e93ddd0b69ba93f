"""Speed of the pose stage against Ultralytics' own ``model.track()``, and equality of keypoints.

One process, one video; the three runs take turns, so that a busy machine hits all alike. Figures
are medians over the rounds, ratios are medians of the ratios within a round.

    python benchmarks/pose_speed.py VIDEO --weights yolo11n-pose.pt --rounds 5
"""

import argparse
import itertools
import os
import platform
import statistics
import time
from pathlib import Path

import numpy as np
import torch

from skelact.pose.estimators.yolo import YoloEstimator, _count_cores
from skelact.pose.extract import detect, extract
from skelact.pose.video import VideoReader


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, help="use the first so many frames only")
    arguments = parser.parse_args()

    estimator = YoloEstimator(arguments.weights, arguments.device)  # settles the environment
    from ultralytics import YOLO
    from ultralytics.utils import NUM_THREADS

    model, cores = YOLO(arguments.weights), _count_cores()
    options = {"stream": True, "verbose": False, "save": False, "device": arguments.device}

    def track(threads: int) -> int:
        torch.set_num_threads(threads)
        results = model.track(str(arguments.video), **options)
        return sum(1 for _ in itertools.islice(results, arguments.frames))

    runs = {
        f"model.track(), its own {NUM_THREADS} thread(s)": lambda: track(NUM_THREADS),
        f"model.track(), torch on {cores} threads": lambda: track(cores),
        "skelact extract()": lambda: extract(arguments.video, estimator,
                                             stop=arguments.frames).num_frames,
    }
    print_conditions(arguments, estimator, cores)
    reader = VideoReader(arguments.video, stop=arguments.frames)
    difference = compare_keypoints(model, estimator, reader, options)
    print(f"largest keypoint difference from model.predict(): {difference:.4f} px")
    speeds = measure(runs, arguments.rounds)
    print_speeds(speeds)
    if hasattr(os, "getloadavg"):
        print(f"load {os.getloadavg()[0]:.1f} afterwards")


def measure(runs: dict, rounds: int) -> dict[str, list[float]]:
    """Frames a second of every run in every round, after one round to warm up."""
    speeds = {name: [] for name in runs}
    for turn in range(rounds + 1):
        order = list(runs)[turn % len(runs):] + list(runs)[: turn % len(runs)]
        for name in order:
            began = time.perf_counter()
            frames = runs[name]()
            if turn:
                speeds[name].append(frames / (time.perf_counter() - began))
    return speeds


def compare_keypoints(model, estimator: YoloEstimator, reader: VideoReader, options: dict
                      ) -> float:
    """Largest distance in pixels, over all frames, of the same person's joints."""
    torch.set_num_threads(1)
    theirs = model.predict(str(reader.path), conf=estimator.min_score, **options)
    worst, number = 0.0, -1
    for number, ((_, people), result) in enumerate(zip(detect(reader, estimator), theirs,
                                                       strict=False)):
        joints = result.keypoints.data.cpu().numpy()
        if len(joints) != len(people):
            raise SystemExit(f"frame {number}: {len(joints)} people against {len(people)}")
        if len(people):
            step = np.linalg.norm(joints[..., :2] - people.joints[..., :2], axis=-1)
            worst = max(worst, float(step.max()))
    if number + 1 != reader.report.decoded:
        raise SystemExit(f"{reader.report.decoded} frames against {number + 1}")
    return worst


def print_conditions(arguments, estimator: YoloEstimator, cores: int) -> None:
    import ultralytics

    reader = VideoReader(arguments.video)
    device = (torch.cuda.get_device_name() if arguments.device.startswith("cuda")
              else f"{platform.processor() or platform.machine()}, {cores} cores")
    load = f", load {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else ""
    print(f"{arguments.video.name}, {reader.size[0]}x{reader.size[1]}, "
          f"{arguments.frames or reader.expected_frames} frames; "
          f"{arguments.weights.name}; {device}{load}; "
          f"torch {torch.__version__}, ultralytics {ultralytics.__version__}; "
          f"batch {estimator.batch_size}; {arguments.rounds} rounds")


def print_speeds(speeds: dict[str, list[float]]) -> None:
    ours = list(speeds)[-1]
    for name, values in speeds.items():
        line = f"{name:<40}{statistics.median(values):7.1f} fps"
        if name != ours:
            ratios = [a / b for a, b in zip(speeds[ours], values, strict=True)]
            line += (f"   skelact is {statistics.median(ratios):.2f}x as fast "
                     f"({min(ratios):.2f} to {max(ratios):.2f})")
        print(line)


if __name__ == "__main__":
    main()
