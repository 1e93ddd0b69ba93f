"""What a network is worth: scores of clips, the rejection threshold, the test split."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from skelact.config import TrainConfig
from skelact.datasets.arrays import ClipArrays
from skelact.datasets.loader import Loader
from skelact.errors import SkelactError
from skelact.evaluation import scoring
from skelact.evaluation.clip_pixels import ClipPixels
from skelact.evaluation.metrics import mean_class_accuracy, rejection_threshold, top_k_accuracy
from skelact.evaluation.modality_fusion import fit_logistic, tune_weights
from skelact.evaluation.views import plan_views
from skelact.training.batches import train_sampling
from skelact.training.data import TrainingData
from skelact.training.distributed import World, gather_rows
from skelact.transforms.clip_form import form_clips

FALSE_RATE = 0.02
"""Share of held-out clips of other actions that may get a name."""


def score_clips(
    network: nn.Module, config: TrainConfig, data: TrainingData, rows: np.ndarray, world: World,
    views: int = 1,
) -> np.ndarray:
    """``[L, classes]`` float64 probability of every action for every row, the mean of its views.

    Processes share the rows; each gets the whole result.
    """
    scores = scoring.score_clips(
        network, config.clip, data.arrays, rows[world.rank :: world.size], len(data.classes),
        plan_views(config.clip, config.augment, views), config.precision, config.workers,
        pixels=data.pixels)
    return gather_rows(world, scores)


def count_views(config: TrainConfig) -> int:
    """How many views of a test clip there are; `TrainConfig.test_clips` at most."""
    return plan_views(config.clip, config.augment, config.test_clips).count


def validate(
    network: nn.Module, config: TrainConfig, data: TrainingData, world: World
) -> dict[str, float]:
    """Loss and accuracy on the validation part; nothing where there is none.

    Raises:
        SkelactError: Weights have grown so large that scores are not finite.
    """
    if not len(data.val):
        return {}
    scores = score_clips(network, config, data, data.val, world)
    if not np.isfinite(scores).all():
        raise SkelactError("the scores of validation clips are no longer finite; lower --optim.lr")
    labels = data.arrays.labels[data.val]
    own = scores[np.arange(len(labels)), labels]
    return {"val_loss": float(-np.log(own.clip(1e-12)).mean()),
            "val_accuracy": top_k_accuracy(scores, labels)}


def learn_fusion(
    network: nn.Module, config: TrainConfig, data: TrainingData, world: World
) -> dict[str, Tensor]:
    """Weights, or a regression, of late fusion from validation clips; nothing where none is asked.

    Returns:
        Buffers of a `LateClassifier`.
    """
    if not config.rgb.encoder or not (config.rgb.tune or config.rgb.fusion == "logistic"):
        return {}
    labels, scores = data.arrays.labels[data.val], []
    for weights in ((1.0, 0.0), (0.0, 1.0)):
        network.weights.copy_(torch.tensor(weights))
        scores.append(score_clips(network, config, data, data.val, world))
    # a clip without pixels is scored by its skeleton both times
    present = np.stack([np.ones(len(labels), bool), (scores[0] != scores[1]).any(axis=1)])
    if config.rgb.tune:
        tuned = tune_weights(scores, labels, present)
        if world.is_main:
            tqdm.write(f"late fusion: {tuned[0]:.2f} skeleton, {tuned[1]:.2f} pixels")
        return {"weights": torch.tensor(tuned)}
    fitted = fit_logistic(scores, labels, present)
    return {"weights": torch.tensor([0.5, 0.5]),
            "coefficients": torch.from_numpy(fitted.coefficients).float(),
            "intercepts": torch.from_numpy(fitted.intercepts).float()}


def set_threshold(
    network: nn.Module, config: TrainConfig, data: TrainingData
) -> tuple[float, dict[str, float | None]]:
    """The rejection threshold from held-out clips of known and of other actions; what it does."""
    if data.background is None:
        return 0.0, {}
    known = _top_probability(network, config, data.arrays, data.val, len(data.classes), draws=8,
                             pixels=data.pixels)
    unknown = _top_probability(network, config, data.background.arrays, data.background.held_out,
                               len(data.classes), draws=4)
    threshold = rejection_threshold(known, unknown, FALSE_RATE)
    return threshold, {"accepted_val": _share(known >= threshold),
                       "accepted_other_val": _share(unknown >= threshold)}


def _top_probability(
    network: nn.Module, config: TrainConfig, arrays: ClipArrays, rows: np.ndarray,
    num_classes: int, draws: int, pixels: ClipPixels | None = None,
) -> np.ndarray:
    """Highest action probability of random windows, changed as in training."""
    loader = Loader(arrays, rows, 64, sampling=train_sampling(config), seed=7, repeat=draws,
                    transform=form_clips(config.clip, arrays.dims, config.augment),
                    people=config.clip.people, workers=config.workers)
    scores = scoring.probabilities(network, loader, num_classes, config.precision, pixels=pixels)
    return scores.max(axis=1, initial=0.0)


def score_test(
    network: nn.Module, config: TrainConfig, data: TrainingData, threshold: float, world: World
) -> tuple[np.ndarray, dict]:
    """Scores of the test split and what they say; called once a run."""
    whole = score_clips(network, config, data, data.test, world)
    scores = whole
    if config.test_clips > 1:
        scores = score_clips(network, config, data, data.test, world, config.test_clips)
    labels = data.arrays.labels[data.test]
    metrics = {
        "num_clips": len(labels),
        "top1": top_k_accuracy(scores, labels),
        "top5": top_k_accuracy(scores, labels, k=5),
        "mean_class_accuracy": mean_class_accuracy(scores, labels),
        "top1_whole": top_k_accuracy(whole, labels),
    }
    if data.pixels is not None:
        alone = score_clips(network, config, replace(data, pixels=None), data.test, world)
        metrics["top1_skeleton_alone_whole"] = top_k_accuracy(alone, labels)
    if data.background is not None:
        metrics["accepted_test_whole"] = _share(whole.max(axis=1) >= threshold)
    return scores, metrics


def _share(accepted: np.ndarray) -> float | None:
    return float(accepted.mean()) if len(accepted) else None
