"""Where people are at a time, and where to put them on a canvas."""

from dataclasses import dataclass

import numpy as np

from skelact.pose.recording import PoseTrack, Recording


@dataclass(frozen=True, eq=False)
class People:
    """Everyone at one time.

    Args:
        ids: Track ids, M of them.
        joints: ``[M, N, 3]`` float32, as in the recording.
        boxes: ``[M, 4]`` float32 pixels; NaN where the track has none.
        confidence: ``[M, N]`` float32, of 3-D joints too; 1 where the track has none.
    """

    ids: list[int]
    joints: np.ndarray
    boxes: np.ndarray
    confidence: np.ndarray


class Scene:
    """A recording, to be asked for its people at any time.

    Between two of its frames (a video drawn on at more frames than were analysed) people are
    interpolated, if both frames have them.

    Args:
        recording: The people.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        steps = np.diff(recording.timestamps)
        self._step = float(np.median(steps)) if len(steps) else 1.0 / recording.fps
        # A frame belongs to its time stamp even when the two were rounded differently.
        self._slack = min(1e-3, self._step / 4)

    def at(self, time: float) -> People:
        """The people at ``time`` seconds; none before, after and in gaps of the recording."""
        times = self.recording.timestamps
        after = int(np.searchsorted(times, time - self._slack))
        if after < len(times) and times[after] <= time + self._slack:
            return self._blend(after, after, 0.0)
        if 0 < after < len(times):
            gap = times[after] - times[after - 1]
            if gap <= 1.5 * self._step:
                return self._blend(after - 1, after, (time - times[after - 1]) / gap)
        return self._blend(-1, -1, 0.0)

    def _blend(self, first: int, second: int, share: float) -> People:
        ids, joints, boxes, sure = [], [], [], []
        for track in self.recording.tracks:
            a, b = _column(track.frame_index, first), _column(track.frame_index, second)
            if a is None or b is None:
                continue
            box = np.full((4, len(track)), np.nan) if track.boxes is None else track.boxes
            ids.append(track.track_id)
            joints.append(_mix(track.joints[..., a], track.joints[..., b], share))
            boxes.append(_mix(box[:, a], box[:, b], share))
            sure.append(_mix(*self._confidence(track, [a, b]).T, share))
        count = self.recording.layout.num_joints
        shapes = ((count, 3), (4,), (count,))
        return People(ids, *(np.array(rows, np.float32).reshape(len(ids), *shape)
                             for rows, shape in zip((joints, boxes, sure), shapes, strict=True)))

    def _confidence(self, track: PoseTrack, columns: list[int]) -> np.ndarray:
        if self.recording.dims == 2:
            return track.joints[:, 2, columns]
        if track.confidence is not None:
            return track.confidence[:, columns]
        return np.ones((len(track.joints), len(columns)), np.float32)


class View:
    """Maps the joints of a recording to the pixels of a canvas that shows everyone.

    2-D recordings keep their image: the whole of it, or under ``crop`` the part where people
    are. 3-D ones are seen from the front, a little from the side and from above.

    Args:
        recording: The people.
        longest: Pixels of the canvas' longer side (2-D images are never enlarged beyond
            ``enlarge`` times).
        crop: Leave out the parts of the image in which nobody is.
        enlarge: The most by which to enlarge a 2-D image.

    Attributes:
        size: (width, height) of the canvas in pixels, both even.
        window: (left, top, right, bottom), the part of the source that it shows.
    """

    def __init__(self, recording: Recording, longest: int = 640, crop: bool = False,
                 enlarge: float = 8.0) -> None:
        self._dims = recording.dims
        points = self._flat(np.concatenate(
            [t.joints.transpose(2, 0, 1).reshape(-1, 3) for t in recording.tracks]
            or [np.zeros((0, 3), np.float32)]
        ))
        self.window = _window(points, recording, crop)
        left, top, right, bottom = self.window
        scale = longest / max(right - left, bottom - top)
        self.scale = min(scale, enlarge) if recording.dims == 2 else scale
        width, height = (max(16, round(side * self.scale)) for side in (right - left, bottom - top))
        self.size = (width + width % 2, height + height % 2)

    def __call__(self, joints: np.ndarray) -> np.ndarray:
        """``[M, N, 3]`` joints of the recording as x, y in canvas pixels and confidence."""
        placed = np.empty_like(joints, dtype=np.float32)
        placed[..., :2] = (self._flat(joints)[..., :2] - self.window[:2]) * self.scale
        placed[..., 2] = joints[..., 2] if self._dims == 2 else 1.0
        return placed

    def _flat(self, joints: np.ndarray) -> np.ndarray:
        return project(joints) if self._dims == 3 else joints


def project(joints: np.ndarray, turn: float = 20.0, tilt: float = 10.0) -> np.ndarray:
    """3-D joints as seen from the sensor, in metres with y down.

    Args:
        joints: ``[..., 3]`` x, y, z; y up, z away from the sensor, right-handed.
        turn: Degrees by which the scene is turned around the vertical.
        tilt: Degrees by which the viewer looks down.

    Returns:
        ``[..., 2]`` x to the right, y down.
    """
    turn, tilt = np.deg2rad([turn, tilt])
    x, y, z = np.moveaxis(np.asarray(joints, np.float32), -1, 0)
    depth = np.cos(turn) * z + np.sin(turn) * x
    side = np.sin(turn) * z - np.cos(turn) * x
    return np.stack([side, -(np.cos(tilt) * y + np.sin(tilt) * depth)], axis=-1)


def _column(frame_index: np.ndarray, frame: int) -> int | None:
    at = int(np.searchsorted(frame_index, frame))
    return at if at < len(frame_index) and frame_index[at] == frame else None


def _mix(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    return first if share == 0 else (first + np.float32(share) * (second - first))


def _window(points: np.ndarray, recording: Recording, crop: bool) -> np.ndarray:
    """The part of the plane to show, as left, top, right, bottom."""
    if recording.image_size is not None and not crop:
        return np.array([0.0, 0.0, *recording.image_size])
    points = points[np.isfinite(points[:, :2]).all(axis=1), :2]
    if recording.dims == 2 and len(points):
        confident = points[(points > 0).any(axis=1)]  # (0, 0) is what some estimators give for none
        points = confident if len(confident) else points
    if not len(points):
        return np.array([0.0, 0.0, *(recording.image_size or (4, 3))])
    low, high = np.percentile(points, [0.5, 99.5], axis=0)
    margin = 0.15 * max(*(high - low), 1e-3)
    window = np.concatenate([low - margin, high + margin])
    if recording.image_size is not None:
        window[:2] = np.maximum(window[:2], 0.0)
        window[2:] = np.minimum(window[2:], recording.image_size)
    return window
