"""The protocol that every pose estimator follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from skelact.checks import check_shape
from skelact.graph.layouts import Layout


@dataclass(frozen=True, eq=False)
class Detections:
    """The people found in one frame; no identity yet.

    Args:
        joints: ``[M, N, 3]`` float32 x, y in pixels of the displayed frame, and confidence in
            [0, 1]. NaN coordinates where the estimator gives none.
        boxes: ``[M, 4]`` float32 x1, y1, x2, y2 in pixels.
        scores: ``[M]`` float32 confidence that this is a person.

    Raises:
        ShapeError: The axes do not match.
    """

    joints: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        people = len(self.scores)
        check_shape(self.scores, ("M",), "scores")
        check_shape(self.joints, (people, "N", 3), "joints of detections")
        check_shape(self.boxes, (people, 4), "boxes of detections")

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows) -> "Detections":
        """The people at ``rows`` (a slice, mask or list of indices)."""
        return Detections(self.joints[rows], self.boxes[rows], self.scores[rows])


class PoseEstimator(Protocol):
    """Finds people and their joints in frames.

    Attributes:
        name: What it is, with weights and device; goes into the pose file.
        layout: The skeleton that it gives.
        max_people: The most people it can find in a frame; None for no limit.
        batch_size: How many frames it takes at once at best.
    """

    name: str
    layout: Layout
    max_people: int | None
    batch_size: int

    def estimate(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """People in each of several ``[H, W, 3]`` uint8 RGB images of one size."""
        ...
