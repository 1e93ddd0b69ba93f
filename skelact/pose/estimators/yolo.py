"""Ultralytics YOLO pose models: the one door to ``ultralytics``.

The network runs without Ultralytics' predictor: batches are spread over the cores, each core on
frames of its own (no waiting inside a layer), with Ultralytics' own letterbox and
non-maximum suppression, so the keypoints are those of ``model.predict``.
"""

import copy
import functools
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelact.errors import MissingDependencyError, SkelactError, WeightsError
from skelact.graph.layouts import get_layout
from skelact.pose.estimators.base import Detections, check_images
from skelact.pose.estimators.containment import contained
from skelact.pose.estimators.weights import find_weights

MIN_SCORE = 0.1
"""Ultralytics' own for tracking; `model.predict` shows people from 0.25 on."""

MAX_OVERLAP = 0.7
MAX_FOUND = 300
NMS_SECONDS = 60.0
"""Ultralytics' suppression stops early, and so loses people, on a machine that is merely busy."""

_MOST_THREADS = 16


class YoloEstimator:
    """People and their 17 COCO joints by an Ultralytics pose model; half precision on CUDA.

    Args:
        weights: A ``.pt`` file, or an official name (``"yolo11n-pose.pt"``) that is downloaded on
            first use; None for official weights found on this machine, else the default.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; None for CUDA where there is one.
        batch_size: Frames a call at best; None for what suits the device.
        min_score: Least confidence of a person. Low by default, because tracking follows weak
            detections and decides itself whom to believe.
        image_size: Longer side in pixels that frames are resized to; a multiple of 32.
        threads: CPU cores to use; None for all that the process may use, 16 at most.
        offline: Never download weights.

    Raises:
        MissingDependencyError: Ultralytics is not installed.
        WeightsError: No such weights, or no pose model with COCO's 17 joints.
        ChoiceError: The device is not there.
    """

    max_people = None
    stateful = False

    def __init__(
        self,
        weights: str | Path | None = None,
        device: str | None = None,
        batch_size: int | None = None,
        min_score: float = MIN_SCORE,
        image_size: int = 640,
        threads: int | None = None,
        offline: bool = False,
    ) -> None:
        if image_size < 32 or image_size % 32:
            raise SkelactError(f"expected image_size as a multiple of 32, got {image_size}")
        if not 0 < min_score < 1:
            raise SkelactError(f"expected min_score between 0 and 1, got {min_score}")
        tools = load_tools()
        from skelact.device import choose_device  # brings torch; after the guards of load_tools

        self._device = choose_device(device or "auto")
        on_cpu = self._device.type == "cpu"
        threads = (threads or min(_count_cores(), _MOST_THREADS)) if on_cpu else 2
        self._chunk = 2 if on_cpu else 16
        self.weights = find_weights(weights, offline)
        self.layout = get_layout("coco17")
        self.name = f"yolo {self.weights.name}"
        self.batch_size = batch_size or threads * self._chunk
        self.min_score = min_score
        self._network = load_network(self.weights, self._device)
        self._letterbox = tools.letterbox(image_size, auto=True, stride=self._network.stride)
        self._tools = tools
        self._workers = _start_workers(threads, self._network.module)

    def estimate(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """People in each of several ``[H, W, 3]`` uint8 RGB images of one size.

        Raises:
            ShapeError: The images are no such images, or of several sizes.
        """
        check_images(images)
        return self.estimate_prepared([self.prepare(image) for image in images])

    def prepare(self, image: np.ndarray) -> "Prepared":
        """What the network sees of an image: small, so that the frame itself need not be kept."""
        check_images([image])
        return Prepared(self._letterbox(image=image), image.shape[:2])

    def estimate_prepared(self, images: Sequence["Prepared"]) -> list[Detections]:
        """As `estimate`, of what `prepare` gave."""
        step = max(1, min(self._chunk, -(-len(images) // self._workers.count)))
        chunks = [images[i : i + step] for i in range(0, len(images), step)]
        parts = self._workers.pool.map(self._estimate_chunk, chunks)
        return list(itertools.chain.from_iterable(parts))

    def reset(self) -> None:
        """Nothing: a frame's people do not depend on other frames."""

    def _estimate_chunk(self, images: Sequence["Prepared"]) -> list[Detections]:
        import torch

        with torch.inference_mode():
            boxed = np.stack([image.boxed for image in images])
            # [B, H, W, C] in memory seen as [B, C, H, W] is what convolutions run fastest on.
            batch = torch.from_numpy(boxed).to(self._device).permute(0, 3, 1, 2)
            batch = batch.to(self._network.dtype).div_(255)
            found = self._tools.suppress(
                self._workers.local.module(batch), self.min_score, MAX_OVERLAP,
                classes=self._network.classes, max_det=MAX_FOUND, max_time_img=NMS_SECONDS,
                nc=len(self._network.names), end2end=self._network.end2end,
            )
            return [self._detections(rows, batch.shape[2:], image.size)
                    for rows, image in zip(found, images, strict=True)]

    def _detections(self, rows, boxed_size, image_size) -> Detections:
        """Rows ``[M, 6 + 51]`` (box, score, class, joints) in the pixels of the frame."""
        joints = rows[:, 6:].reshape(len(rows), self.layout.num_joints, 3)
        joints = self._tools.scale_joints(boxed_size, joints, image_size)
        boxes = self._tools.scale_boxes(boxed_size, rows[:, :4], image_size)
        joints, boxes, scores = (t.float().cpu().numpy() for t in (joints, boxes, rows[:, 4]))
        return Detections(joints, boxes, scores)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A frame resized and padded for the network ``[h, w, 3]``, and its own (height, width)."""

    boxed: np.ndarray
    size: tuple[int, int]


@dataclass(frozen=True)
class _Tools:
    """What is taken from ultralytics."""

    letterbox: type
    suppress: Callable
    scale_boxes: Callable
    scale_joints: Callable
    load: Callable


@dataclass(frozen=True)
class _Network:
    """A fused model and what its outputs mean."""

    module: object
    stride: int
    names: dict[int, str]
    classes: list[int] | None
    end2end: bool
    dtype: object


@dataclass(frozen=True)
class _Workers:
    """Threads that each hold the network as ``local.module``."""

    pool: ThreadPoolExecutor
    local: threading.local
    count: int


@functools.cache
def load_tools() -> _Tools:
    """What is taken from ultralytics, imported once.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        with contained():
            # torchvision must be imported for its (faster) suppression to be used.
            import torchvision  # noqa: F401
            from ultralytics.data.augment import LetterBox
            from ultralytics.nn.tasks import torch_safe_load
            from ultralytics.utils import nms, ops
    except ImportError as error:
        raise MissingDependencyError(
            f"YOLO models need ultralytics and torchvision ({error}); "
            f'pip install "skelact[yolo]"'
        ) from error
    return _Tools(LetterBox, nms.non_max_suppression, ops.scale_boxes, ops.scale_coords,
                  functools.partial(torch_safe_load, safe_only=True))


def load_network(path: Path, device, task: str = "pose") -> _Network:
    """Load weights without running code from them; fuse and freeze.

    Args:
        path: The ``.pt`` file.
        device: A torch device.
        task: ``pose`` (COCO's 17 joints of people) or ``detect`` (boxes of objects).

    Raises:
        WeightsError: The file is damaged, holds foreign classes, or is a model of another task.
    """
    import torch

    if path.suffix != ".pt":
        raise WeightsError(f"expected Ultralytics weights ending in .pt, got {path}")
    try:
        with contained():
            checkpoint, _ = load_tools().load(path)
            module = checkpoint.get("ema") or checkpoint["model"]
            shape = tuple(getattr(module, "kpt_shape", ()))
            head = type(module.model[-1]).__name__
            module = module.float().fuse(verbose=False).eval().requires_grad_(False)
    except Exception as error:  # whatever a damaged or foreign file provokes, in one kind
        raise WeightsError(
            f"{path} does not load as Ultralytics {task} weights (damaged, or of another kind): "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}"
        ) from error
    _check_task(path, task, head, shape)
    for layer in module.modules():
        if isinstance(layer, torch.nn.Upsample) and not hasattr(layer, "recompute_scale_factor"):
            layer.recompute_scale_factor = None  # weights saved by torch before 1.11
    dtype = torch.float16 if device.type == "cuda" else torch.float32
    return _Network(
        module.to(device, dtype, memory_format=torch.channels_last),
        stride=max(32, int(module.stride.max())), names=dict(module.names),
        classes=_person_class(module.names, path) if task == "pose" else None,
        end2end=bool(getattr(module, "end2end", False)), dtype=dtype,
    )


def _check_task(path: Path, task: str, head: str, keypoints: tuple[int, ...]) -> None:
    if task == "detect" and head not in ("Detect", "v10Detect"):
        raise WeightsError(f"expected a model that detects objects; {path} is one of another task "
                           f"({head}); yolo11n.pt would be one")
    if task == "pose" and keypoints != (17, 3):
        what = f"{keypoints[0]} keypoints of {keypoints[1]} values" if keypoints else "no keypoints"
        raise WeightsError(
            f"expected a pose model with COCO's 17 keypoints (x, y, confidence); {path} has {what}"
        )


def _person_class(names: dict[int, str], path: Path) -> list[int] | None:
    if len(names) == 1:
        return None
    people = [index for index, name in names.items() if name == "person"]
    if not people:
        raise WeightsError(f"{path} finds {', '.join(names.values())}; expected a class 'person'")
    return people


def _start_workers(count: int, module) -> _Workers:
    """Start threads of one core each, with a replica of the module that shares its weights.

    (Replicas because the head of the network keeps its anchor grid between calls.)
    """
    import torch

    local, started = threading.local(), threading.Barrier(count + 1)
    weights = {id(t): t for t in itertools.chain(module.parameters(), module.buffers())}

    def begin() -> None:
        # Asking first: torch sets a new thread's count to the global one at its first use.
        torch.get_num_threads()
        torch.set_num_threads(1)
        local.module = copy.deepcopy(module, dict(weights))

    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, "skelact-yolo", initializer=begin)
    for _ in range(count):
        pool.submit(started.wait)
    started.wait()
    torch.set_num_threads(threads)
    return _Workers(pool, local, count)


def _count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
