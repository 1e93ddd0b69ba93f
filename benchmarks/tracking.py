"""Identities: skelact's tracker against Ultralytics' ByteTrack and BoT-SORT.

Same process, same detections (YOLO, scores from 0.1 on) for all; their defaults, ours. Truth are
the people annotated on every tenth frame in ``tests/pose/identities.json``. Tracks of the
Ultralytics trackers take the boxes of the detections they name, not their smoothed ones, so that
only identity is compared. A stride drops frames, so the same people come at fewer frames a second.

    python benchmarks/tracking.py VIDEO_FOLDER --weights yolo11n-pose.pt --strides 1 2 5
"""

import argparse
import json
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from skelact.evaluation.identity import evaluate_identities, frames_of
from skelact.pose.estimators.base import Detections
from skelact.pose.estimators.yolo import YoloEstimator
from skelact.pose.extract import detect
from skelact.pose.recording import PoseTrack
from skelact.pose.tracking import Tracker
from skelact.pose.video import VideoReader

ANNOTATION = Path(__file__).parents[1] / "tests" / "pose" / "identities.json"
COLUMNS = (f"{'video':26s} stride  tracker           IDF1  switches  fragments  misses  "
           "false  tracks  ms/frame")


class Clip:
    """The detections of a video, with what is needed to track them."""

    def __init__(self, path: Path, estimator: YoloEstimator):
        reader = VideoReader(path)
        found = list(detect(reader, estimator))
        self.path, self.size = path, reader.size
        self.times = [seconds for seconds, _ in found]
        self.people = [people for _, people in found]

    def frames(self, stride: int, pixels: bool = False) -> Iterator[tuple]:
        """Index, time, detections, and the BGR image where asked for."""
        images = (frame.image for frame in VideoReader(self.path)) if pixels else None
        for index, (seconds, people) in enumerate(zip(self.times, self.people, strict=True)):
            image = np.ascontiguousarray(next(images)[..., ::-1]) if pixels else None
            if index % stride == 0:
                yield index, seconds, people, image


class UltralyticsInput:
    """Detections in the form that Ultralytics' trackers read."""

    def __init__(self, boxes: np.ndarray, scores: np.ndarray):
        self.xyxy, self.conf, self.cls = boxes, scores, np.zeros(len(scores))
        self.xywh = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2,
                                    boxes[:, 2:] - boxes[:, :2]], axis=1)

    def __getitem__(self, rows) -> "UltralyticsInput":
        return UltralyticsInput(self.xyxy[rows], self.conf[rows])

    def __len__(self) -> int:
        return len(self.conf)


def track_ours(clip: Clip, stride: int) -> tuple[list[PoseTrack], float]:
    """Tracks, and CPU milliseconds a frame."""
    tracker, spent = Tracker("coco17", clip.size), []
    for index, seconds, people, _ in clip.frames(stride):
        start = time.thread_time()
        tracker.update(people, index, seconds)
        spent.append(time.thread_time() - start)
    return tracker.finish(), 1e3 * np.mean(spent)


def track_ultralytics(clip: Clip, stride: int, name: str, camera_motion: str = "none"):
    """Tracks of ``bytetrack`` or ``botsort``, and CPU milliseconds a frame."""
    from ultralytics.trackers import BOTSORT, BYTETracker
    from ultralytics.utils import YAML, IterableSimpleNamespace
    from ultralytics.utils.checks import check_yaml

    options = YAML.load(check_yaml(f"{name}.yaml"))
    options["gmc_method"] = camera_motion
    tracker = {"bytetrack": BYTETracker, "botsort": BOTSORT}[name](
        IterableSimpleNamespace(**options)
    )
    rows: dict[int, list[tuple[int, np.ndarray]]] = {}
    spent = []
    for index, _, people, image in clip.frames(stride, pixels=camera_motion != "none"):
        start = time.thread_time()
        tracked = tracker.update(UltralyticsInput(people.boxes, people.scores), image)
        spent.append(time.thread_time() - start)
        for row in tracked:
            rows.setdefault(int(row[4]), []).append((index, people.boxes[int(row[7])]))
    tracks = [
        PoseTrack(track_id, np.zeros((17, 3, len(seen))), [index for index, _ in seen],
                  np.stack([box for _, box in seen], axis=1))
        for track_id, seen in rows.items()
    ]
    return tracks, 1e3 * np.mean(spent)


