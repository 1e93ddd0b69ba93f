"""Small networks for joints, and over pixels a frozen backbone with heads; see rgb_objects.py."""

from pathlib import Path

import numpy as np
import torch
from pasted_crops import EMPTY, UNSURE, PastedCrops
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from skelact.config import ClipConfig
from skelact.datasets.arrays import ClipArrays
from skelact.device import autocast
from skelact.evaluation.views import Views, view_loader
from skelact.models import stgcn
from skelact.pose.estimators.yolo import load_network
from skelact.transforms.clip_form import settle_form

LAYERS = (4, 6, 10)
"""Of the backbone, what is looked at: cells of 8, 16 and 32 pixels."""
HIDDEN, EPOCHS = 128, 20
BATCH = 8
"""Pairs of crops, or clips of joints."""


class Backbone:
    """The first layers of a YOLO network, as they were trained to find people and joints.

    Args:
        weights: Ultralytics pose weights.
    """

    def __init__(self, weights: Path):
        self.layers = load_network(weights, torch.device("cpu")).module.model[:LAYERS[-1] + 1]

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """What pixels show, and how they change from one frame to the next.

        Args:
            pixels: ``[B, T, 3, H, W]`` in [0, 1].

        Returns:
            ``[B, T, D]`` the strongest and the mean answers, and ``[B, T - 1, E]``.
        """
        maps, kept = pixels.flatten(0, 1).contiguous(memory_format=torch.channels_last), []
        with autocast("bf16", maps.device):
            for i, layer in enumerate(self.layers):
                maps = layer(maps)
                if i in LAYERS:
                    kept.append(maps.float())
        pooled = [part for one in kept for part in (one.amax((2, 3)), one.mean((2, 3)))]
        shown = torch.cat(pooled, dim=1)
        fine = kept[0].unflatten(0, pixels.shape[:2])
        changed = (fine[:, 1:] - fine[:, :-1]).abs().mean((3, 4))
        return shown.unflatten(0, pixels.shape[:2]), changed


class Head(nn.Module):
    """Two layers over standardised features ``[..., D]``."""

    def __init__(self, features: Tensor, classes: int):
        super().__init__()
        self.register_buffer("mean", features.mean(0))
        self.register_buffer("std", features.std(0) + 1e-3)
        self.layers = nn.Sequential(nn.Dropout(0.2), nn.Linear(features.shape[1], HIDDEN),
                                    nn.ReLU(), nn.Dropout(0.3), nn.Linear(HIDDEN, classes))

    def forward(self, features: Tensor) -> Tensor:
        """Scores ``[..., K]``."""
        return self.layers((features - self.mean) / self.std)


