"""How alike two poses or two boxes are, from 0 (nothing in common) to 1 (the same)."""

import numpy as np

BODY_SHARE = 0.53
"""Part of a person's box that the body covers, on average over COCO; OKS counts body area."""

DEFAULT_SIGMA = 0.08
"""Joint spread for layouts without ``oks_sigmas``: about that of COCO's shoulders and ankles."""


def box_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of every two boxes.

    Args:
        first: ``[A, 4]`` x1, y1, x2, y2.
        second: ``[B, 4]`` likewise.

    Returns:
        ``[A, B]`` in [0, 1]; 0 where both boxes are empty.
    """
    shared = box_overlap(first, second)
    union = box_area(first)[:, None] + box_area(second)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def box_overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """``[A, B]`` area that every two boxes share, in square pixels."""
    corner = np.minimum(first[:, None, 2:], second[None, :, 2:])
    size = np.clip(corner - np.maximum(first[:, None, :2], second[None, :, :2]), 0.0, None)
    return size[..., 0] * size[..., 1]


def box_area(boxes: np.ndarray) -> np.ndarray:
    """``[A]`` area in square pixels; 0 for a box turned inside out."""
    size = np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None)
    return size[:, 0] * size[:, 1]


def pose_similarity(
    first: np.ndarray,
    second: np.ndarray,
    area: np.ndarray,
    sigmas: np.ndarray,
    slack: np.ndarray | float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Object keypoint similarity of every two poses, weighted by confidence.

    ``sum_n w_n exp(-d_n^2 / (2 ((2 sigma_n)^2 area + slack^2))) / sum_n w_n`` with the weight
    ``w_n = sqrt(c_n c'_n)`` of the two confidences, so that a guessed joint counts little.

    Args:
        first: ``[A, N, 3]`` x, y, confidence; NaN coordinates for a missing joint.
        second: ``[B, N, 3]`` likewise.
        area: ``[A, B]`` body area in square pixels that sets the scale.
        sigmas: ``[N]`` spread of the joints (`Layout.oks_sigmas`).
        slack: Pixels that a joint may have moved besides, broadcast to ``[A, B]``.

    Returns:
        ``[A, B]`` similarity in [0, 1] (0 without a joint in common), and ``[A, B]`` the mean
        weight of a joint, in [0, 1]: how much there was to compare.

    Source: COCO keypoint evaluation, https://cocodataset.org/#keypoints-eval.
    """
    step = first[:, None, :, :2] - second[None, :, :, :2]
    squared = np.square(step).sum(axis=-1)
    weight = np.sqrt(np.clip(first[:, None, :, 2] * second[None, :, :, 2], 0.0, 1.0))
    known = np.isfinite(squared) & np.isfinite(weight)
    weight = np.where(known, weight, 0.0)
    spread = np.square(2.0 * sigmas) * area[..., None] + np.square(slack)[..., None]
    closeness = np.exp(-np.where(known, squared, 0.0) / (2.0 * np.maximum(spread, 1e-6)))
    total = weight.sum(axis=-1)
    alike = (weight * closeness).sum(axis=-1)
    return np.divide(alike, total, out=np.zeros_like(alike), where=total > 0), (
        total / weight.shape[-1]
    )