TRACKERS: dict[str, Callable] = {
    "skelact": track_ours,
    "ByteTrack": lambda clip, stride: track_ultralytics(clip, stride, "bytetrack"),
    "BoT-SORT": lambda clip, stride: track_ultralytics(clip, stride, "botsort"),
    "BoT-SORT+flow": lambda clip, stride: track_ultralytics(
        clip, stride, "botsort", "sparseOptFlow"
    ),
}


def score(tracks: list[PoseTrack], annotation: dict, stride: int) -> dict:
    """Identity metrics on the annotated frames that the stride keeps."""
    frames = {int(i): f for i, f in annotation["frames"].items() if int(i) % stride == 0}
    truth = [
        (list(f["people"]), np.array(list(f["people"].values()), float).reshape(-1, 4))
        for f in frames.values()
    ]
    ignored = [f.get("ignore", []) for f in frames.values()]
    return evaluate_identities(truth, frames_of(tracks, frames), ignored)


def measure_cost(people: int, frames: int = 300) -> float:
    """Median CPU milliseconds of an update with so many people walking about at 25 fps."""
    rng = np.random.default_rng(0)
    tracker = Tracker("coco17", (1920, 1080))
    shape = rng.uniform(-1, 1, (17, 2)) * [30, 90]
    where, speed = rng.uniform(200, 900, (people, 2)), rng.normal(0, 40, (people, 2))
    spent = []
    for i in range(frames):
        joints = np.empty((people, 17, 3), np.float32)
        joints[..., :2] = where[:, None] + shape + rng.normal(0, 2, (people, 17, 2))
        joints[..., 2] = 0.8
        boxes = np.concatenate([joints[..., :2].min(1) - 5, joints[..., :2].max(1) + 5], axis=1)
        found = Detections(joints, boxes, rng.uniform(0.3, 0.9, people).astype(np.float32))
        start = time.thread_time()
        tracker.update(found, i, i / 25)
        spent.append(time.thread_time() - start)
        where += speed / 25
    return 1e3 * float(np.median(spent))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--strides", type=int, nargs="+", default=[1])
    parser.add_argument("--only", nargs="+", help="names of videos; by default all annotated")
    arguments = parser.parse_args()

    estimator = YoloEstimator(arguments.weights, "cpu")
    annotations = json.loads(ANNOTATION.read_text())["videos"]
    names = arguments.only or list(annotations)
    print(f"{platform.processor() or platform.machine()}, {estimator.name}")
    for people in (1, 3, 20):
        print(f"skelact tracker, {people} people: {measure_cost(people):.2f} ms CPU a frame")
    print(COLUMNS)
    results: dict[tuple[int, str], list[dict]] = {}
    for name in names:
        clip = Clip(arguments.videos / name, estimator)
        for stride in arguments.strides:
            for tracker, run in TRACKERS.items():
                tracks, cost = run(clip, stride)
                result = score(tracks, annotations[name], stride)
                results.setdefault((stride, tracker), []).append(result)
                print(f"{name:26s} {stride:6d}  {tracker:14s} {result['idf1']:7.3f} "
                      f"{result['switches']:9d} {result['fragments']:10d} {result['misses']:7d} "
                      f"{result['false_positives']:6d} {len(tracks):7d} {cost:9.2f}", flush=True)
    print("mean IDF1, total switches, total fragments over the videos")
    for (stride, tracker), rows in sorted(results.items(), key=lambda item: item[0][0]):
        print(f"{'':26s} {stride:6d}  {tracker:14s} {np.mean([r['idf1'] for r in rows]):7.3f} "
              f"{sum(r['switches'] for r in rows):9d} {sum(r['fragments'] for r in rows):10d}")


if __name__ == "__main__":
    main()
