"""Data sets made comparable: one skeleton, one set of axes, shared classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from skelact.datasets.arrays import ClipArrays, remap_arrays
from skelact.datasets.splits import select_rows
from skelact.datasets.store import Store
from skelact.datasets.validation.integrity import check_whole
from skelact.errors import SkelactError
from skelact.evaluation.axes_report import AxesReport
from skelact.evaluation.clip_rows import select_clips
from skelact.evaluation.harmonise import common_joints, harmonise, inspect_axes, plan_joints
from skelact.evaluation.label_map import LabelMap, load_label_map
from skelact.graph.layouts import Layout, get_layout
from skelact.transforms.common_layout import common_layout
from skelact.transforms.remap import RemapPlan

OVERLAPPING = (frozenset({"ntu60", "ntu120"}),)
"""Data sets of which one holds clips of the other, under the same ids."""


@dataclass(frozen=True, eq=False)
class Domain:
    """A data set, and how its clips come into the skeleton and the axes of an experiment.

    Args:
        name: As its store calls it.
        folder: The store.
        classes: Its own classes, which ``arrays.labels`` count.
        arrays: Its L clips as they are in the store, in its own skeleton and axes.
        columns: What splits are made of; see `skelact.datasets.store.Store.columns`.
        axes: What was found out about its axes.
        joints: Where each joint of the experiment comes from.
        aligned: Whether neck, spine and pelvis are computed alike in all data sets; see
            `skelact.evaluation.harmonise.common_joints`.
        change_axes: Whether its axes are changed, as far as ``axes`` is sure of them.
    """

    name: str
    folder: Path
    classes: tuple[str, ...]
    arrays: ClipArrays
    columns: Mapping = field(repr=False)
    axes: AxesReport = field(repr=False)
    joints: RemapPlan = field(repr=False)
    aligned: bool = False
    change_axes: bool = True

    def rows(self, split: str) -> np.ndarray:
        """The clips of a split; see `skelact.datasets.splits.select_rows`."""
        return select_rows(self.columns, split, dataset=self.name)

    def convert(self, rows: np.ndarray) -> tuple[ClipArrays, np.ndarray]:
        """Clips in the skeleton and the axes of the experiment.

        Args:
            rows: ``[K]`` which of the L.

        Returns:
            Clips, and ``[K]`` which of them they are: the K alone, in memory; or those of the
            store, mapped, where nothing is to be changed.
        """
        rows, layout = np.asarray(rows, np.int64), self.joints.target
        turned = self.change_axes and self.axes.changes()
        if not turned and not self.aligned and layout.joints == self.arrays.layout.joints:
            return remap_arrays(self.arrays, layout), rows
        clips = select_clips(self.arrays, rows)
        clips = harmonise(clips, self.axes) if turned else clips
        bring = common_joints if self.aligned else remap_arrays
        return bring(clips, layout), np.arange(len(rows))

    def shares_clips(self, name: str) -> bool:
        """Whether clips of that data set may be clips of this one."""
        return name == self.name or {name, self.name} in OVERLAPPING


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be learned from which data sets, and tested on which.

    Args:
        sources: Those to train on.
        target: The one to test on; the only source for an in-domain figure.
        classes: Shared names: those of the target that some source has.
        labels: Name of a data set -> ``[L]`` index in ``classes``, -1 for what is not shared.
        meaning: Name of a data set -> shared name -> its own classes.
        label_map: What says so.
    """

    sources: tuple[Domain, ...]
    target: Domain
    classes: tuple[str, ...]
    labels: Mapping[str, np.ndarray] = field(repr=False)
    meaning: Mapping[str, Mapping[str, tuple[str, ...]]] = field(repr=False)
    label_map: LabelMap = field(repr=False)

    @property
    def name(self) -> str:
        """``utd_mhad -> msr_action3d``."""
        return f"{self.source_name} -> {self.target.name}"

    @property
    def source_name(self) -> str:
        """The sources, joined by ``+``."""
        return "+".join(domain.name for domain in self.sources)

    @property
    def in_domain(self) -> bool:
        """Whether the target is what is trained on."""
        return self.sources == (self.target,)

    @property
    def dims(self) -> int:
        """2 where any of the data sets is 2-D: 3-D clips are then looked at from some side."""
        return min(domain.arrays.dims for domain in (*self.sources, self.target))