def train_pixels(backbone: Backbone, crops: PastedCrops, pairs: int, seed: int
                 ) -> tuple[Head, Head]:
    """Heads for objects and for motions, learned from so many pairs of crops; the last weights."""
    torch.manual_seed(seed)
    random = np.random.default_rng([seed, len(crops.region)])
    shown, changed, kinds, motions = [], [], [], []
    for _ in tqdm(range(pairs // BATCH), f"{crops.region} {seed}", leave=False, disable=None):
        pixels, kind, motion = crops.draw(BATCH, random)
        one, two = backbone(recolour(torch.from_numpy(pixels).permute(0, 1, 4, 2, 3), random))
        shown.append(one.flatten(0, 1))
        changed.append(two[:, 0])
        kinds.append(torch.from_numpy(kind).flatten())
        motions.append(torch.from_numpy(motion))
    shown, changed, kinds, motions = map(torch.cat, (shown, changed, kinds, motions))
    known = kinds != UNSURE
    return (_fit(Head(shown, EMPTY + 1), shown[known].clone(), kinds[known]),
            _fit(Head(changed, 2), changed.clone(), motions))


def _fit(head: Head, features: Tensor, labels: Tensor) -> Head:
    optimiser = torch.optim.AdamW(head.train().parameters(), 1e-3, weight_decay=0.05)
    steps = EPOCHS * (len(labels) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    order = torch.cat([torch.randperm(len(labels)) for _ in range(EPOCHS + 1)])
    for i in range(steps):
        rows = order[64 * i : 64 * (i + 1)]
        loss = functional.cross_entropy(head(features[rows]), labels[rows], label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return head.eval()


@torch.inference_mode()
def score_pixels(backbone: Backbone, heads: tuple[Head, Head], pixels: np.ndarray,
                 sure: np.ndarray) -> np.ndarray:
    """``[L, 2, 4]`` probabilities of motions and objects.

    Logarithms are averaged over frames and views, of objects weighted by how sure the view is
    there and by how surely it is not an empty hand.

    Args:
        backbone: Under the heads.
        heads: Of `train_pixels`.
        pixels: ``[L, V, 3, T, H, W]`` uint8.
        sure: ``[L, V, T]`` weights from 0 to 1.
    """
    found = []
    for part, weights in zip(np.array_split(pixels, -(-len(pixels) // 16)),
                             np.array_split(sure, -(-len(sure) // 16)), strict=True):
        count, views = part.shape[:2]
        images = torch.from_numpy(part).flatten(0, 1).transpose(1, 2)  # [L V, T, 3, H, W]
        objects, moves = (head(features) for head, features in zip(
            heads, backbone(images.float() / 255), strict=True))
        objects = objects.unflatten(0, (count, views))
        weights = torch.from_numpy(weights).float()
        full = weights * (1 - objects.softmax(-1)[..., EMPTY]) + 1e-6
        kinds = objects[..., :EMPTY].log_softmax(-1)
        kinds = (full[..., None] * kinds).sum((1, 2)) / full.sum((1, 2))[:, None]
        weights = weights[..., 1:, None] + 1e-6
        moves = moves.log_softmax(-1).unflatten(0, (count, views))
        moves = (weights * moves).sum((1, 2)) / weights.sum((1, 2))
        found.append(moves.softmax(-1)[:, :, None] * kinds.softmax(-1)[:, None])
    return torch.cat(found).double().numpy()


def train_joints(clips: Tensor, moving: np.ndarray, groups: np.ndarray, rounds: int, seed: int
                 ) -> nn.Module:
    """ST-GCN of width 16 for motions and objects, though it cannot see the latter.

    Args:
        clips: ``[L, M, N, C, T]`` of training scenes.
        moving: ``[L]`` motions.
        groups: ``[L]`` the number of the video, all of which count the same.
        rounds: How often as many clips as there are.
        seed: Of everything random.
    """
    torch.manual_seed(seed)
    random = np.random.default_rng([seed, 1])
    network = stgcn("coco17", 2 * EMPTY, base_channels=16, dropout=0.2).train()
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.02)
    steps = rounds * len(clips) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    chances = _even(moving, groups)
    for _ in tqdm(range(steps), f"joints {seed}", leave=False, disable=None):
        rows = random.choice(len(clips), BATCH, p=chances)
        labels = torch.from_numpy(moving[rows] * EMPTY + random.integers(0, EMPTY, BATCH))
        some = clips[rows] * float(random.uniform(0.85, 1.15))
        some = some + 0.01 * float(random.random()) * torch.randn_like(some)
        loss = functional.cross_entropy(network(some), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


@torch.inference_mode()
def score_joints(network: nn.Module, clips: Tensor) -> np.ndarray:
    """``[L, 2, 4]`` probabilities."""
    found = torch.cat([network(part) for part in clips.split(BATCH)])
    return found.softmax(1).unflatten(1, (2, EMPTY)).double().numpy()


def form_joints(arrays: ClipArrays, clip: ClipConfig) -> Tensor:
    """``[L, M, N, C, T]`` of all clips as a network takes them."""
    clip = settle_form(clip, arrays.layout, arrays.dims, True)
    return torch.cat([batch.clips for batch in
                      view_loader(clip, arrays, np.arange(len(arrays)), Views())])


def recolour(pixels: Tensor, random: np.random.Generator) -> Tensor:
    """Floats in [0, 1]; every pair ``[B, 2, 3, H, W]`` gets its own light.

    Colours change places, so that a network cannot learn few places by heart by their colours.
    """
    count = len(pixels)
    places = np.argsort(random.random((count, 3)), axis=1)
    moved = pixels.float()[torch.arange(count)[:, None], :, torch.from_numpy(places)]
    gain = torch.from_numpy(random.uniform(0.6, 1.4, (count, 3, 1, 1, 1)).astype(np.float32))
    return (moved / 255 * gain).clamp(0, 1).transpose(1, 2)


def _even(moving: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """``[L]`` chances: each motion alike, within it each video."""
    chances = np.zeros(len(moving))
    for motion in np.unique(moving):
        videos = np.unique(groups[moving == motion])
        for video in videos:
            rows = (moving == motion) & (groups == video)
            chances[rows] = 1 / (len(np.unique(moving)) * len(videos) * rows.sum())
    return chances
