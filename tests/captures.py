"""Made-up NTU RGB+D captures."""

import numpy as np

from skelact.datasets.readers.skeleton_file import RawCapture

NAME = "S001C002P003R002A013"
STANDING = np.array([
    (0, 0), (0, .3), (0, .6), (0, .75), (.2, .5), (.25, .25), (.27, 0), (.28, -.1), (-.2, .5),
    (-.25, .25), (-.27, 0), (-.28, -.1), (.1, -.05), (.1, -.45), (.1, -.85), (.12, -.9),
    (-.1, -.05), (-.1, -.45), (-.1, -.85), (-.12, -.9), (0, .52), (.28, -.15), (.25, -.1),
    (-.28, -.15), (-.25, -.1)], np.float32)
"""``[25, 2]`` metres of a person who faces the sensor."""


def person(frames: int, swing: float = 0.1, x: float = 0.0, seed: int = 0) -> np.ndarray:
    """``[F, 25, 3]`` somebody 3 m away whose joints all swing by ``swing`` metres."""
    random = np.random.default_rng(seed)
    joints = np.zeros((frames, 25, 3), np.float32)
    joints[..., :2] = STANDING
    joints += (x, 0.1, 3.0)
    phase = random.uniform(0, 2 * np.pi, (25, 3))
    time = np.linspace(0, 4 * np.pi, frames, endpoint=False)[:, None, None]
    return (joints + swing * np.sin(time + phase)).astype(np.float32)


def chair(frames: int, swing: float = 0.3, x: float = 1.0) -> np.ndarray:
    """``[F, 25, 3]`` what no person is: wider than high."""
    joints = person(frames, swing, x)
    joints[..., 1] = joints[..., 1] * 0.2
    joints[..., 0] = x + (joints[..., 0] - x) * 4
    return joints


def capture(num_frames: int, bodies: dict, name: str = NAME, tracking: int = 2) -> RawCapture:
    """A capture of bodies given as ``{body_id: (frame_index, joints [F, 25, 3])}``.

    In every frame they stand in the order of the mapping.
    """
    rows = [(frame, order, body_id, joints)
            for order, (body_id, (index, all_joints)) in enumerate(bodies.items())
            for frame, joints in zip(index, all_joints, strict=True)]
    rows.sort(key=lambda row: row[:2])
    joints = np.array([row[3] for row in rows], np.float32).reshape(-1, 25, 3)
    return RawCapture(name, num_frames, np.array([row[2] for row in rows], np.int64),
                      np.array([row[0] for row in rows], np.int64), joints,
                      np.full(joints.shape[:2], tracking, np.uint8))


def assert_same(found: RawCapture, expected: RawCapture) -> None:
    assert found.name == expected.name
    assert found.num_frames == expected.num_frames
    for name in ("body_ids", "frame_index", "joints", "tracking"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
