"""Small networks for joints, pixels and both, trained on one core; see rgb_objects.py."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from skelact.config import ClipConfig
from skelact.datasets.arrays import ClipArrays
from skelact.device import autocast
from skelact.evaluation.views import Views, view_loader
from skelact.models import stgcn
from skelact.rgb.encoder import VideoEncoder, as_tokens
from skelact.rgb.encoders import inflate
from skelact.rgb.frame_encoders import FrameEncoder
from skelact.rgb.fusion import FUSIONS, FusedClassifier
from skelact.transforms.clip_form import settle_form

WIDTHS = (32, 64, 128, 192)
BATCH = 32
OBJECTS = 4
WARM_EPOCHS = 14
_TURN = 0.6
"""Radians by which crops of hands are turned in training."""
_VALIDATE = 4
"""Epochs from one look at validation clips to the next."""


class SmallNetwork(nn.Module):
    """Four convolutions; ``[B, 3, H, W]`` to ``[B, D]``."""

    dim = WIDTHS[-1]

    def __init__(self):
        super().__init__()
        self.body = make_body().to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """The strongest answer anywhere in the picture: an object fills a part of it."""
        return self.body(images).amax(dim=(2, 3))


class HandEncoder(FrameEncoder):
    """Frames of both hands, of which one may hold something."""

    def pool(self, tokens: Tensor) -> Tensor:
        """The strongest answer of any frame."""
        return tokens.amax(dim=1)


class SmallVideoEncoder(VideoEncoder):
    """The same convolutions, inflated to three dimensions so that they see motion."""

    def __init__(self, native: tuple[int, int, int]):
        super().__init__(WIDTHS[-1], native)
        self.network = inflate(make_body()).to(memory_format=torch.channels_last_3d)

    def encode(self, clips: Tensor) -> Tensor:
        """Tokens of a clip."""
        return as_tokens(self.network(clips))

    def pool(self, tokens: Tensor) -> Tensor:
        """The strongest answer anywhere."""
        return tokens.amax(dim=1)


class PixelClassifier(nn.Module):
    """Pixels alone under a head."""

    def __init__(self, encoder: VideoEncoder, classes: int):
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(encoder.dim, classes))

    def forward(self, _: Tensor, pixels: Tensor) -> Tensor:
        """Scores ``[B, K]``."""
        return self.head(self.encoder(pixels))


class JointClassifier(nn.Module):
    """Joints alone."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, clips: Tensor, _: None) -> Tensor:
        """Scores ``[B, K]``."""
        return self.network(clips)


