"""The protocol that every pose estimator follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from skelact.checks import check_shape
from skelact.errors import ShapeError
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

    @classmethod
    def none(cls, layout: Layout) -> "Detections":
        """Nobody, in a frame of this layout."""
        return cls(np.empty((0, layout.num_joints, 3), np.float32),
                   np.empty((0, 4), np.float32), np.empty(0, np.float32))


class PoseEstimator(Protocol):
    """Finds people and their joints in frames.

    Attributes:
        name: What it is, with its weights; goes into the pose file.
        layout: The skeleton that it gives.
        max_people: The most people it can find in a frame; None for no limit.
        batch_size: How many frames it takes at once at best.
        stateful: Whether what it finds in a frame depends on the frames before. Then `estimate`
            must see the frames in order, one call at a time, and `reset` parts the videos.
            (May be left out: False.)

    An estimator that works on less than the frame may also have ``prepare(image)``, called in the
    reading thread, and ``estimate_prepared(items)``, which takes what it gives: whole frames are
    then not kept (a 4K frame takes 25 MB).
    """

    name: str
    layout: Layout
    max_people: int | None
    batch_size: int
    stateful: bool

    def estimate(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """People in each of several ``[H, W, 3]`` uint8 RGB images of one size."""
        ...

    def reset(self) -> None:
        """Forget the frames seen so far; called before each video, may be left out."""
        ...


def check_images(images: Sequence[np.ndarray]) -> None:
    """Refuse what is not a sequence of ``[H, W, 3]`` uint8 images of one size.

    Raises:
        ShapeError: It is not.
    """
    for image in images:
        check_shape(image, ("H", "W", 3), "an image")
        if image.dtype != np.uint8:
            raise ShapeError(f"expected images of uint8 (0 to 255), got {image.dtype}")
    if len({image.shape for image in images}) > 1:
        sizes = ", ".join(sorted({"x".join(map(str, image.shape[:2])) for image in images}))
        raise ShapeError(f"expected images of one size, got {sizes}; pass them one size at a time")
