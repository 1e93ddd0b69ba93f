"""TimeSformer, ViViT and VideoMAE: the one door to the package transformers."""

import json
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from skelact.errors import (
    ChoiceError,
    MissingDependencyError,
    SkelactError,
    WeightsError,
    one_line,
)
from skelact.pose.estimators.weights import is_offline
from skelact.rgb.encoder import IMAGENET, VideoEncoder
from skelact.rgb.masking import tube_mask
from skelact.rgb.weights import State, build_filled, fill


class Published(NamedTuple):
    """A network of transformers, and weights of it that are published."""

    family: str
    attribute: str
    repository: str
    colours: tuple


FILES = ["config.json", "model.safetensors", "pytorch_model.bin"]
MIDDLE = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
TIMESFORMER = Published(
    "Timesformer", "timesformer", "facebook/timesformer-base-finetuned-k400",
    ((0.45, 0.45, 0.45), (0.225, 0.225, 0.225)))
VIVIT = Published("Vivit", "vivit", "google/vivit-b-16x2-kinetics400", MIDDLE)
VIDEOMAE = Published(
    "VideoMAE", "videomae", "MCG-NJU/videomae-base-finetuned-kinetics", IMAGENET)


class TransformerEncoder(VideoEncoder):
    """A video transformer; its class token is the vector, or the normed mean where it has none.

    Args:
        model: A network for video classification of transformers, whose last layer is left out.
        published: What it is.

    Shapes:
        input ``[B, 3, T, H, W]`` of the native size; fewer frames are stretched. Tokens
        ``[B, L, D]``, the class token first where there is one; output ``[B, D]``.
    """

    def __init__(self, model: nn.Module, published: Published):
        config = model.config
        size = config.image_size
        size = (size, size) if isinstance(size, int) else tuple(size)
        super().__init__(config.hidden_size, (config.num_frames, *size), published.colours,
                         fixed=True)
        self.network = getattr(model, published.attribute)
        self.norm = getattr(model, "fc_norm", None)

    def encode(self, clips: Tensor) -> Tensor:
        """``[B, L, D]`` of every patch; TimeSformer's and ViViT's begin with the class token."""
        return self.network(pixel_values=clips.transpose(1, 2)).last_hidden_state

    def pool(self, tokens: Tensor) -> Tensor:
        """The class token, or the normed mean."""
        return tokens[:, 0] if self.norm is None else self.norm(tokens.mean(dim=1))


