"""A world of bright rectangles that walk, and an estimator that sees them: no model needed."""

import threading
from pathlib import Path

import numpy as np
from videos import make_video

from skelact.graph.layouts import get_layout
from skelact.pose.estimators.base import Detections

SIZE = (160, 96)  # width, height
BODY = (16, 48)


def dots_video(path: Path, frames: int = 12, starts=(10, 100), step: float = 2.0, fps: float = 25.0,
               times=None, hidden=()) -> Path:
    """Rectangles that walk right from the x of ``starts``; none in the ``hidden`` frames."""
    images = []
    for i in range(frames):
        image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        for start in () if i in hidden else starts:
            left = round(start + i * step)
            image[24 : 24 + BODY[1], left : left + BODY[0]] = 255
        images.append(image)
    return make_video(path, images, fps, times)


class DotEstimator:
    """Sees every bright rectangle as a person whose joints lie evenly in the box."""

    name = "dots"
    max_people = None

    def __init__(self, batch_size: int = 5, stateful: bool = False, layout: str = "coco17"):
        self.layout = get_layout(layout)
        self.batch_size, self.stateful = batch_size, stateful
        self.batches: list[int] = []
        self.resets = 0
        self.most_at_once = self._at_once = 0
        self._lock = threading.Lock()

    def estimate(self, images) -> list[Detections]:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self.batches.append(len(images))
        try:
            return [self._detect(image) for image in images]
        finally:
            with self._lock:
                self._at_once -= 1

    def reset(self) -> None:
        self.resets += 1

    def _detect(self, image: np.ndarray) -> Detections:
        bright = np.flatnonzero((image[..., 0] > 128).sum(axis=0) > 8)
        runs = np.split(bright, np.flatnonzero(np.diff(bright) > 1) + 1) if len(bright) else []
        boxes = np.array([(run[0], 24, run[-1] + 1, 24 + BODY[1]) for run in runs], np.float32)
        boxes = boxes.reshape(-1, 4)
        share = np.linspace(0, 1, self.layout.num_joints, dtype=np.float32)[None, :, None]
        spots = boxes[:, None, :2] + share * (boxes[:, None, 2:] - boxes[:, None, :2])
        joints = np.concatenate([spots, np.full_like(spots[..., :1], 0.9)], axis=2)
        return Detections(joints, boxes, np.full(len(boxes), 0.9, np.float32))
