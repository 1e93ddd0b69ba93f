"""MediaPipe's pose model (BlazePose): the one door to ``mediapipe``.

The model is inside mediapipe's wheel, so nothing is downloaded. It follows one person.
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
"""MediaPipe's own, for finding the person as for staying with it."""

_BUNDLED_MODEL = 1  # "full"; the lite and heavy ones would be downloaded


class MediaPipeEstimator:
    """The 33 joints of the most prominent person; on the CPU.

    Joints are those of each frame, without MediaPipe's smoothing over time (it takes every video
    for 30 frames a second). Joints outside the picture have coordinates outside it. The
    confidence of a joint is its visibility, the score of the person their mean.

    Args:
        min_score: Least confidence to take something for a person, and to stay with it.

    Raises:
        MissingDependencyError: MediaPipe is not installed.
    """

    name = "mediapipe pose full (follows one person)"
    max_people = 1
    batch_size = 4
    stateful = True

    def __init__(self, min_score: float = MIN_SCORE) -> None:
        if not 0 < min_score < 1:
            raise SkelactError(f"expected min_score between 0 and 1, got {min_score}")
        self.layout = get_layout("mediapipe33")
        self.min_score = min_score
        self._start = _load_pose()
        self._pose, self._seen = None, False

    def estimate(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """The person in each of several ``[H, W, 3]`` uint8 RGB images of one size, in order.

        Raises:
            ShapeError: The images are no such images, or of several sizes.
        """
        check_images(images)
        if self._pose is None:
            self._pose = self._start_graph()
        return [self._detect(image) for image in images]

    def reset(self) -> None:
        """Forget the person followed so far."""
        if self._pose is not None:
            self._pose.close()
            self._pose, self._seen = None, False

    def _start_graph(self):
        with _without_native_output():
            return self._start(
                static_image_mode=False, model_complexity=_BUNDLED_MODEL, smooth_landmarks=False,
                min_detection_confidence=self.min_score, min_tracking_confidence=self.min_score,
            )

    def _detect(self, image: np.ndarray) -> Detections:
        # The graph reports on itself with its first frame and its first person.
        with contextlib.nullcontext() if self._seen else _without_native_output():
            found = self._pose.process(np.ascontiguousarray(image)).pose_landmarks
        if found is None:
            return Detections.none(self.layout)
        self._seen = True
        height, width = image.shape[:2]
        joints = np.array(
            [(point.x * width, point.y * height, point.visibility) for point in found.landmark],
            np.float32,
        )
        box = np.concatenate([joints[:, :2].min(0), joints[:, :2].max(0)])
        return Detections(joints[None], box[None], joints[None, :, 2].mean(1))


def _load_pose():
    """MediaPipe's ``Pose`` class.

    Raises:
        MissingDependencyError: MediaPipe is not installed, or no release that has it.
    """
    environment = dict(os.environ)
    os.environ.update(GLOG_minloglevel="3", TF_CPP_MIN_LOG_LEVEL="3")
    try:
        with _without_native_output():
            from mediapipe.python.solutions.pose import Pose
    except ImportError as error:
        raise MissingDependencyError(
            f"the mediapipe estimator needs mediapipe 0.10.21 ({error}); "
            f'pip install "skelact[mediapipe]" (Python below 3.13)'
        ) from error
    finally:
        for name in ("GLOG_minloglevel", "TF_CPP_MIN_LOG_LEVEL"):
            os.environ.pop(name, None)
            if name in environment:
                os.environ[name] = environment[name]
    return Pose


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