def open_domains(
    folders: Sequence[str | Path], joints: str | Path | Layout = "common",
    change_axes: bool = True,
) -> list[Domain]:
    """Open stores whose clips are to be made comparable.

    Args:
        folders: Stores; those named twice are opened once.
        joints: The skeleton that all are brought to. ``common``: the joints that all have or can
            derive, where each has them; ``aligned``: the same, with neck, spine and pelvis computed
            alike; ``own``: each keeps its own; or a layout.
        change_axes: Bring units and axes to metres, y up, not mirrored, as far as
            `skelact.evaluation.harmonise` is sure of them. False leaves them, which is only good
            for measuring what that costs.

    Raises:
        FileFormatError: A folder is no store, or damaged.
        SkelactError: Two stores have the same name.
        LayoutError: A skeleton cannot be converted.
    """
    folders = list(dict.fromkeys(Path(folder).resolve() for folder in folders))
    for folder in folders:
        check_whole(folder)
    stores = [Store(folder) for folder in folders]
    _check_names(stores)
    skeletons = [store.header.layout for store in stores]
    if joints in ("common", "aligned"):
        wanted = [common_layout(*skeletons)] * len(stores)
    else:
        wanted = skeletons if joints == "own" else [get_layout(joints)] * len(stores)
    return [Domain(store.header.name, store.folder, store.header.classes, store.arrays,
                   store.columns(), inspect_axes(store.arrays),
                   plan_joints(store.header.layout, layout, joints == "aligned"),
                   joints == "aligned", change_axes)
            for store, layout in zip(stores, wanted, strict=True)]


def take_joints(
    domains: Sequence[Domain], layout: Layout, aligned: bool = False
) -> dict[Domain, Domain]:
    """Data sets -> the same in another skeleton.

    Args:
        domains: Data sets.
        layout: The skeleton.
        aligned: Compute neck, spine and pelvis alike.

    Raises:
        LayoutError: A skeleton cannot be converted.
    """
    return {domain: replace(domain, aligned=aligned, joints=plan_joints(
        domain.arrays.layout, layout, aligned)) for domain in domains}


def take_source_joints(
    sources: Sequence[Domain], target: Domain
) -> tuple[list[Domain], Domain]:
    """Sources and target in the sources' own skeleton (of several: the joints that they share).

    Raises:
        LayoutError: The target has too few of these joints.
    """
    layout = common_layout(*(domain.arrays.layout for domain in sources))
    taken = take_joints([*sources, target], layout)
    return [taken[domain] for domain in sources], taken[target]


def plan_task(sources: Sequence[Domain], target: Domain, label_map: str | Path = "") -> Task:
    """Find the classes that the target shares with the sources.

    Args:
        sources: Data sets to train on.
        target: The one to test on.
        label_map: A label map by name or file. By default data sets whose classes have the same
            names share those, and others what the map ``actions`` that ships with skelact says.

    Returns:
        The task; it may have too few classes to tell anything apart.

    Raises:
        ChoiceError: The map does not know a data set or one of its classes.
    """
    domains = list(dict.fromkeys([*sources, target]))
    same = all(set(domain.classes) == set(target.classes) for domain in domains)
    shared = _own_classes(domains) if same and not label_map else load_label_map(
        label_map or "actions")
    for domain in domains:
        shared = shared.restrict(domain.name, domain.classes)
    meaning = {domain.name: {name: own for name in shared.classes
                             if (own := shared.shared_with(domain.name, name))}
               for domain in domains}
    learned = set().union(*(meaning[domain.name] for domain in sources))
    classes = tuple(name for name in shared.classes
                    if name in learned and name in meaning[target.name])
    place = np.full(len(shared.classes) + 1, -1)
    place[[shared.classes.index(name) for name in classes]] = np.arange(len(classes))
    labels = {domain.name: place[shared.relabel(domain.name, domain.classes,
                                                domain.arrays.labels)] for domain in domains}
    return Task(tuple(sources), target, classes, labels, meaning, shared)


def _own_classes(domains: Sequence[Domain]) -> LabelMap:
    classes = domains[-1].classes
    return LabelMap(classes, {domain.name: {name: name for name in classes} for domain in domains},
                    name="their own names")


def _check_names(stores: Sequence[Store]) -> None:
    names = [store.header.name for store in stores]
    for name in names:
        if names.count(name) > 1:
            where = ", ".join(str(store.folder) for store in stores if store.header.name == name)
            raise SkelactError(f"expected data sets of different names, got {names.count(name)} "
                               f"called {name!r} ({where}); prepare them under other names")
