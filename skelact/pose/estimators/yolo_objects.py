"""Ultralytics YOLO detection models: boxes of objects of any classes in frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelact.checks import check_choice
from skelact.errors import ChoiceError, SkelactError, WeightsError
from skelact.pose.estimators.base import check_images
from skelact.pose.estimators.weights import RELEASE
from skelact.pose.estimators.yolo import (
    MAX_FOUND,
    MAX_OVERLAP,
    NMS_SECONDS,
    load_network,
    load_tools,
)


@dataclass(frozen=True, eq=False)
class FoundObjects:
    """The objects in one frame.

    Args:
        names: ``[D]`` the class of each.
        boxes: ``[D, 4]`` float32 x1, y1, x2, y2 in pixels of the displayed frame.
        scores: ``[D]`` float32 confidence in [0, 1].
    """

    names: tuple[str, ...]
    boxes: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.names)


class YoloObjects:
    """Objects by an Ultralytics detection model, one frame after another.

    Args:
        weights: A ``.pt`` file of a detection model; nothing is downloaded.
        classes: Those to look for, by the model's names; by default all.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; None for CUDA where there is one.
        min_score: Least confidence of an object.
        image_size: Longer side in pixels that frames are resized to; a multiple of 32.

    Attributes:
        classes: What it looks for.

    Raises:
        MissingDependencyError: Ultralytics is not installed.
        WeightsError: No such weights, or a model of another task.
        ChoiceError: The model does not know a class, or the device is not there.
        SkelactError: Another image size, or a score outside of (0, 1).
    """

    def __init__(
        self, weights: str | Path, classes: Sequence[str] | None = None, device: str | None = None,
        min_score: float = 0.25, image_size: int = 640,
    ) -> None:
        if image_size < 32 or image_size % 32:
            raise SkelactError(f"expected image_size as a multiple of 32, got {image_size}")
        if not 0 < min_score < 1:
            raise SkelactError(f"expected min_score between 0 and 1, got {min_score}")
        if not Path(weights).is_file():
            raise WeightsError(f"no detection weights at {weights}; Ultralytics publishes some "
                               f"(AGPL-3.0), such as {RELEASE}/yolo11n.pt")
        self._tools = load_tools()
        from skelact.device import choose_device  # brings torch; after the guards of load_tools

        self._device = choose_device(device or "auto")
        self._network = load_network(Path(weights), self._device, task="detect")
        known = self._network.names
        self.classes = tuple(known.values() if classes is None else classes)
        if not self.classes:
            raise ChoiceError("expected at least one class to look for, got none")
        numbers = {name: number for number, name in known.items()}
        self._wanted = [numbers[check_choice(name, numbers, "a class of the detector")]
                        for name in self.classes]
        self.min_score = min_score
        self._letterbox = self._tools.letterbox(image_size, auto=True, stride=self._network.stride)

    def detect(self, images: Sequence[np.ndarray]) -> list[FoundObjects]:
        """Objects in each of several ``[H, W, 3]`` uint8 RGB images of one size.

        Raises:
            ShapeError: The images are no such images, or of several sizes.
        """
        import torch

        check_images(images)
        with torch.inference_mode():
            return [self._detect_one(image) for image in images]

    def _detect_one(self, image: np.ndarray) -> FoundObjects:
        import torch

        boxed = torch.from_numpy(self._letterbox(image=image)[None]).to(self._device)
        batch = boxed.permute(0, 3, 1, 2).to(self._network.dtype).div_(255)
        [rows] = self._tools.suppress(
            self._network.module(batch), self.min_score, MAX_OVERLAP, classes=self._wanted,
            max_det=MAX_FOUND, max_time_img=NMS_SECONDS, nc=len(self._network.names),
            end2end=self._network.end2end)
        boxes = self._tools.scale_boxes(batch.shape[2:], rows[:, :4], image.shape[:2])
        boxes, scores, numbers = (part.float().cpu().numpy()
                                  for part in (boxes, rows[:, 4], rows[:, 5]))
        return FoundObjects(tuple(self._network.names[int(i)] for i in numbers), boxes, scores)
