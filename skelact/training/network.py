"""The network of a run, and what its checkpoints say of it."""

from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from skelact.config import TrainConfig
from skelact.errors import ChoiceError
from skelact.models.checkpoint import ActionModel, build_network
from skelact.models.transfer import freeze, init_from, read_architecture
from skelact.training.data import TrainingData
from skelact.training.distributed import World


def make_network(
    config: TrainConfig, data: TrainingData, world: World, resumed: dict | None = None
) -> nn.Module:
    """The network of a run on the device, with fresh weights or those of ``config.init``.

    Args:
        config: The run; what it leaves open is as in ``config.init``.
        data: What it learns from.
        world: The processes.
        resumed: Architecture of a run that is resumed, which brings its own weights.
    """
    torch.manual_seed(config.seed)
    architecture = resumed or describe_network(config, data)
    network = build_network(architecture, data.arrays.layout)
    fresh = ()
    if config.init and not resumed:
        transfer = init_from(network, config.init, data.classes, data.background is not None,
                             config.clip)
        fresh = transfer.fresh
        if world.is_main:
            tqdm.write(str(transfer))
    freeze(network, config.network.freeze_layers, config.network.freeze_norm, fresh)
    return network.to(world.device)


def describe_network(config: TrainConfig, data: TrainingData) -> dict:
    """The architecture that a checkpoint stores; see `build_network`.

    Raises:
        WeightsError: ``config.init`` cannot be used.
        ChoiceError: It takes fewer persons than the run has.
    """
    arguments = _inherited(config) | {
        "num_classes": len(data.classes) + (data.background is not None),
        "in_channels": config.clip.channels,
        "dropout": config.network.dropout,
        "absent": config.network.absent,
    }
    for option in ("base_channels", "partition"):
        if value := getattr(config.network, option):  # else the network's own
            arguments[option] = value
    return {"name": config.network.name, "arguments": arguments}


def _inherited(config: TrainConfig) -> dict:
    """Arguments of the network to start from: a run has no options for many of them."""
    if not config.init:
        return {}
    source = read_architecture(config.init)
    if source["name"] != config.network.name:
        return {}  # refused where the weights are taken over, with what to pass
    slots = source["arguments"].get("norm_slots") or config.clip.people
    if config.clip.people > slots:
        raise ChoiceError(f"{config.init} normalises each of {slots} person slots apart, and the "
                          f"run has {config.clip.people}; pass --clip.people {slots}")
    return source["arguments"]


def name_protocol(protocol: str) -> str:
    """What a checkpoint calls a protocol: a table by its name, without its folder."""
    return Path(protocol).name if protocol.endswith(".csv") else protocol


def describe_model(
    config: TrainConfig, data: TrainingData, network: nn.Module
) -> ActionModel:
    """The network with all that a checkpoint says of it, as yet without threshold and metrics."""
    return ActionModel(
        network=network, classes=data.classes, clip=config.clip,
        architecture=network.architecture,
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