class TrainedNetworks:
    """Networks by name and seed, trained when asked for, their scores kept.

    Args:
        joints: ``[L, M, N, C, T]``.
        pixels: ``[L, V, 3, T, H, W]`` uint8 of each region.
        labels: ``[L]``.
        held: ``[L]`` which hand holds the object; used in training alone.
        splits: Rows of ``train``, ``validation``, ``test``.
        classes: K.
        folder: Where scores are kept.
        epochs: Of training.
    """

    def __init__(self, joints: Tensor, pixels: dict[str, np.ndarray], labels: np.ndarray,
                 held: np.ndarray, splits: dict[str, np.ndarray], classes: int, folder: Path,
                 epochs: int):
        self.joints, self.pixels, self.labels = joints, pixels, torch.from_numpy(labels)
        self.held = held
        self.splits, self.classes = splits, classes
        self.folder, self.epochs = folder, epochs
        folder.mkdir(exist_ok=True)

    def score(self, name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """``[L, K]`` probabilities of the validation clips, and of the test clips."""
        path = self.folder / f"{name}_{seed}.npz"
        if not path.exists():
            np.savez(path, **self._train(name, seed))
        with np.load(path) as file:
            return file["validation"], file["test"]

    def _build(self, name: str, seed: int) -> tuple[nn.Module, str | None]:
        """A network, and the region that it looks at."""
        joints = stgcn("coco17", self.classes, base_channels=16, dropout=0.2)
        hands = HandEncoder(SmallNetwork(), (4, 48, 48))
        if name in ("hands", *FUSIONS):
            path = self.folder / f"encoder_{seed}.pt"
            if not path.exists():
                torch.save(self._warm_up(seed), path)
            hands.load_state_dict(torch.load(path, weights_only=True))
        if name == "skeleton":
            return JointClassifier(joints), None
        if name == "hands":
            return PixelClassifier(hands, self.classes), "hands"
        if name in ("person", "frame"):
            return PixelClassifier(SmallVideoEncoder((8, 96, 96)), self.classes), name
        return FusedClassifier(joints, hands, self.classes, name), "hands"

    def _warm_up(self, seed: int) -> dict[str, Tensor]:
        """Weights of a hand encoder that has told the objects apart in single crops.

        Of clips alone, with one object in one of two hands, so small a network learns too slowly.
        """
        torch.manual_seed(seed)
        random = np.random.default_rng(seed)
        train = self.splits["train"]
        crops = self.pixels["hands"][train][np.arange(len(train)), self.held[train]]
        crops = crops.swapaxes(1, 2).reshape(-1, *crops[0, :, :1].shape)  # [n, 3, 1, H, W]
        kinds = self.labels[train].repeat_interleave(len(crops) // len(train)) % OBJECTS
        encoder, head = HandEncoder(SmallNetwork(), (4, 48, 48)), nn.Linear(WIDTHS[-1], OBJECTS)
        parameters = [*encoder.parameters(), *head.parameters()]
        optimiser = torch.optim.AdamW(parameters, 3e-3, weight_decay=0.02)
        batches = WARM_EPOCHS * (len(crops) // (2 * BATCH))
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=batches)
        order = np.concatenate([random.permutation(len(crops)) for _ in range(WARM_EPOCHS)])
        for i in tqdm(range(batches), f"encoder {seed}", leave=False, disable=None):
            rows = order[2 * BATCH * i : 2 * BATCH * (i + 1)]
            images = encoder.normalise(_vary(torch.from_numpy(crops[rows]), random, _TURN))
            with autocast("bf16", images.device):
                found = head(encoder(images))
            loss = functional.cross_entropy(found.float(), kinds[rows], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        return encoder.state_dict()

    def _train(self, name: str, seed: int) -> dict[str, np.ndarray]:
        """Train; the scores of the epoch that is best on validation clips."""
        torch.manual_seed(seed)
        random = np.random.default_rng(seed)
        network, region = self._build(name, seed)
        epochs = self.epochs
        optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.02)
        steps = epochs * len(list(self._batches(random)))
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
        best = None
        for epoch in tqdm(range(epochs), f"{name} {seed}", leave=False, disable=None):
            network.train()
            for rows in self._batches(random):
                clips, pixels = self._take(rows, region, network, random)
                with autocast("bf16", clips.device):
                    found = network(clips, pixels)
                loss = functional.cross_entropy(found.float(), self.labels[rows],
                                                label_smoothing=0.05)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
            if (epochs - 1 - epoch) % _VALIDATE:
                continue
            scores = self._probabilities(network, region, self.splits["validation"])
            own = self.labels[self.splits["validation"]].numpy()
            loss = -np.log(scores[np.arange(len(own)), own]).mean()
            merit = ((scores.argmax(1) == own).mean(), -loss)
            if best is None or merit > best[0]:
                best = merit, scores, {key: value.clone()
                                       for key, value in network.state_dict().items()}
        network.load_state_dict(best[2])
        return {"validation": best[1],
                "test": self._probabilities(network, region, self.splits["test"])}

    def _batches(self, random: np.random.Generator) -> Iterator[np.ndarray]:
        """Rows of one epoch: half of the training clips, as many of each class."""
        train = self.splits["train"]
        labels = self.labels[train].numpy()
        count = len(train) // 2 // self.classes
        rows = np.concatenate([random.choice(train[labels == label], count,
                                             replace=(labels == label).sum() < count)
                               for label in np.unique(labels)])
        rows = random.permutation(rows)
        yield from (rows[i : i + BATCH] for i in range(0, len(rows) - BATCH + 1, BATCH))

    def _take(
        self, rows: np.ndarray, region: str | None, network: nn.Module,
        random: np.random.Generator | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Joints ``[B, M, N, C, T]`` and normalised pixels ``[B, 3, T, H, W]``, changed at random.

        Both hands stand one after the other along T.
        """
        clips = self.joints[rows]
        if random is not None:
            clips = clips * float(random.uniform(0.9, 1.1)) + 0.01 * torch.randn_like(clips)
        if region is None:
            return clips, None
        pixels = torch.from_numpy(self.pixels[region][rows])  # [B, V, 3, T, H, W]
        if random is not None and region == "hands":  # two moments of the four
            pixels = pixels[:, :, :, np.sort(random.choice(pixels.shape[3], 2, replace=False))]
        pixels = pixels.transpose(1, 2).flatten(2, 3)
        if random is not None:
            pixels = _vary(pixels, random, _TURN if region == "hands" else 0.15)
        return clips, network.encoder.normalise(pixels)

    @torch.inference_mode()
    def _probabilities(self, network: nn.Module, region: str | None, rows: np.ndarray
                       ) -> np.ndarray:
        network.eval()
        with autocast("bf16", self.joints.device):
            found = [network(*self._take(part, region, network)).float()
                     for part in np.array_split(rows, -(-len(rows) // BATCH))]
        return torch.cat(found).softmax(1).double().numpy()


def make_body() -> nn.Sequential:
    """``[B, 3, H, W]`` to ``[B, D, H / 8, W / 8]``."""
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(zip((3, *WIDTHS), WIDTHS, strict=False)):
        layers += [nn.Conv2d(before, after, 3, stride=2 if i < 3 else 1, padding=1, bias=False),
                   nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def form_joints(arrays: ClipArrays, clip: ClipConfig) -> Tensor:
    """``[L, M, N, C, T]`` of all clips as a network takes them."""
    clip = settle_form(clip, arrays.layout, arrays.dims, True)
    return torch.cat([batch.clips for batch in
                      view_loader(clip, arrays, np.arange(len(arrays)), Views())])


def _vary(pixels: Tensor, random: np.random.Generator, turn: float) -> Tensor:
    """Turned, moved, resized, mirrored and recoloured, each clip in its own way.

    Colours change places, so that a network cannot learn its few objects and places by heart by
    their colours.

    Args:
        pixels: ``[B, 3, T, H, W]`` uint8.
        random: Draws.
        turn: Radians, at most.

    Returns:
        The same shape, floats in [0, 1].
    """
    count, _, frames = pixels.shape[:3]
    angle = random.uniform(-turn, turn, count)
    scale = random.uniform(0.8, 1.25, (2, count)) * random.choice([-1, 1], (2, count), p=[0.5, 0.5])
    scale[1] = np.abs(scale[1])
    turns = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)])
    turns = turns.reshape(2, 2, count) * scale
    moves = np.concatenate([turns, random.uniform(-0.12, 0.12, (2, 1, count))], axis=1)
    theta = torch.from_numpy(moves.transpose(2, 0, 1).astype(np.float32))
    images = pixels.flatten(1, 2).float() / 255  # all frames of a clip alike
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    places = np.argsort(random.random((count, 3)), axis=1)
    moved = moved.unflatten(1, (3, frames))[np.arange(count)[:, None], places]
    gain = torch.from_numpy(random.uniform(0.6, 1.4, (count, 3, 1, 1, 1)).astype(np.float32))
    return (moved * gain).clamp(0, 1)
