"""Optical flow between frames, and the stacks of it that a two-stream network looks at."""

from types import ModuleType

import numpy as np

from skelact.checks import check_choice, check_shape
from skelact.errors import ChoiceError, MissingDependencyError, ShapeError

METHODS = ("dis", "tvl1")


def optical_flow(frames: np.ndarray, method: str = "dis", bound: float = 20.0) -> np.ndarray:
    """How far every pixel moves from each frame to the next.

    Args:
        frames: ``[T, H, W, 3]`` uint8 RGB, at least two frames of at least 16 x 16 pixels.
        method: ``dis`` (fast) or ``tvl1`` (slower and smoother, as in published two-stream
            networks; needs OpenCV's contributed modules).
        bound: Pixels a frame that count as 1; what moves farther is cut to it.

    Returns:
        ``[T - 1, 2, H, W]`` float32 in [-1, 1]: x to the right and y down.

    Raises:
        ShapeError: Other frames.
        ChoiceError: Another method, or a bound not above 0.
        MissingDependencyError: OpenCV, or its contributed modules, are not installed.

    Source: Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016; Zach et al.,
    "A Duality Based Approach for Realtime TV-L1 Optical Flow", 2007.
    """
    check_choice(method, METHODS, "method of optical flow")
    check_shape(frames, ("T", "H", "W", 3), "frames")
    if frames.dtype != np.uint8 or len(frames) < 2 or min(frames.shape[1:3]) < 16:
        raise ShapeError("expected at least two frames of at least 16 x 16 pixels as uint8, got "
                         f"{list(frames.shape)} {frames.dtype}")
    if not bound > 0:
        raise ChoiceError(f"expected a bound above 0 pixels, got {bound}")
    cv2 = _import_opencv()
    estimator = _make_estimator(cv2, method)
    grey = [cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in frames]
    flow = np.empty((len(frames) - 1, 2, *frames.shape[1:3]), np.float32)
    for i, out in enumerate(flow):
        out[:] = estimator.calc(grey[i], grey[i + 1], None).transpose(2, 0, 1)
    return np.clip(flow / bound, -1, 1, out=flow)


def stack_flow(flow: np.ndarray, length: int = 10, moments: int = 1) -> np.ndarray:
    """Stacks of consecutive flow at evenly spaced moments, for the encoder ``flow``.

    Args:
        flow: ``[T, 2, H, W]`` of `optical_flow`. Of a clip that is shorter than ``length``, frames
            are repeated as evenly as can be, as encoders do.
        length: L, frames of flow in a stack.
        moments: How many stacks; the clip is cut into as many parts, and each stack lies in the
            middle of its part, shifted into the clip where it would stick out.

    Returns:
        ``[2 L, moments, H, W]``, x and y in turn.

    Raises:
        ShapeError: Another shape, or no flow at all.
        ChoiceError: No length or no moments.
    """
    check_shape(flow, ("T", 2, "H", "W"), "flow")
    if not len(flow):
        raise ShapeError("expected flow of at least one pair of frames, got none")
    if length < 1 or moments < 1:
        raise ChoiceError("expected at least one frame in a stack and one moment, got "
                          f"length={length}, moments={moments}")
    frames = max(len(flow), length)
    middles = (np.arange(moments) + 0.5) * frames / moments
    starts = np.clip(np.round(middles - length / 2), 0, frames - length).astype(int)
    rows = (starts[:, None] + np.arange(length)) * len(flow) // frames
    stacks = flow[rows]  # [moments, L, 2, H, W]
    return stacks.reshape(moments, 2 * length, *flow.shape[2:]).swapaxes(0, 1)


def _make_estimator(cv2: ModuleType, method: str):
    if method == "dis":
        return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    if not hasattr(cv2, "optflow"):
        raise MissingDependencyError("TV-L1 needs OpenCV's contributed modules: pip install "
                                     "opencv-contrib-python, of the version of opencv-python; or "
                                     "take method='dis'")
    return cv2.optflow.DualTVL1OpticalFlow_create()


def _import_opencv() -> ModuleType:
    try:
        import cv2
    except ImportError as error:
        raise MissingDependencyError("optical flow needs OpenCV: pip install 'skelact[rgb]'"
                                     ) from error
    return cv2
