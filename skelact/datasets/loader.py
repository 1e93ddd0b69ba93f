"""Batches of clips for training and evaluation, the same for any number of workers and processes.

From a prepared data set:

    from skelact.datasets import load_dataset
    from skelact.datasets.loader import Loader
    from skelact.datasets.sampling import UniformSegments
    from skelact.transforms.compose import Compose
    from skelact.transforms.random_steps import Distort3D
    from skelact.transforms.steps import CanonicalView, Stream

    train = load_dataset("ntu60.store", "xsub/train")
    view = Compose(CanonicalView(up="y"), Distort3D(rotate=17), Stream("bone"))
    loader = Loader(train.store.arrays, train.rows, batch_size=64, sampling=UniformSegments(100),
                    transform=view, workers=2)
    for batch in loader:
        print(batch.clips.shape, batch.labels)  # [64, 2, 25, 3, 100] and [64]
"""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from skelact.datasets.arrays import ClipArrays
from skelact.datasets.chance import Chance
from skelact.datasets.gather import gather, gather_opening
from skelact.datasets.sampling import FramePairs, Sampling
from skelact.errors import ChoiceError, SkelactError
from skelact.transforms.compose import ClipInfo, PartedGenerator
from skelact.transforms.spatial import fill_missing

_ORDER, _CLASSES, _TRANSFORM = 1, 2, 3
"""Purposes of chance beside that of the sampling rule, which is 0."""

_PARTS = 8
"""A batch is transformed in so many parts, each with chance of its own, so that any number of
processes that divides it can share a batch without changing a number."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Clips as a network takes them.

    Args:
        clips: ``[B, M, N, C, T]`` float32, 0 where something is missing. A sampling rule with K
            views a clip gives K neighbours along B.
        mask: ``[B, M, T]`` bool: the person was seen in that frame.
        labels: ``[B]`` int64 classes; -1 for none.
        index: ``[B]`` int64, the clip's row in the arrays.
        total: B of all processes together. A mean over this share of the batch, times ``B *
            world_size / total`` and averaged over the processes, is the mean over the batch.
    """

    clips: Tensor
    mask: Tensor
    labels: Tensor
    index: Tensor
    total: int

    def pin(self) -> "Batch":
        """The same in page-locked memory, from where a GPU copies without waiting."""
        tensors = (self.clips, self.mask, self.labels, self.index)
        return Batch(*(tensor.pin_memory() for tensor in tensors), self.total)


