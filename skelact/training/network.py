"""The network of a run, and what its checkpoints say of it."""

from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from skelact.config import TrainConfig
from skelact.errors import ChoiceError
from skelact.models.checkpoint import ActionModel, build_network
from skelact.models.torch_file import read_torch_file
from skelact.models.transfer import freeze, init_from, read_architecture, train_mode
from skelact.rgb.encoders import build_encoder
from skelact.rgb.two_stream import build_two_stream, check_look, fill_pixels, split_pixels
from skelact.training.data import TrainingData
from skelact.training.distributed import World


def make_network(
    config: TrainConfig, data: TrainingData, world: World, resumed: dict | None = None
) -> nn.Module:
    """The network of a run on the device, with fresh weights or those of ``config.init``.

    With pixels it is one of two streams; the skeleton's is the one that it would be without.

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
    if config.rgb.encoder:
        network = _add_pixels(network, config, data, resumed is not None)
    return network.to(world.device)


def _add_pixels(
    skeleton: nn.Module, config: TrainConfig, data: TrainingData, resumed: bool
) -> nn.Module:
    """A network of two streams, with the weights of the encoder that were asked for."""
    rgb = config.rgb
    encoder = build_encoder(rgb.encoder, "random" if resumed else rgb.weights,
                            **_encoder_arguments(config))
    check_look(encoder, rgb.cut)
    if not rgb.lr:
        encoder.requires_grad_(False)
    return build_two_stream(skeleton, encoder, len(data.classes), rgb.fusion)


def _encoder_arguments(config: TrainConfig) -> dict[str, str | int]:
    rgb = config.rgb
    return ({"backbone": rgb.backbone} if rgb.backbone else {}) | (
        {"alpha": rgb.alpha} if rgb.encoder == "slowfast" else {})


def set_train_mode(network: nn.Module, config: TrainConfig) -> None:
    """Training mode, but for what is to keep its statistics."""
    network.train()
    train_mode(getattr(network, "skeleton", network), config.network.freeze_layers,
               config.network.freeze_norm)
    if config.rgb.encoder and not config.rgb.lr:
        network.encoder.eval()


def restore_weights(network: nn.Module, path: Path) -> None:
    """Give a network the weights of a checkpoint of its own run.

    Raises:
        WeightsError: The file is damaged.
    """
    content = read_torch_file(path)
    getattr(network, "skeleton", network).load_state_dict(content["weights"])
    if "pixels" in content:
        fill_pixels(network, content["pixels"]["weights"])


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
    architecture, pixels, rgb = network.architecture, None, config.rgb
    if rgb.encoder:
        network, pixels = split_pixels(network, rgb.cut, rgb.encoder, _encoder_arguments(config),
                                       rgb.fusion)
    return ActionModel(
        network=network, classes=data.classes, clip=config.clip, architecture=architecture,
        pixels=pixels,
        rejects=data.background is not None,
        # folders by name: a checkpoint must not tell where on a machine the data lay
        training=asdict(config) | {
            "data": Path(config.data).name if config.data else None,
            "background": [Path(b).name for b in config.background],
            "exclude": Path(config.exclude).name, "init": config.init and Path(config.init).name,
            "protocol": name_protocol(config.protocol),
            "rgb": asdict(rgb) | {name: Path(getattr(rgb, name)).name
                                  for name in ("weights", "videos", "cache")}},
        data={"name": data.name, "train_clips": len(data.train), "val_clips": len(data.val),
              "background_clips": 0 if data.background is None else len(data.background.train),
              "fingerprint": data.fingerprint},
    )
