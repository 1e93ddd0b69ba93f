"""One step of training: a batch forward, its loss, backward, new weights."""

import numpy as np
import torch
from torch import Generator, Tensor, nn

from skelact.config import TrainConfig
from skelact.device import autocast
from skelact.rgb.two_stream import LateClassifier
from skelact.training.batches import Mixture
from skelact.training.optim import loss_of_actions, loss_of_rejection
from skelact.training.state import TrainState
from skelact.transforms.augment import mixup


def take_step(config: TrainConfig, state: TrainState, mixture: Mixture, num_classes: int) -> None:
    """Go one step down the loss of a batch and add it to the sums of the epoch.

    A process has its share of the batch, cut into `OptimConfig.accumulate` pieces; every clip
    weighs the same wherever it is.
    """
    optim, device = config.optim, state.world.device
    # spread by numpy: torch would look at 32 bits of a number only
    chance = np.random.SeedSequence([config.seed, state.step, state.world.rank])
    dropout, blending = map(int, chance.generate_state(2))
    torch.manual_seed(dropout)
    clips, labels, targets = _join(config, mixture, num_classes, blending)
    totals = mixture.labelled.total, sum(batch.total for batch in
                                         (mixture.labelled, *mixture.others))
    own = torch.arange(len(labels)) < len(mixture.labelled.labels)  # what an epoch adds up
    state.optimizer.zero_grad(set_to_none=True)
    for piece in range(optim.accumulate):
        part = slice(piece, None, optim.accumulate)
        last = piece == optim.accumulate - 1
        with state.synchronised(last):
            known = (labels[part] < num_classes).to(device)
            with autocast(config.precision, device):
                said = state.parallel(clips[part].to(device, non_blocking=True),
                                      *_part(mixture, part, len(labels), device))
            scores, *beside = (said,) if isinstance(said, Tensor) else said
            scores = scores.float()
            aims = targets[part].to(device)
            loss = loss_of_actions(scores[known, :num_classes], aims[known],
                                   optim.label_smoothing, state.weights).sum() / totals[0]
            if beside:  # late fusion: what looks at pixels learns on its own
                looked, seen = beside[0].float(), beside[1] & known
                loss = loss + loss_of_actions(looked[seen], aims[seen], optim.label_smoothing,
                                              state.weights).sum() / totals[0]
            if scores.shape[1] > num_classes:
                loss = loss + loss_of_rejection(scores[:, num_classes],
                                                ~known).sum() / totals[1]
            state.scaler.scale(loss * state.world.size).backward()
        counted = own[part].to(device)
        guessed = scores[:, :num_classes]
        if beside:
            guessed = guessed.softmax(dim=1) + looked.softmax(dim=1) * beside[1][:, None]
        _add(state, loss, guessed[counted], labels[part].to(device)[counted], totals[0])
    if optim.clip_norm:
        state.scaler.unscale_(state.optimizer)
        for parameters in _learning_apart(state.network):
            nn.utils.clip_grad_norm_(parameters, optim.clip_norm)
    state.scaler.step(state.optimizer)
    state.scaler.update()
    if state.average is not None:
        state.average.update_parameters(state.network)
    state.step += 1


def _learning_apart(network: nn.Module) -> list[list[nn.Parameter]]:
    """The weights; of late fusion those of each stream: neither shortens the other's gradient."""
    if not isinstance(network, LateClassifier):
        return [[*network.parameters()]]
    return [[*network.skeleton.parameters()],
            [*network.encoder.parameters(), *network.head.parameters()]]


def _part(
    mixture: Mixture, part: slice, count: int, device: torch.device
) -> tuple[Tensor, ...]:
    """Pixels and presence of a piece of a batch of ``count`` clips; nothing without pixels.

    Clips of other actions, which come after the labelled ones, have none.
    """
    if mixture.pixels is None:
        return ()
    own = range(*part.indices(count))
    labelled = sum(row < len(mixture.labelled.labels) for row in own)
    values, present = mixture.pixels.values[part], mixture.pixels.present[part]
    others = len(own) - labelled
    if others:
        values = torch.cat([values, values.new_zeros(others, *values.shape[1:])])
        present = torch.cat([present, present.new_zeros(others, *present.shape[1:])])
    return values.to(device, non_blocking=True), present.to(device, non_blocking=True)


def _join(
    config: TrainConfig, mixture: Mixture, num_classes: int, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """``[B, M, N, C, T]`` clips, ``[B]`` labels and targets: ``[B]``, or with mixup shares."""
    batches = (mixture.labelled, *mixture.others)
    clips = [batch.clips for batch in batches]
    labels = torch.cat([batch.labels for batch in batches])
    targets = labels.clamp_max(num_classes - 1)  # of clips without a known action it is not read
    if config.augment.mixup:
        generator = Generator().manual_seed(seed)
        targets = nn.functional.one_hot(targets, num_classes).float()
        count = len(clips[0])
        clips[0], targets[:count] = mixup(clips[0], targets[:count], config.augment.mixup,
                                          generator)
    return torch.cat(clips), labels, targets


@torch.no_grad()
def _add(state: TrainState, loss: Tensor, scores: Tensor, labels: Tensor, total: int) -> None:
    right = (scores.argmax(dim=1) == labels).sum()
    seen = torch.full_like(right, len(labels))
    state.sums += torch.stack([loss.double() * total, right.double(), seen.double()])
