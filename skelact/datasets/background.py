"""Clips of other actions, from which a network learns to say "no known action"."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from skelact.datasets.arrays import ClipArrays, join_arrays, remap_arrays
from skelact.datasets.store import Store
from skelact.errors import SkelactError
from skelact.graph.layouts import Layout

SAME_ACTION = {"bowling": "bowl", "baseball_swing": "baseball_swing", "squat": "squat",
               "tennis_swing": "tennis_forehand", "tennis_serve": "tennis_serve"}
"""Labels of UTD-MHAD and NW-UCLA that show an action of Penn Action. Without such clips a network
could tell the classes from everything else by the sensor alone."""
LOOKALIKES = {"throw": "baseball_pitch", "pick_up_and_throw": "baseball_pitch", "lunge": "squat"}
"""Labels that nearly show an action: they are left out where that is one of the classes."""


@dataclass(frozen=True, eq=False)
class Background:
    """Clips of other data sets.

    Args:
        arrays: All of them in the skeleton of the network; a label of ``len(classes)`` means "no
            known action".
        train: Rows to learn from.
        held_out: Rows of the last subject of each set that show no known action: they set the
            rejection threshold.
    """

    arrays: ClipArrays
    train: np.ndarray
    held_out: np.ndarray


def read_background(
    folders: Sequence[str], layout: Layout, classes: Sequence[str]
) -> Background:
    """Open stores of other data sets.

    Args:
        folders: One store a data set, all 2-D or all 3-D.
        layout: The skeleton of the network.
        classes: Names of the known actions; clips with such a label, or one of `SAME_ACTION`,
            keep it.

    Raises:
        FileFormatError: A folder is no store.
        SkelactError: 2-D and 3-D mixed, a store without two subjects (the threshold is set on
            other people, not only on other clips), or no clips of other actions.
    """
    parts, train, held_out, start = [], [], [], 0
    for folder in folders:
        store = Store(folder)
        arrays = _relabel(store, layout, tuple(classes))
        usable, last = _usable(store, classes), _last_subject(store)
        parts.append(arrays)
        train.append(start + np.flatnonzero(usable & ~last))
        unknown = arrays.labels == len(classes)
        held_out.append(start + np.flatnonzero(usable & last & unknown))
        start += len(arrays)
    joined, rows, unseen = join_arrays(parts), np.concatenate(train), np.concatenate(held_out)
    if not len(unseen) or not (joined.labels[rows] == len(classes)).any():
        raise SkelactError("expected a background with labelled clips of other actions, of the "
                           "last subject of each store and of those before; got none in "
                           f"{', '.join(map(str, folders))}; pass other data sets")
    return Background(joined, rows, unseen)


def _relabel(store: Store, layout: Layout, classes: tuple[str, ...]) -> ClipArrays:
    known = {name: number for number, name in enumerate(classes)}
    numbers = np.array([known.get(name, known.get(SAME_ACTION.get(name), len(classes)))
                        for name in store.header.classes])
    return replace(remap_arrays(store.arrays, layout), labels=numbers[store.arrays.labels])


def _usable(store: Store, classes: Sequence[str]) -> np.ndarray:
    """``[L]`` bool: labelled, and not nearly one of the actions."""
    names = np.array(store.header.classes)[store.arrays.labels]
    alike = [name for name, action in LOOKALIKES.items()
             if action in classes and name not in classes]
    return (store.arrays.labels >= 0) & ~np.isin(names, alike)


def _last_subject(store: Store) -> np.ndarray:
    """``[L]`` bool: clips of the subject with the highest number."""
    subjects = np.asarray(store.columns()["subject"])
    if (subjects < 0).any() or len(np.unique(subjects)) < 2:
        raise SkelactError("expected a background of at least two subjects, one to learn from and "
                           f"one to set the threshold with, in every store; {store.folder} has "
                           f"{len(np.unique(subjects[subjects >= 0]))}; pass whole data sets")
    return subjects == subjects.max()
