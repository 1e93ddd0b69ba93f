"""Labelled clips of a store, one by one: ``load_dataset`` and what it gives."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from skelact.datasets.arrays import ClipArrays
from skelact.datasets.gather import place_tracks
from skelact.datasets.loader import transform_chance
from skelact.datasets.splits import protocols, select_rows
from skelact.datasets.store import Store
from skelact.errors import ChoiceError
from skelact.graph.layouts import Layout
from skelact.pose.recording import Recording
from skelact.transforms.compose import ClipInfo
from skelact.transforms.spatial import fill_missing

Transform = Callable[[Tensor, ClipInfo, Generator], Tensor]


class Clip(NamedTuple):
    """One labelled sample.

    Args:
        joints: ``[M, N, C, T]`` float32, 0 for missing.
        label: Index in the classes of the data set; -1 for none.
        mask: ``[M, T]`` bool, where a person is present: before the transform, or after it where
            that changes the number of frames.
    """

    joints: Tensor
    label: int
    mask: Tensor


class Dataset:
    """The clips of a split; fits ``torch.utils.data.DataLoader``, workers included.

    Args:
        store: The prepared data set.
        rows: ``[L]`` which of its clips.
        transform: ``(joints [1, M, N, C, T], ClipInfo, Generator) -> joints``, such as a `Compose`:
            the same that a `Loader` takes. Missing joints are NaN before it and 0 after it.
        people: M, person slots, which `skelact.datasets.gather.place_tracks` fills; None gives
            every track a slot of its own.
        seed: Of the transform's chance, which follows from seed, epoch and clip.

    Raises:
        ChoiceError: The transform does not take three arguments, or a number is out of range.
    """

    def __init__(
        self, store: Store, rows: np.ndarray, transform: Transform | None = None,
        people: int | None = None, seed: int = 0,
    ) -> None:
        self.store, self.rows, self.transform = store, rows, transform
        self.people, self.seed, self.epoch = people, seed, 0
        if transform is not None:
            _check_transform(transform)
        if people is not None and people < 1:
            raise ChoiceError(f"expected people from 1, or None for all, got {people}")
        if seed < 0:
            raise ChoiceError(f"expected seed from 0, got {seed}")

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the labels."""
        return self.store.header.classes

    @property
    def layout(self) -> Layout:
        """The skeleton."""
        return self.store.header.layout

    @property
    def splits(self) -> dict[str, str]:
        """What the data set can be divided by: name -> what it is."""
        return protocols(self.store.header.name, self.store.columns())

    @property
    def labels(self) -> np.ndarray:
        """``[L]`` int64 class of each clip; -1 for none."""
        return self.store.arrays.labels[self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return (f"Dataset({self.store.header.name!r}, {len(self)} of {len(self.store)} clips, "
                f"{len(self.classes)} classes, layout {self.layout.name!r})")

    def set_epoch(self, epoch: int) -> None:
        """Random transforms change clips in another way; before the workers of the epoch start."""
        self.epoch = epoch

    def __getitem__(self, index: int) -> Clip:
        row = int(self.rows[index])
        joints = torch.from_numpy(dense_joints(self.store.arrays, row, self.people))
        mask = _present(joints)
        if self.transform is not None:
            joints = self._transform(joints, row)
            mask = mask if joints.shape[-1] == mask.shape[-1] else _present(joints)
        return Clip(fill_missing(joints), int(self.store.arrays.labels[row]), mask)

    def _transform(self, joints: Tensor, row: int) -> Tensor:
        arrays, people = self.store.arrays, len(joints)
        if not people:  # transforms look at the first person
            joints = joints.new_full((1, *joints.shape[1:]), np.nan)
        size = None if arrays.image_size is None else torch.tensor(arrays.image_size[[row]])
        info = ClipInfo(arrays.layout, arrays.dims, size)
        generator = transform_chance(self.seed, self.epoch, row)
        return self.transform(joints[None], info, generator)[0, :people]

    def recording(self, index: int) -> Recording:
        """A clip as a `Recording`; its ``labels`` hold clip_id, label, subject, camera, setup.

        Raises:
            IndexError: There is no such clip in the split.
        """
        return self.store.recording(int(self.rows[index]))


def load_dataset(
    folder: str | Path, split: str | None = None, transform: Transform | None = None, *,
    people: int | None = None, seed: int = 0,
) -> Dataset:
    """Open a prepared data set.

    Clip by clip, with room for two people:

        from skelact.datasets import load_dataset
        from skelact.transforms.compose import Compose
        from skelact.transforms.steps import CanonicalView, Stream

        bones = Compose(CanonicalView(up="y"), Stream("bone"))
        test = load_dataset("ntu60.store", "xsub/test", transform=bones, people=2)
        joints, label, mask = test[0]  # [2, 25, 3, T], a number, [2, T]
        print(test.classes[label], test.recording(0).labels["clip_id"])

    `skelact.datasets.loader` gives batches of clips of one length.

    Args:
        folder: The store that ``skelact data prepare`` wrote.
        split: ``"train"``, ``"val"``, ``"test"``, ``"xview/test"``, ... as
            `skelact.datasets.splits.select_rows` knows them; by default every clip.
        transform: Applied to every clip, a batch of one; see `Dataset`.
        people: Person slots M; by default one a track.
        seed: Of the transform's chance.

    Raises:
        FileFormatError: The folder is no store, or damaged.
        ChoiceError: There is no such split, or an argument is out of range.
    """
    store = Store(folder)
    if split is None:
        rows = np.arange(len(store))
    else:
        rows = select_rows(store.columns(), split, dataset=store.header.name)
    return Dataset(store, rows, transform, people, seed)


def dense_joints(arrays: ClipArrays, row: int, people: int | None = None) -> np.ndarray:
    """``[M, N, C, T]`` float32 of one clip, NaN where a person or joint is missing.

    `skelact.datasets.gather.place_tracks` says what ``people`` does.
    """
    places = place_tracks(arrays, np.array([row]), people)
    shape = (places.people, arrays.num_frames[row], *arrays.joints.shape[1:])
    dense = np.full(shape, np.nan, np.float32)
    for slot, track in zip(places.slots, places.tracks, strict=True):
        span = slice(*arrays.track_offsets[track : track + 2])
        dense[slot, arrays.frame_index[span]] = arrays.joints[span]
    return dense.transpose(0, 2, 3, 1)


def _present(joints: Tensor) -> Tensor:
    """``[M, T]`` bool: some joint has coordinates."""
    return (~joints[..., :2, :].isnan().any(dim=-2)).any(dim=1)


def _check_transform(transform: Transform) -> None:
    try:
        inspect.signature(transform).bind(None, None, None)
    except TypeError as error:
        raise ChoiceError(f"expected a transform of (joints, ClipInfo, Generator), got "
                          f"{transform!r} ({error}); Compose(...) makes one of the steps in "
                          "skelact.transforms") from error
