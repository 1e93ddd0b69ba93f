"""What every step learns from: `TrainingBatches` draws from the clips of a run."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from skelact.config import TrainConfig
from skelact.datasets.loader import Batch, Loader
from skelact.datasets.sampling import (
    ConsecutiveFrames,
    CropResize,
    Instants,
    Sampling,
    UniformSegments,
)
from skelact.evaluation.clip_pixels import Chances, Pixels
from skelact.pose.read_ahead import read_ahead
from skelact.training.data import TrainingData
from skelact.training.distributed import World
from skelact.transforms.clip_form import form_clips


@dataclass(frozen=True, eq=False)
class Mixture:
    """What one step learns from.

    Args:
        labelled: Clips of known actions.
        others: Clips of other actions and of held poses, maybe none; the label after the last
            class is "no known action".
        pixels: Those of the labelled clips, for a network of two streams.
    """

    labelled: Batch
    others: tuple[Batch, ...]
    pixels: Pixels | None = None


class TrainingBatches:
    """Batches of labelled clips, and with each its share of the background and of held poses.

    ``state_dict`` says where it stands, `load_state_dict` goes on there.
    """

    def __init__(self, config: TrainConfig, data: TrainingData, world: World) -> None:
        optim, augment = config.optim, config.augment
        shared = {
            "people": config.clip.people, "seed": config.seed, "workers": config.workers,
            "rank": world.rank, "world_size": world.size,
            "pin_memory": world.device.type == "cuda",
        }
        transform = form_clips(config.clip, data.arrays.dims, augment)
        self.labelled = Loader(data.arrays, data.train, optim.batch_size, repeat=optim.repeat,
                               sampling=train_sampling(config), transform=transform, **shared)
        self._pixels, self._flip = data.pixels, augment.flip
        # only a head over both streams has to learn to do without one
        self._drop = 0.0 if config.rgb.fusion in ("late", "logistic") else config.rgb.drop
        self._given: list[dict] | None = None
        self._others = []
        if data.background is not None:
            unknown = len(data.classes)
            size = round(optim.batch_size * augment.others)
            if size:
                arrays = data.background.arrays
                seen = form_clips(config.clip, arrays.dims, augment)
                rows = _with_known(arrays.labels, data.background.train, unknown)
                self._others.append(Loader(arrays, rows, size, sampling=train_sampling(config),
                                           transform=seen, **shared))
            size = round(optim.batch_size * augment.still)
            if size:
                still = replace(data.arrays, labels=np.full(len(data.arrays), unknown))
                self._others.append(Loader(still, data.train, size, transform=transform,
                                           sampling=Instants(config.clip.frames), **shared))

    def __len__(self) -> int:
        """Steps of an epoch."""
        return len(self.labelled)

    def __iter__(self) -> Iterator[Mixture]:
        """The rest of the epoch that is due."""
        if self._pixels is None:
            yield from self._joints()
            return
        ahead = read_ahead(self._with_pixels(), depth=2)
        with contextlib.closing(ahead):
            for mixture, self._given in ahead:
                yield mixture
        self._given = None

    def _with_pixels(self) -> Iterator[tuple[Mixture, list[dict]]]:
        """Every batch with its pixels, and where the loaders stand then: they run ahead."""
        with contextlib.closing(self._joints()) as mixtures:
            for mixture in mixtures:
                stand = self._stand()
                epoch, done = stand[0]["epoch"], stand[0]["batches_done"]
                chances = Chances(self.labelled.seed, epoch, done * self.labelled.batch_size,
                                  self._drop, self._flip)
                pixels = self._pixels.read(mixture.labelled.index.numpy(), chances)
                yield replace(mixture, pixels=pixels), stand

    def _joints(self) -> Iterator[Mixture]:
        for loader in self._others:  # their passes are not those of the labelled clips: go on
            loader.load_state_dict(loader.state_dict())
        others = [_without_end(loader) for loader in self._others]
        try:
            for batch in self.labelled:
                yield Mixture(batch, tuple(map(next, others)))
        finally:
            for source in others:
                source.close()

    def state_dict(self) -> list[dict]:
        """Where every loader stands, by the batches that were given."""
        return self._stand() if self._given is None else self._given

    def _stand(self) -> list[dict]:
        return [loader.state_dict() for loader in (self.labelled, *self._others)]

    def load_state_dict(self, states: list[dict]) -> None:
        """Go on where `state_dict` was taken."""
        self._given = None
        for loader, state in zip((self.labelled, *self._others), states, strict=True):
            loader.load_state_dict(state)


def _without_end(loader: Loader) -> Iterator[Batch]:
    while True:
        yield from loader


def _with_known(labels: np.ndarray, rows: np.ndarray, unknown: int) -> np.ndarray:
    """Rows with those of known actions repeated until they are a third of all, if there are any."""
    known = rows[labels[rows] < unknown]
    if not len(known):
        return rows
    others = rows[labels[rows] == unknown]
    return np.concatenate([others, np.resize(known, max(len(others) // 2, len(known)))])


def train_sampling(config: TrainConfig) -> Sampling:
    """Which frames of a clip are trained on."""
    frames, crop = config.clip.frames, config.augment.crop
    if config.clip.sampling == "uniform":
        return UniformSegments(frames, crop=crop)
    if config.clip.sampling == "pad":
        return ConsecutiveFrames(frames, where="first", short="zero")
    return CropResize(frames, (crop, 1.0), shortest=2)