class MaskedPretraining(nn.Module):
    """VideoMAE's pre-training: guess the hidden patches of a clip from the few that are seen.

    What it trains is the encoder that it was made of; afterwards this is thrown away.

    Args:
        encoder: A VideoMAE.
        share: The share of places that is hidden.

    Shapes:
        input ``[B, 3, T, H, W]`` of the encoder's native size, normalised; output the loss ``[]``.

    Raises:
        SkelactError: An encoder that is no VideoMAE.

    Source: Tong et al., "VideoMAE", NeurIPS 2022.
    """

    def __init__(self, encoder: TransformerEncoder, share: float = 0.9):
        super().__init__()
        transformers = import_transformers()
        if not isinstance(getattr(encoder, "network", None), transformers.VideoMAEModel):
            raise SkelactError(f"expected a VideoMAE to pre-train, got {type(encoder).__name__}; "
                               "videomae() makes one")
        self.share = share
        self.fit = encoder.fit
        self.model = transformers.VideoMAEForPreTraining(encoder.network.config)
        self.model.videomae = encoder.network

    def forward(self, clips: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The mean squared error over hidden patches.

        Args:
            clips: ``[B, 3, T, H, W]``.
            generator: Where the masks come from.
        """
        clips = self.fit(clips)
        patches = self.model.videomae.embeddings.patch_embeddings
        frames = clips.shape[2] // patches.tubelet_size
        mask = tube_mask(len(clips), frames, patches.num_patches // frames, self.share, generator)
        return self.model(clips.transpose(1, 2), bool_masked_pos=mask.to(clips.device)).loss


def timesformer(
    weights: str | Path = "official", download: bool = False, **config: int
) -> TransformerEncoder:
    """TimeSformer with attention over time and then over space.

    Args:
        weights: ``official`` (Kinetics-400), ``random``, a folder as transformers saves it, or a
            file with a state dict.
        download: Fetch official weights that are not in the cache of transformers.
        config: With random weights or a file: fields of transformers' configuration, such as
            ``num_frames`` or ``hidden_size``.

    Raises:
        ChoiceError: The configuration has no such field.
        MissingDependencyError: transformers is not installed.
        WeightsError: The weights are not there, or are those of something else.

    Source: Bertasius et al., "Is Space-Time Attention All You Need for Video Understanding?",
    ICML 2021.
    """
    return _build(TIMESFORMER, weights, download, config)


def vivit(
    weights: str | Path = "official", download: bool = False, **config: int
) -> TransformerEncoder:
    """ViViT, model 1: attention between all tubelets of a clip.

    Args:
        weights: As of `timesformer`.
        download: As of `timesformer`.
        config: As of `timesformer`.

    Raises:
        ChoiceError: The configuration has no such field.
        MissingDependencyError: transformers is not installed.
        WeightsError: The weights are not there, or are those of something else.

    Source: Arnab et al., "ViViT: A Video Vision Transformer", ICCV 2021.
    """
    return _build(VIVIT, weights, download, config)


def videomae(
    weights: str | Path = "official", download: bool = False, **config: int
) -> TransformerEncoder:
    """VideoMAE; `MaskedPretraining` pre-trains it on videos without labels.

    Args:
        weights: As of `timesformer`.
        download: As of `timesformer`.
        config: As of `timesformer`.

    Raises:
        ChoiceError: The configuration has no such field.
        MissingDependencyError: transformers is not installed.
        WeightsError: The weights are not there, or are those of something else.

    Source: Tong et al., "VideoMAE", NeurIPS 2022.
    """
    return _build(VIDEOMAE, weights, download, config)


def import_transformers() -> ModuleType:
    """The package transformers.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise MissingDependencyError("video transformers need the package transformers: pip "
                                     "install 'skelact[rgb]'") from error
    return transformers


def _build(
    published: Published, weights: str | Path, download: bool, config: dict
) -> TransformerEncoder:
    kind = getattr(import_transformers(), f"{published.family}ForVideoClassification")
    if weights == "official" or (weights != "random" and Path(weights).is_dir()):
        if config:
            raise WeightsError(f"weights={str(weights)!r} bring their own configuration; leave "
                               f"out {', '.join(config)}")
        return TransformerEncoder(_load(kind, published, weights, download), published)

    known = kind.config_class().to_dict()
    for field in config:
        if field not in known:  # transformers would keep it and take no notice
            raise ChoiceError(f"the configuration of {published.family} has no {field}; it has "
                              f"{', '.join(sorted(known))}")

    def build(state: State | None) -> TransformerEncoder:
        model = kind(kind.config_class(**config))
        if state is not None:
            fill(model, state, ("classifier.",))
        return TransformerEncoder(model, published)

    return build_filled(build, weights, None)


def _load(
    kind: type, published: Published, weights: str | Path, download: bool
) -> nn.Module:
    """Weights out of a folder or the cache, all of them."""
    folder = _find_folder(published, download) if weights == "official" else Path(weights)
    _check_kind(folder, published)
    logging = import_transformers().logging
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # it lists every weight that is left out, as a warning
    try:
        model, info = kind.from_pretrained(folder, local_files_only=True, weights_only=True,
                                           output_loading_info=True)
    except Exception as error:  # it has many kinds for files that are missing or damaged
        raise WeightsError(f"no weights of {published.family} at {folder}: "
                           f"{one_line(error)}") from error
    finally:
        logging.set_verbosity(before)
    wrong = [key for name in ("missing_keys", "mismatched_keys") for key in map(str, info[name])
             if not key.startswith(("classifier.", "fc_norm."))]
    if wrong:
        raise WeightsError(f"{folder} does not fit {published.family}: {len(wrong)} weights are "
                           f"missing or of another shape, such as {wrong[0]}")
    return model


def _find_folder(published: Published, download: bool) -> Path:
    """The folder of the cache that holds published weights, filled first where that is asked for.

    The cache is asked itself: transformers, told to stay local, asks the network all the same.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(published.repository, local_files_only=True))
    except OSError as error:
        if not download or is_offline():
            how = ("SKELACT_OFFLINE forbids downloading" if download
                   else "download=True fetches them")
            raise WeightsError(
                f"the weights {published.repository} of {published.family} are not in the cache "
                f"of transformers: {how}, weights=FOLDER takes them from where they are, and "
                "weights='random' starts untrained (in commands: --rgb.weights FOLDER or random)"
            ) from error
    try:
        return Path(snapshot_download(published.repository, allow_patterns=FILES))
    except Exception as error:  # it has many kinds for what a network does
        raise WeightsError(f"cannot download {published.repository} ({one_line(error)}); "
                           "weights=FOLDER takes weights that you have") from error


def _check_kind(folder: Path, published: Published) -> None:
    """Refuse a folder of another network, before its settings confuse anybody."""
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"no weights of {published.family} at {folder}: expected a folder with "
                           f"config.json, as transformers saves it ({one_line(error)})") from error
    if kind != published.attribute:
        raise WeightsError(f"{folder} does not fit: expected a model {published.attribute!r}, got "
                           f"{kind!r}")
