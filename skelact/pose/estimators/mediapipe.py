"""MediaPipe's models of bodies (BlazePose) and of hands: the one door to ``mediapipe``.

The models are inside mediapipe's wheel, so nothing is downloaded. That of bodies follows one
person, that of hands several hands.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

import numpy as np

from skelact.errors import MissingDependencyError, SkelactError
from skelact.graph.layouts import get_layout
from skelact.pose.estimators.base import Detections, check_images

MIN_SCORE = 0.5
"""MediaPipe's own, for finding the person or hand as for staying with it."""
MAX_HANDS = 4

_BUNDLED_MODEL = 1  # "full"; the lite and heavy ones of bodies would be downloaded


class _MediaPipe:
    """What both have in common: a graph that sees the frames of a video in order; on the CPU.

    Args:
        what: The ``"pose"`` or the ``"hands"``.
        layout: Name of the skeleton that it gives.
        min_score: Least confidence to take something for a person or hand, and to stay with it.
        options: Further options of the graph.

    Raises:
        MissingDependencyError: MediaPipe is not installed.
        SkelactError: ``min_score`` is not between 0 and 1.
    """

    batch_size = 4
    stateful = True

    def __init__(self, what: str, layout: str, min_score: float, **options) -> None:
        if not 0 < min_score < 1:
            raise SkelactError(f"expected min_score between 0 and 1, got {min_score}")
        self.layout = get_layout(layout)
        self.min_score = min_score
        self._start = _load(what)
        self._options = options
        self._graph, self._seen = None, False

    def estimate(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """Who is in each of several ``[H, W, 3]`` uint8 RGB images of one size, in order.

        Raises:
            ShapeError: The images are no such images, or of several sizes.
        """
        check_images(images)
        if self._graph is None:
            self._graph = self._start_graph()
        return [self._detect(image) for image in images]

    def reset(self) -> None:
        """Forget who was followed so far."""
        if self._graph is not None:
            self._graph.close()
            self._graph, self._seen = None, False

    def _start_graph(self):
        with _without_native_output():
            return self._start(
                static_image_mode=False, model_complexity=_BUNDLED_MODEL,
                min_detection_confidence=self.min_score, min_tracking_confidence=self.min_score,
                **self._options,
            )

    def _detect(self, image: np.ndarray) -> Detections:
        # The graph reports on itself with its first frame and its first person.
        with contextlib.nullcontext() if self._seen else _without_native_output():
            found = self._read(self._graph.process(np.ascontiguousarray(image)))
        if not len(found):
            return Detections.none(self.layout)
        self._seen = True
        height, width = image.shape[:2]
        joints = found * np.array([width, height, 1], np.float32)
        boxes = np.concatenate([joints[..., :2].min(1), joints[..., :2].max(1)], axis=1)
        return Detections(joints, boxes, joints[..., 2].mean(1))

    def _read(self, result) -> np.ndarray:
        """``[M, N, 3]`` x and y as parts of the image and confidence, of who was found."""
        raise NotImplementedError


class MediaPipeEstimator(_MediaPipe):
    """The 33 joints of the most prominent person; on the CPU.

    Joints are those of each frame, without MediaPipe's smoothing over time (it takes every video
    for 30 frames a second). Joints outside the picture have coordinates outside it. The
    confidence of a joint is its visibility, the score of the person their mean.

    Args:
        min_score: Least confidence to take something for a person, and to stay with it.

    Raises:
        MissingDependencyError: MediaPipe is not installed.
        SkelactError: ``min_score`` is not between 0 and 1.
    """

    name = "mediapipe pose full (follows one person)"
    max_people = 1

    def __init__(self, min_score: float = MIN_SCORE) -> None:
        super().__init__("pose", "mediapipe33", min_score, smooth_landmarks=False)

    def _read(self, result) -> np.ndarray:
        if result.pose_landmarks is None:
            return np.empty((0, self.layout.num_joints, 3), np.float32)
        points = result.pose_landmarks.landmark
        return np.array([[(point.x, point.y, point.visibility) for point in points]], np.float32)


class MediaPipeHandsEstimator(_MediaPipe):
    """The 21 joints of each hand; on the CPU. A hand takes the place of a person.

    MediaPipe says of a hand only that it is one, so joints and hands have confidence 1. Its model
    was made for hands near the camera; far ones are not found. Left and right are not told apart.

    Args:
        max_hands: The most hands to look for; the search goes on in every frame that shows fewer.
        min_score: Least confidence to take something for a hand, and to stay with it.

    Raises:
        MissingDependencyError: MediaPipe is not installed.
        SkelactError: ``min_score`` is not between 0 and 1, or there is to be no hand.
    """

    def __init__(self, max_hands: int = MAX_HANDS, min_score: float = MIN_SCORE) -> None:
        if max_hands < 1:
            raise SkelactError(f"expected max_hands from 1, got {max_hands}")
        super().__init__("hands", "hand21", min_score, max_num_hands=max_hands)
        self.max_people = max_hands
        self.name = f"mediapipe hands full (follows up to {max_hands} hands)"

    def _read(self, result) -> np.ndarray:
        hands = [[(point.x, point.y, 1.0) for point in hand.landmark]
                 for hand in result.multi_hand_landmarks or ()]
        return np.array(hands, np.float32).reshape(-1, self.layout.num_joints, 3)


def _load(what: str):
    """The class of MediaPipe's that finds the ``"pose"`` or the ``"hands"``.

    Raises:
        MissingDependencyError: MediaPipe is not installed, or no release that has it.
    """
    environment = dict(os.environ)
    os.environ.update(GLOG_minloglevel="3", TF_CPP_MIN_LOG_LEVEL="3")
    try:
        with _without_native_output():
            from mediapipe.python.solutions import hands, pose
    except ImportError as error:
        raise MissingDependencyError(
            f"the mediapipe estimators need mediapipe 0.10.21 ({error}); "
            f'pip install "skelact[mediapipe]" (Python below 3.13)'
        ) from error
    finally:
        for variable in ("GLOG_minloglevel", "TF_CPP_MIN_LOG_LEVEL"):
            os.environ.pop(variable, None)
            if variable in environment:
                os.environ[variable] = environment[variable]
    return {"pose": pose.Pose, "hands": hands.Hands}[what]


@contextlib.contextmanager
def _without_native_output() -> Iterator[None]:
    """Send what C++ writes to file descriptor 2 nowhere."""
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, AttributeError, ValueError):  # no such descriptor, as under pythonw
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
