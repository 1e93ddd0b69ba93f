"""What a network says of clips: a row of probabilities a clip, the mean of its views."""

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from skelact.config import AugmentConfig, ClipConfig
from skelact.datasets.arrays import ClipArrays, remap_arrays
from skelact.datasets.loader import Loader
from skelact.device import autocast
from skelact.errors import SkelactError
from skelact.evaluation.clip_pixels import ClipPixels
from skelact.evaluation.views import Views, plan_views, view_loader
from skelact.models.checkpoint import ActionModel
from skelact.models.classifier import action_probabilities
from skelact.rgb.two_stream import TwoStream, join_pixels
from skelact.transforms.clip_form import settle_form


def score_model(
    model: ActionModel, arrays: ClipArrays, rows: np.ndarray | None = None, views: int = 1,
    precision: str = "fp32", workers: int = 0, progress: bool = False,
    pixels: ClipPixels | None = None,
) -> np.ndarray:
    """What a model says of the clips of any data set.

    Args:
        model: The model; where it is in (CPU, CUDA) it is run.
        arrays: The clips; brought to the model's skeleton, and 3-D ones looked at from the front
            where it is a 2-D model.
        rows: ``[L]`` those to score; by default all.
        views: Views a clip, at most; see `plan_views`.
        precision: Arithmetic of the layers: ``fp32``, ``bf16`` or ``fp16``.
        workers: Threads that prepare batches ahead.
        progress: Show a progress bar on a terminal.
        pixels: Those of the clips, for a model that wants them; without, it scores by the
            skeleton alone.

    Returns:
        ``[L, classes]`` float64 probabilities; a row sums to 1, or to less where the model
        rejects.

    Raises:
        SkelactError: The clips cannot be brought into the form that the model takes, or what it
            says of them is not finite.
        LayoutError: Their skeleton cannot be converted.
    """
    arrays, clip = fit_clips(model, arrays)
    rows = np.arange(len(arrays)) if rows is None else np.asarray(rows, np.int64)
    plan = plan_views(clip, trained_augment(model), views)
    network = model.network if pixels is None else join_pixels(model)
    scores = score_clips(network, clip, arrays, rows, len(model.classes), plan, precision, workers,
                         progress, pixels)
    if not np.isfinite(scores).all():
        raise SkelactError(f"expected finite scores; those of {(~np.isfinite(scores)).any(1).sum()}"
                           f" of {len(rows)} clips are not: the joints hold extreme values, or the "
                           "weights are broken")
    return scores


def fit_clips(model: ActionModel, arrays: ClipArrays) -> tuple[ClipArrays, ClipConfig]:
    """Clips in the skeleton of a model, and the form that it takes them in, settled.

    Raises:
        LayoutError: Their skeleton cannot be converted.
        ChoiceError: The clips cannot be brought into the form.
    """
    arrays = remap_arrays(arrays, model.layout)
    images = arrays.image_size is not None and bool((arrays.image_size > 0).all())
    return arrays, settle_form(model.clip, arrays.layout, arrays.dims, images)


def trained_augment(model: ActionModel) -> AugmentConfig:
    """How the clips of a model's training were changed; not at all where nothing is known."""
    known = AugmentConfig.__dataclass_fields__
    stored = model.training.get("augment") or {}
    return AugmentConfig(**{name: value for name, value in stored.items() if name in known})


def score_clips(
    network: nn.Module, clip: ClipConfig, arrays: ClipArrays, rows: np.ndarray, num_classes: int,
    views: Views = Views(), precision: str = "fp32", workers: int = 0,  # noqa: B008 - frozen
    progress: bool = False, pixels: ClipPixels | None = None,
) -> np.ndarray:
    """``[L, num_classes]`` float64 probability of every action for every row.

    Args:
        network: Scores clips; on its device.
        clip: The form of its clips, settled.
        arrays: Clips in its skeleton.
        rows: ``[L]`` those to score.
        num_classes: Actions.
        views: How each is looked at; the probabilities of the views are averaged.
        precision: Arithmetic of the layers.
        workers: Threads that prepare batches ahead.
        progress: Show a progress bar on a terminal, one for the clips and one for their mirrors.
        pixels: Those of the clips, for a network of two streams.
    """
    return np.mean([
        probabilities(network, view_loader(clip, arrays, rows, views, mirror, workers),
                      num_classes, precision, progress, pixels
                      ).reshape(len(rows), views.parts, num_classes).mean(axis=1)
        for mirror in views.mirrors
    ], axis=0)


@torch.inference_mode()
def probabilities(
    network: nn.Module, loader: Loader, num_classes: int, precision: str = "fp32",
    progress: bool = False, pixels: ClipPixels | None = None,
) -> np.ndarray:
    """``[draws, num_classes]`` float64 in the loader's order."""
    network.eval()
    device = next(network.parameters()).device
    parts = [torch.empty(0, num_classes)]
    batches = loader if len(loader.rows) else ()
    for batch in tqdm(batches, "scoring", leave=False, unit="batch",
                      disable=None if progress else True):
        with autocast(precision, device):
            clips = batch.clips.to(device, non_blocking=True)
            scores = (network(clips) if pixels is None
                      else _judge(network, clips, batch.index, pixels))
        parts.append(action_probabilities(scores.float(), num_classes).cpu())
    return torch.cat(parts).double().numpy()


def _judge(network: TwoStream, clips: Tensor, index: Tensor, pixels: ClipPixels) -> Tensor:
    """``[B, num_scores]`` with pixels; views of one clip, which are neighbours, share one look."""
    rows, repeats = index.unique_consecutive(return_counts=True)
    tokens, seen = network.look(*pixels.read(rows.numpy()).to(clips.device))
    if tokens is None:
        return network(clips)
    repeats = repeats.to(clips.device)
    seen = None if seen is None else seen.repeat_interleave(repeats)
    return network.judge(clips, tokens.repeat_interleave(repeats, dim=0), seen)