class Loader:
    """Draws clips, samples their frames, transforms them: ``for batch in loader``.

    A pass over it is one epoch, after which the next one is due; a pass that is broken off begins
    anew, unless `load_state_dict` says where to go on. Batches of an epoch have the same size or
    differ by one clip, so that batch statistics never rest on the few that would remain at its
    end.

    Everything follows from ``seed``, the epoch and the number of the draw, whatever the number of
    workers: a clip's frames from its own draw, a transform's chance from the part of the batch
    that the clip is in. Of several processes each gets its own clips of every batch. One, two,
    four or eight see the very clips, frames and changes that one would see; with another number
    the clips and frames are the same and a transform's chance is not. All get as many batches; of
    one with fewer clips than processes some get none (B = 0).

    Args:
        arrays: All clips.
        rows: Those to draw from, such as a split's; by default all.
        batch_size: Most draws a batch, of all processes together.
        sampling: Which frames of a clip, one of `skelact.datasets.sampling`.
        transform: ``(joints [B, M, N, C, T], ClipInfo, Generator) -> joints``, such as a
            `Compose`; by default none. Missing joints are NaN before it and 0 after it.
        people: M, person slots; `skelact.datasets.gather.place_tracks` says who gets them.
        seed: Of everything that is random.
        shuffle: In random order (training), else as ``rows`` are.
        balanced: Draw every class as often as the others; the number of draws stays.
        repeat: Draw every clip so many times an epoch.
        workers: Threads that prepare batches ahead; 0 prepares each when it is asked for.
        pin_memory: Give batches in page-locked memory; needs CUDA.
        rank: Which of the processes this is, from 0.
        world_size: How many processes share every batch.

    Raises:
        ChoiceError: A number is out of range, ``rows`` are none of the clips, ``balanced`` clips
            have no label, or there is no CUDA to pin memory for.
    """

    def __init__(
        self,
        arrays: ClipArrays,
        rows: Sequence[int] | np.ndarray | None = None,
        batch_size: int = 64,
        *,
        sampling: Sampling,
        transform: Callable[[Tensor, ClipInfo, Generator], Tensor] | None = None,
        people: int = 2,
        seed: int = 0,
        shuffle: bool = True,
        balanced: bool = False,
        repeat: int = 1,
        workers: int = 0,
        pin_memory: bool = False,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.arrays, self.batch_size, self.sampling = arrays, batch_size, sampling
        self.rows = np.arange(len(arrays)) if rows is None else np.asarray(rows, np.int64)
        self.transform, self.people, self.seed = transform, people, seed
        self.shuffle, self.balanced, self.repeat = shuffle, balanced, repeat
        self.workers, self.pin_memory = workers, pin_memory
        self.rank, self.world_size = rank, world_size
        self.epoch, self._done, self._first = 0, 0, 0
        self._check()

    def __len__(self) -> int:
        """Batches of an epoch."""
        return -(-self.num_draws // self.batch_size)

    @property
    def num_draws(self) -> int:
        """Clips drawn an epoch by all processes, with repeats."""
        return len(self.rows) * self.repeat

    def set_epoch(self, epoch: int) -> None:
        """Which epoch the next pass is; another than that begun starts from its first batch."""
        if epoch != self.epoch:
            self.epoch, self._done, self._first = epoch, 0, 0

    def state_dict(self) -> dict[str, int]:
        """Where the loader stands, in every process; batches already given do not come again."""
        return {"epoch": self.epoch, "batches_done": self._done, "seed": self.seed,
                "num_draws": self.num_draws, "batch_size": self.batch_size}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where `state_dict` was taken.

        Raises:
            SkelactError: It was taken from a loader with another seed, size or number of clips.
        """
        own = self.state_dict()
        for name in ("seed", "num_draws", "batch_size"):
            if state.get(name) != own[name]:
                raise SkelactError(f"expected the state of a loader with {name} {own[name]}, got "
                                   f"{state.get(name)}; resume with the settings of the run")
        self.epoch, self._done = state["epoch"], state["batches_done"]
        self._first = self._done

    def __iter__(self) -> Iterator[Batch]:
        draws, rows = self._plan(self.epoch)
        epoch, numbers = self.epoch, range(self._first, len(self))
        self._done, self._first = self._first, 0
        for number, batch in zip(numbers, self._prepared(epoch, draws, rows, numbers), strict=True):
            self._done = number + 1
            yield batch
        self.epoch, self._done = epoch + 1, 0

    def _prepared(
        self, epoch: int, draws: np.ndarray, rows: np.ndarray, numbers: range
    ) -> Iterator[Batch]:
        """Batches in order; with workers, two each are under way."""

        def prepare(number: int) -> Batch:
            start, end = _shares(len(draws), len(self))[number : number + 2]
            return self._batch(epoch, number, draws[start:end], rows[start:end])

        if not self.workers:
            yield from map(prepare, numbers)
            return
        pool, waiting = ThreadPoolExecutor(self.workers, "skelact-loader"), deque()
        try:
            for number in numbers:
                waiting.append(pool.submit(prepare, number))
                if len(waiting) == 2 * self.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _plan(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """``[D]`` numbers and rows of an epoch's draws, in the order in which they are given."""
        draws = np.arange(self.num_draws)
        rows = self._balance(epoch) if self.balanced else np.tile(self.rows, self.repeat)
        if self.shuffle:
            order = np.random.default_rng([self.seed, epoch, _ORDER]).permutation(len(draws))
            draws, rows = draws[order], rows[order]
        return draws, rows

    def _balance(self, epoch: int) -> np.ndarray:
        """``[D]`` rows: the classes in turn, and the clips of each in turn, in random order."""
        random = np.random.default_rng([self.seed, epoch, _CLASSES])
        rows = random.permutation(self.rows)
        labels = self.arrays.labels[rows]
        rows = rows[np.argsort(labels, kind="stable")]
        sizes = np.unique(labels, return_counts=True)[1]
        classes = random.permutation(len(sizes))  # whom the remainder goes to
        turn, place = np.divmod(np.arange(self.num_draws), len(sizes))
        chosen = classes[place]
        return rows[(np.cumsum(sizes) - sizes)[chosen] + turn % sizes[chosen]]

    def _batch(self, epoch: int, number: int, draws: np.ndarray, rows: np.ndarray) -> Batch:
        """This process's share of the batch of these draws."""
        parts = math.lcm(_PARTS, self.world_size)
        own = np.arange(parts).reshape(self.world_size, -1)[self.rank]
        edges = _shares(len(draws), parts)[own[0] : own[-1] + 2]
        total, start, count = len(draws), min(edges[0], len(draws) - 1), edges[-1] - edges[0]
        edges = edges - edges[0]
        edges[-1] = max(count, 1)  # a share without a clip takes its shapes from one
        draws, rows = draws[start : start + edges[-1]], rows[start : start + edges[-1]]

        positions = self.sampling(self.arrays.num_frames[rows], Chance(self.seed, epoch, draws))
        joints, mask = gather(self.arrays, rows, positions, self.people)
        views = positions.shape[1]
        rows = rows.repeat(views)
        if self.transform is not None:
            seeds = [transform_seed(self.seed, epoch, part) for part in number * parts + own]
            chance = PartedGenerator(seeds, edges * views)
            joints = self.transform(joints, self._info(rows), chance)
        if isinstance(self.sampling, FramePairs):
            mask = mask.chunk(2, dim=-1)[0]
        if joints.shape[-1] != mask.shape[-1]:
            raise SkelactError(f"expected {mask.shape[-1]} frames after the transform, got "
                               f"{joints.shape[-1]}; FramePairs needs a motion stream, and a "
                               "change of the frame rate belongs before the sampling")
        labels, index = torch.from_numpy(self.arrays.labels[rows]), torch.from_numpy(rows)
        tensors = fill_missing(joints), mask, labels, index
        batch = Batch(*(tensor[: count * views] for tensor in tensors), total * views)
        return batch.pin() if self.pin_memory else batch

    def _info(self, rows: np.ndarray) -> ClipInfo:
        size = self.arrays.image_size
        size = None if size is None else torch.from_numpy(np.asarray(size[rows]))
        opening = gather_opening(self.arrays, rows, self.people)
        pairs = isinstance(self.sampling, FramePairs)
        return ClipInfo(self.arrays.layout, self.arrays.dims, size, opening, pairs)

    def _check(self) -> None:
        for name in ("batch_size", "people", "repeat", "world_size"):
            if getattr(self, name) < 1:
                raise ChoiceError(f"expected {name} from 1, got {getattr(self, name)}")
        if not 0 <= self.rank < self.world_size:
            raise ChoiceError(f"expected rank from 0 to {self.world_size - 1}, got {self.rank}")
        if self.workers < 0 or self.seed < 0:
            raise ChoiceError(f"expected workers and seed from 0, got {self.workers} and "
                              f"{self.seed}")
        outside = (self.rows < 0) | (self.rows >= len(self.arrays))
        if self.rows.ndim != 1 or outside.any():
            raise ChoiceError(f"expected rows [R] of the {len(self.arrays)} clips, got "
                              f"{self.rows[outside][:3] if self.rows.ndim == 1 else self.rows}")
        if self.balanced and (self.arrays.labels[self.rows] < 0).any():
            raise ChoiceError("balanced drawing needs a label on every clip; leave out the rows "
                              "with label -1")
        if self.pin_memory and not torch.cuda.is_available():
            raise ChoiceError("pin_memory=True needs a CUDA device; there is none here")


def _shares(count: int, parts: int) -> np.ndarray:
    """``[parts + 1]`` edges of shares of ``count`` things that are equal or differ by one."""
    return -(np.arange(parts + 1) * -count // max(parts, 1))


def transform_chance(seed: int, epoch: int, number: int) -> Generator:
    """What a transform draws from, for the clip of this number."""
    return Generator().manual_seed(transform_seed(seed, epoch, number))


def transform_seed(seed: int, epoch: int, number: int) -> int:
    """The seed of a transform's chance, for the clip or the part of a batch of this number."""
    return int(Chance(seed, epoch, np.array([number])).even(1, _TRANSFORM)[0, 0] * 2**53)
