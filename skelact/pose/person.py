"""One person being followed: what was seen, and where that person should be next."""

import math
from dataclasses import dataclass, field

import numpy as np

from skelact.pose.estimators.base import Detections
from skelact.pose.recording import PoseTrack

SURE = 0.3
"""Joints of at least this confidence tell how the body moves."""


@dataclass(eq=False)
class Person:
    """Someone whom a tracker follows; an identity is given once confirmed.

    Args:
        born: Time of the first sight, in seconds.
        born_at: How many frames the tracker had taken before.
    """

    born: float
    born_at: int
    track_id: int | None = None
    seen: float = -math.inf  # seconds
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))  # pixels a second
    frames: list[int] = field(default_factory=list)
    joints: list[np.ndarray] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def see(self, found: Detections, row: int, frame: int, time: float, memory: float) -> None:
        """Take a detection as this person's; ``memory`` seconds average the velocity."""
        joints = np.array(found.joints[row], np.float32)
        box = np.array(found.boxes[row], np.float32)
        if self.frames:
            gap = time - self.seen
            step = displacement(self.joints[-1], joints, self.boxes[-1], box)
            self.velocity = self.velocity - math.expm1(-gap / memory) * (step / gap - self.velocity)
        self.frames.append(int(frame))
        self.joints.append(joints)
        self.boxes.append(box)
        self.scores.append(float(found.scores[row]))
        self.seen = time

    def joint_confidence(self) -> float:
        """Mean confidence of the surest third of joints, over all frames seen."""
        confidence = np.sort(np.nan_to_num(np.stack(self.joints)[:, :, 2]), axis=1)
        return float(confidence[:, -max(1, confidence.shape[1] // 3) :].mean())

    def to_track(self) -> PoseTrack:
        """The frames seen; those between them are left out."""
        return PoseTrack(
            track_id=self.track_id,
            joints=np.stack(self.joints, axis=-1),
            frame_index=np.array(self.frames),
            boxes=np.stack(self.boxes, axis=-1),
        )


@dataclass(frozen=True, eq=False)
class Outlook:
    """Where P people were last and should be now.

    Args:
        joints: ``[P, N, 3]`` at the last sight.
        boxes: ``[P, 4]`` at the last sight.
        shift: ``[P, 2]`` pixels that each should have moved since.
        gaps: ``[P]`` seconds since.
        speed: ``[P]`` pixels a second.
    """

    joints: np.ndarray
    boxes: np.ndarray
    shift: np.ndarray
    gaps: np.ndarray
    speed: np.ndarray

    def moved(self) -> tuple[np.ndarray, np.ndarray]:
        """Joints and boxes shifted on."""
        joints = self.joints.copy()
        joints[..., :2] += self.shift[:, None]
        return joints, self.boxes + np.tile(self.shift, 2)


def look_ahead(people: list[Person], time: float, coasting: float) -> Outlook:
    """Constant velocity that fades within ``coasting`` seconds (people out of sight stop)."""
    gaps = np.array([time - person.seen for person in people])
    velocity = np.stack([person.velocity for person in people])
    return Outlook(
        joints=np.stack([person.joints[-1] for person in people]).astype(np.float64),
        boxes=np.stack([person.boxes[-1] for person in people]).astype(np.float64),
        shift=velocity * (-coasting * np.expm1(-gaps / coasting))[:, None],
        gaps=gaps,
        speed=np.hypot(*velocity.T),
    )


def displacement(old_joints, new_joints, old_box, new_box) -> np.ndarray:
    """``[2]`` pixels that the body moved: the median joint, so that a waving arm counts little."""
    sure = (old_joints[:, 2] >= SURE) & (new_joints[:, 2] >= SURE)
    steps = (new_joints - old_joints)[sure, :2]
    steps = steps[np.isfinite(steps).all(axis=1)]
    if len(steps) >= 3:
        return np.median(steps, axis=0).astype(np.float64)
    boxes = np.stack([old_box, new_box]).astype(np.float64)
    return np.diff(box_centre(boxes), axis=0)[0]


def box_centre(boxes: np.ndarray) -> np.ndarray:
    """``[P, 2]`` middle of each box."""
    return 0.5 * (boxes[:, :2] + boxes[:, 2:])


def body_size(boxes: np.ndarray) -> np.ndarray:
    """``[P]`` longer side of each box in pixels: about a body height, also lying down."""
    return np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
