"""Labelled clips of a store, one by one: ``load_dataset`` and what it gives."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from skelact.datasets.splits import protocols, select_rows
from skelact.datasets.store import Store
from skelact.graph.layouts import Layout
from skelact.pose.recording import Recording
from skelact.transforms.spatial import fill_missing

Transform = Callable[[Tensor], Tensor]


class Clip(NamedTuple):
    """One labelled sample.

    Args:
        joints: ``[M, N, C, T]`` float32, 0 for missing.
        label: Index in the classes of the data set; -1 for none.
        mask: ``[M, T]`` bool, where a person is present.
    """

    joints: Tensor
    label: int
    mask: Tensor


class Dataset:
    """The clips of a split; fits ``torch.utils.data.DataLoader``, workers included.

    Args:
        store: The prepared data set.
        rows: ``[L]`` which of its clips.
        transform: Changes ``[M, N, C, T]`` with NaN for missing joints; T may change.
    """

    def __init__(self, store: Store, rows: np.ndarray, transform: Transform | None = None):
        self.store, self.rows, self.transform = store, rows, transform

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

    def __getitem__(self, index: int) -> Clip:
        row = int(self.rows[index])
        joints = torch.from_numpy(dense_joints(self.store, row))
        if self.transform is not None:
            joints = self.transform(joints)
        present = ~joints[..., :2, :].isnan().any(dim=-2)
        return Clip(fill_missing(joints), int(self.store.arrays.labels[row]), present.any(dim=1))

    def recording(self, index: int) -> Recording:
        """A clip as a `Recording`; its ``labels`` hold clip_id, label, subject, camera, setup.

        Raises:
            IndexError: There is no such clip in the split.
        """
        return self.store.recording(int(self.rows[index]))


def load_dataset(
    folder: str | Path, split: str | None = None, transform: Transform | None = None
) -> Dataset:
    """Open a prepared data set.

    Args:
        folder: The store that ``skelact data prepare`` wrote.
        split: ``"train"``, ``"val"``, ``"test"``, ``"xview/test"``, ... as
            `skelact.datasets.splits.select_rows` knows them; by default every clip.
        transform: Applied to every clip ``[M, N, C, T]``, in which NaN is missing.

    Raises:
        FileFormatError: The folder is no store, or damaged.
        ChoiceError: There is no such split.
    """
    store = Store(folder)
    if split is None:
        rows = np.arange(len(store))
    else:
        rows = select_rows(store.columns(), split, dataset=store.header.name)
    return Dataset(store, rows, transform)


def dense_joints(store: Store, row: int) -> np.ndarray:
    """``[M, N, C, T]`` float32 of one clip, NaN where a person or joint is missing."""
    arrays = store.arrays
    first, last = arrays.clip_offsets[row : row + 2]
    channels = arrays.joints.shape[1:]
    dense = np.full((last - first, arrays.num_frames[row], *channels), np.nan, np.float32)
    for person, track in zip(dense, range(first, last), strict=True):
        span = slice(*arrays.track_offsets[track : track + 2])
        person[arrays.frame_index[span]] = arrays.joints[span]
    return dense.transpose(0, 2, 3, 1)
