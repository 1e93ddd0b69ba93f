"""Fitting a model to other data without their labels.

Every function gives a new `ActionModel` and leaves the one it was given as it is. Which clips are
given decides: those of the target that are there to learn from, or those to be recognized
themselves (transductive). Labels are never looked at. Views and mirrored clips at test time are
`skelact.evaluation.scoring.score_model`'s ``views``.
"""

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from sklearn.covariance import ledoit_wolf
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from skelact.checks import check_choice
from skelact.datasets.arrays import ClipArrays
from skelact.datasets.loader import Loader
from skelact.errors import ChoiceError, SkelactError
from skelact.evaluation.domain_distance import matrix_power
from skelact.evaluation.features import extract_features
from skelact.evaluation.scoring import fit_clips
from skelact.evaluation.views import Views, view_sampling
from skelact.models.checkpoint import ActionModel
from skelact.models.inference import InferenceClassifier
from skelact.transforms.clip_form import form_clips

ADAPTATIONS = ("batch_norm", "coral", "entropy")
"""The ways to adapt, as the command line calls them."""
_LEAST = 1e-9
"""Eigenvalues of a covariance that rounding made tiny are held up to this share of the largest."""


def adapt(
    name: str, model: ActionModel, source: tuple[ClipArrays, np.ndarray] | None,
    target: tuple[ClipArrays, np.ndarray],
) -> ActionModel:
    """Adapt in the way of that name, with its usual settings.

    Args:
        name: One of `ADAPTATIONS`.
        model: The model.
        source: Clips like those it was trained on, and rows of them; CORAL needs them.
        target: Clips to adapt to, and rows of them.

    Raises:
        ChoiceError: No such way, or CORAL without clips of the source.
        SkelactError: See the functions.
    """
    check_choice(name, ADAPTATIONS, "an adaptation")
    if name == "coral":
        if source is None:
            raise ChoiceError("expected clips that the model was trained on, whose features CORAL "
                              "aligns others with; pass their store (--train STORE)")
        return adapt_coral(model, source, target)
    change = adapt_batch_norm if name == "batch_norm" else adapt_entropy
    return change(model, *target)


def adapt_batch_norm(
    model: ActionModel, arrays: ClipArrays, rows: np.ndarray | None = None, share: float = 1.0,
    batch_size: int = 64, seed: int = 0,
) -> ActionModel:
    """AdaBN: every batch norm takes its mean and variance from the target.

    One pass over the clips; statistics are the mean over its batches, which are equal in size. A
    layer is measured while those before it normalise by the batch.

    Args:
        model: The model; a network whose norms are folded away has none.
        arrays: Clips of the target; labels are not looked at.
        rows: ``[L]`` those to measure; by default all. A few dozen at least.
        share: Of the target in the statistics, the rest is the source's; 1 forgets the source.
        batch_size: Clips a batch.
        seed: Of the order of the clips.

    Raises:
        SkelactError: No batch norm, fewer than two clips with anybody in them, or clips that do
            not fit the model.
        ChoiceError: A share outside of 0..1.

    Source: Li et al., "Revisiting Batch Normalization for Practical Domain Adaptation", 2016.
    """
    if not 0 <= share <= 1:
        raise ChoiceError(f"expected share in 0..1, got {share}")
    network = copy.deepcopy(model.network)
    norms, before = _norms(network), copy.deepcopy(_statistics(network))
    with torch.inference_mode(), _measuring(network, norms):
        for number, clips in enumerate(_batches(model, arrays, rows, batch_size, seed)):
            for norm in norms:
                norm.momentum = 1 / (number + 1)  # the mean of the batches so far
            network(clips)
    for now, then in zip(_statistics(network), before, strict=True):
        now.copy_(share * now + (1 - share) * then)
    return replace(model, network=network)


def adapt_coral(
    model: ActionModel, source: tuple[ClipArrays, np.ndarray],
    target: tuple[ClipArrays, np.ndarray],
) -> ActionModel:
    """CORAL: the target's pooled features get the mean and covariance of the source's.

    The map is affine, ``A (f - m_target) + m_source`` with ``A = C_source^(1/2)
    C_target^(-1/2)``, so it is folded into the head. (The original moves the source's features
    and trains the head again; this needs no training.) Covariances are estimated by Ledoit and
    Wolf, for there may be fewer clips than features.

    Args:
        model: The model.
        source: Clips like those it was trained on, and rows ``[L1]`` of them.
        target: Clips of the target, and rows ``[L2]`` of them; labels are not looked at.

    Raises:
        SkelactError: Fewer than two clips of a side, or clips that do not fit the model.

    Source: Sun, Feng and Saenko, "Return of Frustratingly Easy Domain Adaptation", AAAI 2016.
    """
    features = [extract_features(model, arrays, rows) for arrays, rows in (source, target)]
    if min(map(len, features)) < 2:
        raise SkelactError(f"expected at least two clips of each side for their covariance, got "
                           f"{len(features[0])} and {len(features[1])}")
    (mean, spread), (target_mean, target_spread) = (
        (part.mean(axis=0), ledoit_wolf(part)[0]) for part in features)
    change = matrix_power(spread, 0.5, _LEAST) @ matrix_power(target_spread, -0.5, _LEAST)
    network = copy.deepcopy(model.network)
    head = network.head
    weight = head.weight.detach().double().cpu().numpy()
    with torch.no_grad():
        moved = torch.from_numpy(weight @ change)
        shift = torch.from_numpy(weight @ (mean - change @ target_mean))
        head.weight.copy_(moved.to(head.weight))
        head.bias.add_(shift.to(head.bias))
    return replace(model, network=network)


