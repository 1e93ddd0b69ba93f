"""The per-clip dictionary pipeline that skeleton code bases use, as a plain reference.

The five steps of pyskl's training and test pipelines, one clip and one mutable dict at a time,
written after their published description to compare with; arrays are ``[M, T, V, C]`` there.
"""

import numpy as np

RANDOM = np.random.RandomState(0)
"""Stands for numpy's global state, which the original draws from."""


def run_pipeline(clip: dict, frames: int, stream: str = "j", test: bool = False) -> dict:
    """A clip (``keypoint`` [M, T, V, 3], ``total_frames``) through all five steps."""
    results = dict(clip)
    for step in (pre_normalize_3d, lambda r: gen_skel_feat(r, stream),
                 lambda r: uniform_sample(r, frames, 10 if test else 1, test), pose_decode,
                 format_gcn_input):
        results = step(results)
    return results


def pre_normalize_3d(results: dict) -> dict:
    """Drop frames without the main person; spine to the origin and to z, shoulders to x."""
    joints = results["keypoint"]
    if joints.sum() == 0:
        return results
    seen = [[t for t in range(joints.shape[1]) if not np.all(np.isclose(person[t], 0))]
            for person in joints]
    if len(seen) == 2 and len(seen[0]) < len(seen[1]):
        joints = joints[:, np.array(seen[1])][[1, 0]]
    else:
        joints = joints[:, np.array(seen[0])]
    mask = ((joints != 0).sum(-1) > 0)[..., None]
    joints = (joints - joints[0, 0, 1].copy()) * mask
    for top, bottom, target in ((1, 0, [0, 0, 1]), (8, 4, [1, 0, 0])):
        bone = joints[0, 0, top] - joints[0, 0, bottom]
        matrix = rotation_matrix(np.cross(bone, target), angle_between(bone, target))
        joints = np.einsum("abcd,kd->abck", joints, matrix)
    results.update(keypoint=joints, total_frames=joints.shape[1])
    return results


def angle_between(first: np.ndarray, second: np.ndarray) -> float:
    if np.abs(first).sum() < 1e-6 or np.abs(second).sum() < 1e-6:
        return 0
    first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
    return np.arccos(np.clip(np.dot(first, second), -1.0, 1.0))


def rotation_matrix(axis: np.ndarray, angle: float) -> np.ndarray:
    """Euler-Rodrigues."""
    if np.abs(axis).sum() < 1e-6 or np.abs(angle) < 1e-6:
        return np.eye(3)
    axis = axis / np.sqrt(np.dot(axis, axis))
    a = np.cos(angle / 2)
    b, c, d = -axis * np.sin(angle / 2)
    return np.array([
        [a * a + b * b - c * c - d * d, 2 * (b * c + a * d), 2 * (b * d - a * c)],
        [2 * (b * c - a * d), a * a + c * c - b * b - d * d, 2 * (c * d + a * b)],
        [2 * (b * d + a * c), 2 * (c * d - a * b), a * a + d * d - b * b - c * c],
    ])


NTU_PAIRS = ((0, 1), (1, 20), (2, 20), (3, 2), (4, 20), (5, 4), (6, 5), (7, 6), (8, 20), (9, 8),
             (10, 9), (11, 10), (12, 0), (13, 12), (14, 13), (15, 14), (16, 0), (17, 16),
             (18, 17), (19, 18), (21, 22), (20, 20), (22, 7), (23, 24), (24, 11))


def gen_skel_feat(results: dict, stream: str) -> dict:
    """``j`` joints, ``b`` bones, ``jm`` and ``bm`` their motion, of NTU skeletons."""
    joints = results["keypoint"].astype(np.float32)
    if stream.startswith("b"):
        bones = np.zeros_like(joints)
        for joint, parent in NTU_PAIRS:
            bones[..., joint, :] = joints[..., joint, :] - joints[..., parent, :]
        joints = bones
    if stream.endswith("m"):
        motion = np.zeros_like(joints)
        motion[:, :-1] = np.diff(joints, axis=1)
        joints = motion
    results["keypoint"] = np.concatenate([joints], axis=-1)
    return results


def uniform_sample(results: dict, frames: int, clips: int, test: bool) -> dict:
    """Frame numbers: training draws from one state of chance, testing seeds it with 255."""
    length = results["total_frames"]
    if test:
        RANDOM.seed(255)
    views = []
    for view in range(clips):
        RANDOM.rand()
        RANDOM.randint(1)
        if length < frames:
            if test:
                start = view if length < clips else view * length // clips
            else:
                start = RANDOM.randint(0, length)
            inds = np.arange(start, start + frames)
        elif length < 2 * frames:
            chosen = RANDOM.choice(frames + 1, length - frames, replace=False)
            offset = np.zeros(frames + 1, dtype=np.int64)
            offset[chosen] = 1
            inds = np.arange(frames) + np.cumsum(offset)[:-1]
        else:
            edges = np.array([i * length // frames for i in range(frames + 1)])
            inds = edges[:frames] + RANDOM.randint(np.diff(edges))
        views.append(inds)
    results.update(frame_inds=np.mod(np.concatenate(views), length), clip_len=frames,
                   num_clips=clips)
    return results


def pose_decode(results: dict) -> dict:
    """The sampled frames."""
    results["keypoint"] = results["keypoint"][:, results["frame_inds"]].astype(np.float32)
    return results


def format_gcn_input(results: dict, people: int = 2) -> dict:
    """``[clips, M, T, V, C]``, people padded with zeros or cut."""
    joints = results["keypoint"]
    if len(joints) < people:
        padding = np.zeros((people - len(joints), *joints.shape[1:]), dtype=joints.dtype)
        joints = np.concatenate((joints, padding), axis=0)
    joints = joints[:people]
    m, t, v, c = joints.shape
    clips = results["num_clips"]
    joints = joints.reshape((m, clips, t // clips, v, c)).transpose(1, 0, 2, 3, 4)
    results["keypoint"] = np.ascontiguousarray(joints)
    return results
