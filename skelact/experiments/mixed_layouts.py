"""One network for several data sets with different skeletons at once, a head for each.

The convolutions are shared, through the sparse path (`skelact.models.sparse_st_gcn`): a batch mixes
skeletons as they are, no joint is left out. Heads are slices of one: every data set is scored by
its own classes only. What comes out is an ordinary dense model for each data set.

With a common sub-skeleton and joint classes instead, it is ``skelact cross-domain --pooled``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from skelact.config import TrainConfig
from skelact.datasets.loader import Batch, Loader
from skelact.device import choose_device
from skelact.errors import ChoiceError, SkelactError
from skelact.experiments.domains import Domain
from skelact.models.checkpoint import ActionModel, build_network
from skelact.models.classifier import find_present
from skelact.models.sparse_st_gcn import SparseClassifier
from skelact.nn.sparse import batch_skeletons
from skelact.training.batches import train_sampling
from skelact.training.optim import learning_rate, make_optimizer, set_rate
from skelact.transforms.clip_form import form_clips, settle_form


def train_mixed(
    domains: Sequence[Domain], rows: Sequence[np.ndarray], config: TrainConfig
) -> dict[str, ActionModel]:
    """Train an ST-GCN on several data sets together.

    Each step takes as many clips of every data set; an epoch is a pass over the largest.

    Args:
        domains: Two data sets or more, all 2-D or all 3-D, each in its own skeleton (see
            `skelact.experiments.domains.open_domains`; data sets of one skeleton share its input
            norm).
        rows: ``[L]`` labelled training clips of each.
        config: Settings; of ``network`` the width, partition and dropout, of ``clip`` all, and of
            ``augment`` all but mixup; ``optim.batch_size`` counts the clips of all data sets
            together. Trained is on ``device``, in fp32.

    Returns:
        Name of a data set -> its model, dense, with its own classes.

    Raises:
        ChoiceError: Another network than ST-GCN, or a setting that is not heeded here.
        SkelactError: Fewer than two data sets, 2-D and 3-D mixed, a data set without rows, or a
            loss that is not finite.
    """
    _check(domains, rows, config)
    device = choose_device(config.device)
    torch.manual_seed(config.seed)
    clips = [_form(domain, config) for domain in domains]
    sizes = [len(domain.classes) for domain in domains]
    skeletons = list({domain.joints.target.name: domain.joints.target for domain in domains
                      }.values())
    dense = build_network(_architecture(config, clips[0].channels, sum(sizes)), skeletons[0])
    network = SparseClassifier(dense, *skeletons[1:]).train().to(device)
    loaders = [_loader(domain, chosen, clip, config, len(domains))
               for domain, chosen, clip in zip(domains, rows, clips, strict=True)]
    steps = max(map(len, loaders))
    optimizer = make_optimizer(network, config.optim)
    sources = [_endless(loader) for loader in loaders]
    for step in tqdm(range(config.optim.epochs * steps), desc="steps", leave=False, disable=None):
        set_rate(optimizer, learning_rate(step, steps, config.optim))
        loss = _loss(network, [next(source) for source in sources], domains, sizes,
                     config.optim.label_smoothing)
        if not torch.isfinite(loss):
            raise SkelactError(f"the loss is not finite at step {step}; lower --optim.lr")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    starts = np.cumsum([0, *sizes])
    return {domain.name: _dense_model(network, domain, clip, slice(start, start + size), config)
            for domain, clip, start, size in zip(domains, clips, starts, sizes, strict=False)}


def _loss(
    network: SparseClassifier, batches: Sequence[Batch], domains: Sequence[Domain],
    sizes: Sequence[int], smoothing: float,
) -> Tensor:
    """The mean over the data sets of the loss of each under its own head."""
    people, graphs, labels = [], [], []
    device = next(network.parameters()).device
    for batch, domain in zip(batches, domains, strict=True):
        seen = find_present(batch.clips)
        graph = network.graphs[domain.joints.target.name]
        for clip, present, label in zip(batch.clips, seen, batch.labels, strict=True):
            if present.any():  # everybody in a sparse clip is convolved
                people.append(clip[present].to(device))
                graphs.append(graph)
                labels.append((len(labels), domain, label))
    scores = network(batch_skeletons(people, graphs))
    losses, start = [], 0
    for domain, size in zip(domains, sizes, strict=True):
        own = [(place, label) for place, of, label in labels if of is domain]
        if own:
            places, truth = (torch.tensor([int(pair[i]) for pair in own], device=device)
                             for i in (0, 1))
            losses.append(nn.functional.cross_entropy(scores[places, start : start + size], truth,
                                                      label_smoothing=smoothing))
        start += size
    return torch.stack(losses).mean()


def _check(
    domains: Sequence[Domain], rows: Sequence[np.ndarray], config: TrainConfig
) -> None:
    if config.network.name != "stgcn":
        raise ChoiceError(f"expected the network stgcn, whose layers have a sparse twin; got "
                          f"{config.network.name!r}")
    kinds = {domain.arrays.dims for domain in domains}
    if len(domains) < 2 or len(kinds) > 1:
        raise SkelactError("expected two data sets or more, all 2-D or all 3-D; got "
                           + (", ".join(f"{domain.name} ({domain.arrays.dims}-D)"
                                        for domain in domains) or "none"))
    if len(rows) != len(domains):
        raise SkelactError(f"expected rows of each of {len(domains)} data sets, got {len(rows)}")
    for domain, chosen in zip(domains, rows, strict=True):
        if not len(chosen):
            raise SkelactError(f"expected training clips of every data set, got none of "
                               f"{domain.name}; leave it out, or choose another split")
    _check_settings(config)


_UNHEEDED = {
    "": ("background", "init", "compile"),
    "network": ("absent", "freeze_layers", "freeze_norm"),
    "optim": ("accumulate", "repeat", "class_weights", "clip_norm", "ema", "patience"),
    "augment": ("mixup",),
}
"""Part of the settings -> what of it `skelact.training.loop.train` heeds and this does not."""


def _check_settings(config: TrainConfig) -> None:
    """Refuse what would be ignored without a word."""
    if config.precision not in ("auto", "fp32"):
        raise ChoiceError("expected precision auto or fp32, in which several data sets are trained "
                          f"together; got {config.precision!r}")
    for part, names in _UNHEEDED.items():
        chosen = getattr(config, part) if part else config
        usual = type(chosen)()
        for name in names:
            if getattr(chosen, name) != getattr(usual, name):
                raise ChoiceError(
                    f"{part and part + '.'}{name} is not heeded where data sets are trained "
                    f"together; expected {getattr(usual, name)!r}, got {getattr(chosen, name)!r}")


def _form(domain: Domain, config: TrainConfig):
    clip = config.clip
    if domain.arrays.dims == 2 and clip.normalise == "auto":
        clip = replace(clip, normalise="body")
    return settle_form(clip, domain.joints.target, domain.arrays.dims, images=False)


def _architecture(config: TrainConfig, channels: int, num_classes: int) -> dict:
    arguments = {"num_classes": num_classes, "in_channels": channels,
                 "dropout": config.network.dropout}
    for option in ("base_channels", "partition"):
        if value := getattr(config.network, option):
            arguments[option] = value
    return {"name": "stgcn", "arguments": arguments}


def _loader(domain: Domain, rows: np.ndarray, clip, config: TrainConfig, parts: int) -> Loader:
    size = max(1, round(config.optim.batch_size / parts))
    return Loader(*domain.convert(rows), size, sampling=train_sampling(replace(config, clip=clip)),
                  transform=form_clips(clip, domain.arrays.dims, config.augment),
                  people=clip.people, seed=config.seed, workers=config.workers)


def _endless(loader: Loader) -> Iterator[Batch]:
    while True:
        yield from loader


def _dense_model(
    network: SparseClassifier, domain: Domain, clip, own: slice, config: TrainConfig
) -> ActionModel:
    """The dense network of a data set, with its slice of the head."""
    layout = domain.joints.target
    twin = network.dense(layout.name)
    architecture = _architecture(config, clip.channels, len(domain.classes))
    weights = twin.state_dict()
    weights |= {f"head.{name}": weights[f"head.{name}"][own] for name in ("weight", "bias")}
    dense = build_network(architecture, layout)
    dense.load_state_dict(weights)
    return ActionModel(dense.eval().requires_grad_(False), domain.classes, clip, architecture,
                       data={"name": domain.name}, name=domain.name)
