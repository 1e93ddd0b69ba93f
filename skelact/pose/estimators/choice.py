"""Which pose estimator to use, decided without loading any."""

import functools
import hashlib
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from skelact.checks import check_choice
from skelact.errors import MissingDependencyError, SkelactError, WeightsError
from skelact.pose.estimators.base import PoseEstimator
from skelact.pose.estimators.weights import find_weights

NAMES = ("auto", "yolo", "mediapipe", "mediapipe-hands")
LAYOUTS = {"yolo": "coco17", "mediapipe": "mediapipe33", "mediapipe-hands": "hand21"}
"""The skeleton that each gives."""


@dataclass(frozen=True)
class EstimatorChoice:
    """A decision, not yet loaded.

    Args:
        name: ``"yolo"``, ``"mediapipe"`` or ``"mediapipe-hands"``.
        reason: Why, in a few words.
        weights: The weights file of YOLO.
        device: As asked for; None for the best there is.
    """

    name: str
    reason: str
    weights: Path | None = None
    device: str | None = None

    def __str__(self) -> str:
        if self.name == "yolo":
            return f"pose estimator yolo, {self.weights} ({self.reason})"
        whom = "hands, not bodies" if self.name == "mediapipe-hands" else "ONE person only"
        return f"pose estimator {self.name} ({self.reason}); it follows {whom}"

    @property
    def layout(self) -> str:
        """Name of the skeleton that the estimator gives."""
        return LAYOUTS[self.name]

    @functools.cached_property
    def identity(self) -> dict:
        """What determines the keypoints: plain JSON values to compare runs by."""
        from skelact.pose.estimators import mediapipe, yolo

        if self.name == "mediapipe":
            return {"estimator": "mediapipe", "min_score": mediapipe.MIN_SCORE}
        if self.name == "mediapipe-hands":
            return {"estimator": "mediapipe-hands", "min_score": mediapipe.MIN_SCORE,
                    "max_hands": mediapipe.MAX_HANDS}
        digest = hashlib.sha256(self.weights.read_bytes()).hexdigest()
        return {"estimator": "yolo", "weights": self.weights.name, "weights_sha256": digest,
                "min_score": yolo.MIN_SCORE}

    def load(self) -> PoseEstimator:
        """The estimator itself.

        Raises:
            MissingDependencyError: Its package is not installed.
            WeightsError: The weights do not load.
        """
        if self.name.startswith("mediapipe"):
            from skelact.pose.estimators import mediapipe

            hands = self.name == "mediapipe-hands"
            return mediapipe.MediaPipeHandsEstimator() if hands else mediapipe.MediaPipeEstimator()
        from skelact.pose.estimators.yolo import YoloEstimator

        return YoloEstimator(self.weights, self.device)


def decide_estimator(
    name: str = "auto",
    weights: str | Path | None = None,
    device: str | None = None,
    offline: bool = False,
) -> EstimatorChoice:
    """Decide on an estimator; may download official YOLO weights, announced, when allowed.

    ``"auto"`` is YOLO with the weights given or found on this machine, else with official weights
    downloaded on first use, else MediaPipe, which follows one person only.

    Args:
        name: ``"auto"``, ``"yolo"``, ``"mediapipe"``, or ``"mediapipe-hands"`` for hands in place
            of bodies.
        weights: YOLO weights, a file or an official name.
        device: ``"cpu"``, ``"cuda"``, ...; None for the best there is.
        offline: Never download (as ``SKELACT_OFFLINE=1``).

    Raises:
        ChoiceError: The name is none of those.
        MissingDependencyError: What is needed is not installed.
        SkelactError: Weights or a device are given for an estimator that takes none.
        WeightsError: The weights are not here and may not or cannot be downloaded.
    """
    check_choice(name, NAMES, "estimator")
    if name.startswith("mediapipe"):
        if weights is not None or device not in (None, "auto", "cpu"):
            raise SkelactError("mediapipe brings its own models and runs on the CPU; "
                               "leave out weights and device, or use --estimator yolo")
        return EstimatorChoice(name, "as asked for")
    if name == "yolo" or weights is not None:
        if not _has_yolo():
            raise MissingDependencyError(
                'YOLO needs ultralytics and torchvision: pip install "skelact[yolo]"'
            )
        path = find_weights(weights, offline)
        return EstimatorChoice("yolo", "as asked for", path, device)
    return _decide_freely(device, offline)


def choose_estimator(
    name: str = "auto",
    weights: str | Path | None = None,
    device: str | None = None,
    offline: bool = False,
) -> PoseEstimator:
    """Decide on an estimator, say which and why on standard error, and load it.

    Args and errors are those of `decide_estimator`.
    """
    choice = decide_estimator(name, weights, device, offline)
    print(f"skelact: {choice}", file=sys.stderr)
    return choice.load()


def _decide_freely(device: str | None, offline: bool) -> EstimatorChoice:
    if _has_yolo():
        try:
            path = find_weights(None, offline)
        except WeightsError as error:
            obstacle = str(error)
        else:
            return EstimatorChoice("yolo", "it follows several people", path, device)
    else:
        obstacle = 'YOLO is not installed: pip install "skelact[yolo]"'
    if find_spec("mediapipe") is None:
        raise MissingDependencyError(
            f"no pose estimator can be used. {obstacle}. MediaPipe, which needs no download, is "
            f'not installed: pip install "skelact[mediapipe]" (Python below 3.13)'
        )
    return EstimatorChoice("mediapipe", obstacle)


def _has_yolo() -> bool:
    return find_spec("ultralytics") is not None and find_spec("torchvision") is not None
