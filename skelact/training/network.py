"""The network of a run, and what its checkpoints say of it."""

from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from skelact.config import TrainConfig
from skelact.models.checkpoint import ActionModel, build_network
from skelact.models.transfer import freeze, init_from
from skelact.training.data import TrainingData
from skelact.training.distributed import World


def make_network(
    config: TrainConfig, data: TrainingData, world: World, begin: bool = True
) -> nn.Module:
    """The network of a run on the device, with fresh weights or those of ``config.init``.

    A run that is resumed (not ``begin``) brings its own weights.
    """
    torch.manual_seed(config.seed)
    network = build_network(describe_network(config, data), data.arrays.layout)
    fresh = ()
    if config.init and begin:
        transfer = init_from(network, config.init, data.classes, data.background is not None,
                             config.clip)
        fresh = transfer.fresh
        if world.is_main:
            tqdm.write(str(transfer))
    freeze(network, config.network.freeze_layers, config.network.freeze_norm, fresh)
    return network.to(world.device)


def describe_network(config: TrainConfig, data: TrainingData) -> dict:
    """The architecture that a checkpoint stores; see `build_network`."""
    arguments = {
        "num_classes": len(data.classes) + (data.background is not None),
        "in_channels": config.clip.channels,
        "dropout": config.network.dropout,
        "absent": config.network.absent,
    }
    for option in ("base_channels", "partition"):
        if value := getattr(config.network, option):  # else the network's own
            arguments[option] = value
    return {"name": config.network.name, "arguments": arguments}


def name_protocol(protocol: str) -> str:
    """What a checkpoint calls a protocol: a table by its name, without its folder."""
    return Path(protocol).name if protocol.endswith(".csv") else protocol


def describe_model(
    config: TrainConfig, data: TrainingData, network: nn.Module
) -> ActionModel:
    """The network with all that a checkpoint says of it, as yet without threshold and metrics."""
    return ActionModel(
        network=network, classes=data.classes, clip=config.clip,
        architecture=describe_network(config, data),
        rejects=data.background is not None,
        # folders by name: a checkpoint must not tell where on a machine the data lay
        training=asdict(config) | {
            "data": Path(config.data).name if config.data else None,
            "background": [Path(b).name for b in config.background],
            "exclude": Path(config.exclude).name, "init": config.init and Path(config.init).name,
            "protocol": name_protocol(config.protocol)},
        data={"name": data.name, "train_clips": len(data.train), "val_clips": len(data.val),
              "background_clips": 0 if data.background is None else len(data.background.train),
              "fingerprint": data.fingerprint},
    )