def adapt_entropy(
    model: ActionModel, arrays: ClipArrays, rows: np.ndarray | None = None, lr: float = 1e-3,
    steps: int = 20, batch_size: int = 64, seed: int = 0,
) -> ActionModel:
    """TENT: scale and shift of the batch norms are turned so that predictions get surer.

    A bounded number of steps of Adam on the mean entropy of the predictions, each normalised by
    its own batch; then the statistics of the norms are measured on the target, as in
    `adapt_batch_norm`. Nothing else is changed. More steps are not better: an entropy of 0 is also
    that of one class for all.

    Args:
        model: The model.
        arrays: Clips of the target; labels are not looked at.
        rows: ``[L]`` those to learn from; by default all.
        lr: Learning rate.
        steps: Batches at most; with fewer clips they come again in another order.
        batch_size: Clips a batch; small ones make the statistics, and so the steps, noisy.
        seed: Of the order of the clips.

    Raises:
        SkelactError: See `adapt_batch_norm`; or the entropy is no longer finite.

    Source: Wang et al., "Tent: Fully Test-Time Adaptation by Entropy Minimization", ICLR 2021.
    """
    if steps < 0 or lr < 0:
        raise ChoiceError(f"expected steps and lr of 0 or more, got {steps} and {lr}")
    network = copy.deepcopy(model.network).requires_grad_(False)
    norms = _norms(network)
    affine = [weight.requires_grad_() for norm in norms for weight in (norm.weight, norm.bias)
              if weight is not None]
    before = copy.deepcopy(_statistics(network))
    optimizer = torch.optim.Adam(affine, lr)
    with torch.inference_mode(False), torch.enable_grad(), _measuring(network, norms):
        for clips in _some(model, arrays, rows, batch_size, seed, steps):
            entropy = _entropy(network(clips.clone()), len(model.classes))
            if not torch.isfinite(entropy):
                raise SkelactError("the entropy of the predictions is not finite; lower lr")
            optimizer.zero_grad()
            entropy.backward()
            optimizer.step()
    for now, then in zip(_statistics(network), before, strict=True):
        now.copy_(then)
    adapted = replace(model, network=network.requires_grad_(False))
    return adapt_batch_norm(adapted, arrays, rows, 1.0, batch_size, seed)


def _norms(network: nn.Module) -> list[_BatchNorm]:
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    if not norms or isinstance(network, InferenceClassifier):
        raise SkelactError("expected a network with batch norms to adapt; this one has none, or "
                           "for_inference folded them away: adapt first")
    return norms


def _statistics(network: nn.Module) -> list[Tensor]:
    return [value for norm in _norms(network) for value in (norm.running_mean, norm.running_var)]


@contextlib.contextmanager
def _measuring(network: nn.Module, norms: list[_BatchNorm]) -> Iterator[None]:
    """Norms normalise by the batch and remember it; all else is as in evaluation."""
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.train()
    try:
        yield
    finally:
        network.eval()
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def _batches(
    model: ActionModel, arrays: ClipArrays, rows: np.ndarray | None, batch_size: int, seed: int
) -> Iterator[Tensor]:
    """Clips in random order, without those that show nobody, in batches about equal in size."""
    arrays, clip = fit_clips(model, arrays)
    rows = np.arange(len(arrays)) if rows is None else np.asarray(rows, np.int64)
    rows = rows[np.diff(arrays.clip_offsets)[rows] > 0]
    if len(rows) < 2:
        raise SkelactError(f"expected at least two clips with somebody in them to adapt to, got "
                           f"{len(rows)}")
    loader = Loader(arrays, rows, min(batch_size, len(rows)), people=clip.people, seed=seed,
                    sampling=view_sampling(clip, Views()), shuffle=True,
                    transform=form_clips(clip, arrays.dims))
    device = next(model.network.parameters()).device
    for batch in loader:
        yield batch.clips.to(device)


def _some(model, arrays, rows, batch_size: int, seed: int, steps: int) -> Iterator[Tensor]:
    epoch = given = 0
    while given < steps:
        for clips in _batches(model, arrays, rows, batch_size, seed + epoch):
            if given == steps:
                return
            given += 1
            yield clips
        epoch += 1


def _entropy(scores: Tensor, num_classes: int) -> Tensor:
    """Mean entropy of which action, whether or not it is any."""
    log_shares = scores[:, :num_classes].float().log_softmax(dim=1)
    return -(log_shares.exp() * log_shares).sum(dim=1).mean()
