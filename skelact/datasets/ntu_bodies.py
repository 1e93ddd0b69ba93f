"""The bodies of an NTU RGB+D capture, and the rules by which published code picks two of them.

A body is what the sensor gave one id. Some are tables and chairs, some are one person whom the
sensor lost and found again under another id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from skelact.datasets.readers.skeleton_file import RawCapture
from skelact.pose.recording import PoseTrack

SHORT = 11
"""A body of so many frames or fewer is noise where there are others."""
WIDE = 0.8
"""A frame is bad where the body spreads more along x than this times its spread along y."""
MOSTLY_WIDE = 0.69754
"""A body with this share of bad frames or more is noise where there are others."""


@dataclass(eq=False)
class Body:
    """One bodyID of a capture, and what a profile decided about it.

    Args:
        body_id: The sensor's id.
        frame_index: ``[F]`` int64, the true frames.
        points: ``[F, 25, 4]`` float32: x, y, z in metres, and the confidence of each joint.
        motion: Sum over x, y, z of the variance over all joints and frames, square metres.
        decision: ``kept``, ``merged`` (into a track that another body began) or ``dropped``.
        reason: Why, in words.
        track_id: The track that holds it.
    """

    body_id: int
    frame_index: np.ndarray = field(repr=False)
    points: np.ndarray = field(repr=False)
    motion: float
    decision: str = ""
    reason: str = ""
    track_id: int | None = None

    def __len__(self) -> int:
        return len(self.frame_index)

    def keep(self, track_id: int, reason: str, decision: str = "kept") -> None:
        """Note that the body is, or is part of, a track."""
        self.decision, self.reason, self.track_id = decision, reason, track_id

    def drop(self, reason: str) -> None:
        """Note that the body is left out."""
        self.decision, self.reason, self.track_id = "dropped", reason, None


def split_bodies(capture: RawCapture) -> list[Body]:
    """The bodies of a capture in the order in which the file first names them."""
    ids, first = np.unique(capture.body_ids, return_index=True)
    confidence = capture.tracking[..., None].astype(np.float32) / 2
    points = np.concatenate([capture.joints, confidence], axis=-1)
    bodies = []
    for body_id in ids[np.argsort(first)].tolist():
        rows = capture.body_ids == body_id
        motion = measure_motion(capture.joints[rows])
        bodies.append(Body(body_id, capture.frame_index[rows], points[rows], motion))
    return bodies


def measure_motion(joints: np.ndarray) -> float:
    """Sum over x, y, z of the variance over all joints and frames of ``[F, 25, 3]``."""
    places = joints.reshape(-1, 3)
    if (unknown := np.isnan(places).any(axis=1)).any():
        places = places[~unknown]
    # in the precision and order of the published code, so that near ties rank alike
    return float(np.var(places, axis=0).sum()) if len(places) else 0.0


def drop_placeless(bodies: Sequence[Body], tracked: bool = False) -> list[Body]:
    """The bodies of which some frame shows a joint; the others are marked as dropped.

    Args:
        bodies: In order.
        tracked: A joint must be tracked or inferred, not only have a place.
    """
    kept = []
    for body in bodies:
        missing = find_missing(body.points)
        if missing.all():
            body.drop("none of its joints has a place")
        elif tracked and (missing | (body.points[..., 3] == 0)).all():
            body.drop("none of its joints is tracked")
        else:
            kept.append(body)
    return kept


def drop_short(bodies: Sequence[Body]) -> list[Body]:
    """The bodies of more than 11 frames; the others are marked as dropped."""
    for body in bodies:
        if len(body) <= SHORT:
            body.drop(f"seen in {len(body)} frames; {SHORT} or fewer are noise")
    return [body for body in bodies if len(body) > SHORT]


def drop_wide(bodies: Sequence[Body], spare_last: bool = False) -> list[Body]:
    """The bodies whose shape is that of a person; the others are marked as dropped.

    The motion of a body that has some bad frames becomes that of its good frames, if less.

    Args:
        bodies: In order.
        spare_last: Never drop the only body that is left.
    """
    kept = list(bodies)
    for body in bodies:
        if spare_last and len(kept) == 1:
            break
        flat = np.ascontiguousarray(body.points[..., :2].transpose(1, 2, 0))
        spread = (np.fmax.reduce(flat) - np.fmin.reduce(flat)).T
        spread = spread.astype(np.float64)  # as the published comparison with 0.8 is made
        bad = ~(spread[:, 0] <= WIDE * spread[:, 1])
        if bad.mean() >= MOSTLY_WIDE:
            body.drop(f"wider than {WIDE} of its height in {bad.mean():.0%} of its frames")
            kept.remove(body)
        elif bad.any():
            body.motion = min(body.motion, measure_motion(body.points[~bad, :, :3]))
    return kept


def rank(bodies: Sequence[Body]) -> list[Body]:
    """Most motion first; equals in the order given."""
    return sorted(bodies, key=lambda body: -body.motion)


def place_in_two(bodies: Sequence[Body], frames: int, shared: int) -> np.ndarray:
    """Ranked bodies put one after another into two persons; ``[2, frames, 25, 4]``, 0 for nobody.

    A body joins the first person whose span it does not overlap; it overwrites what was there.

    Args:
        bodies: Ranked; ``frame_index`` in the frames of the result, without gaps.
        frames: Length of the result.
        shared: So many common frames are no overlap yet.
    """
    persons = np.zeros((2, frames, *bodies[0].points.shape[1:]), np.float32)
    spans, taken = [None, (0, 0)], [False, False]
    for body in bodies:
        start, end = int(body.frame_index[0]), int(body.frame_index[-1]) + 1
        for number, span in enumerate(spans):
            if span is None or min(span[1], end) - max(span[0], start) <= shared:
                persons[number, start:end] = body.points
                spans[number] = (start, end) if span is None else (
                    min(span[0], start), max(span[1], end))
                reason = f"motion {body.motion:.4f}, rank {bodies.index(body) + 1}"
                if taken[number]:
                    reason += f"; does not overlap what person {number + 1} holds"
                body.keep(number, reason, "merged" if taken[number] else "kept")
                taken[number] = True
                break
        else:
            body.drop("overlaps both persons, who move more")
    return persons


def close_gaps(bodies: Sequence[Body]) -> int:
    """Number the frames as the published code does; gives the number of frames with somebody.

    Frames without anybody are skipped, and a body's frames follow its first one without gaps.
    """
    seen = np.unique(np.concatenate([body.frame_index for body in bodies]))
    for body in bodies:
        start = np.searchsorted(seen, body.frame_index[0])
        body.frame_index = start + np.arange(len(body))
    return len(seen)


def make_track(
    track_id: int, points: np.ndarray, missing: np.ndarray, frame_index: np.ndarray
) -> list[PoseTrack]:
    """The track of ``[F, 25, 4]`` points over the frames that show a joint; none if none does.

    Args:
        track_id: Its id.
        points: x, y, z and confidence.
        missing: ``[F, 25]`` bool, the joint has no place.
        frame_index: ``[F]``.
    """
    shown = ~missing.all(axis=1)
    if not shown.any():
        return []
    points = points[shown].astype(np.float32)
    points[missing[shown]] = np.nan, np.nan, np.nan, 0
    points = np.ascontiguousarray(points.transpose(1, 2, 0))
    return [PoseTrack(track_id, points[:, :3], frame_index[shown], confidence=points[:, 3])]


def find_missing(points: np.ndarray) -> np.ndarray:
    """``[..., 25]`` bool for ``[..., 25, 4]``: no coordinates, or all of them zero."""
    x, y, z = np.moveaxis(points[..., :3], -1, 0)
    return ((x == 0) & (y == 0) & (z == 0)) | np.isnan(x + y + z)
