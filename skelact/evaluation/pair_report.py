"""Whether two data sets can be compared: their labels, joints and axes, side by side in words."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from skelact.datasets.catalog import CATALOG
from skelact.datasets.store import Store
from skelact.evaluation.axes_report import AxesReport
from skelact.evaluation.body_evidence import (
    forward,
    is_standing,
    sample_bodies,
    torso,
    unit,
)
from skelact.evaluation.harmonise import TRUNK, axes_matrix, inspect_axes, plan_joints
from skelact.evaluation.label_map import LabelMap
from skelact.graph.layouts import Layout, get_layout
from skelact.transforms.common_layout import common_layout

_APART = 0.15
"""Torso lengths between the places of a joint, from which two sets mean different points by it."""
_STILL = ("head", "neck", "spine", "pelvis", "shoulder", "hip", "knee", "ankle", "foot", "ear",
          "nose", "eye")
"""Joints that have a place in a standing body; arms are where the actions put them."""


def describe_pair(
    store_a: Store, store_b: Store, label_map: LabelMap,
    reports: tuple[AxesReport, AxesReport] | None = None, layout: str | Path | Layout = "common",
    aligned: bool = False,
) -> str:
    """What two data sets share, for a person who knows neither.

    Args:
        store_a: The one to train on.
        store_b: The one to test on.
        label_map: A map that knows both.
        reports: Their axes; by default as `inspect_axes` finds them.
        layout: The skeleton that both are brought to; ``common`` for the joints that both have or
            can derive.
        aligned: Whether neck, spine and pelvis are computed alike, as
            `skelact.evaluation.harmonise.common_joints` does.

    Returns:
        Lines of text: classes, joints, axes.

    Raises:
        ChoiceError: The map does not know a data set or one of its classes, or they share fewer
            than two classes.
        LayoutError: Their skeletons share too few joints.
    """
    stores = (store_a, store_b)
    reports = reports or tuple(inspect_axes(store.arrays) for store in stores)
    names = [store.header.name for store in stores]
    skeletons = [store.header.layout for store in stores]
    layout = common_layout(*skeletons) if layout == "common" else get_layout(layout)
    lines = [f"{names[0]} -> {names[1]}", *map(_describe_store, stores), "",
             "Labels", *_describe_labels(stores, label_map), "",
             "Joints", *_describe_joints(stores, reports, layout, aligned)]
    for name, report in zip(names, reports, strict=True):
        lines += ["", f"Axes of {name}", *(f"  {line}" for line in str(report).splitlines())]
    if store_a.header.dims != store_b.header.dims:
        lines += ["", "One is 3-D and one 2-D: project_arrays of skelact.transforms.projection "
                  "makes pictures of the 3-D one."]
    return "\n".join(_wrapped(line) for line in lines)


def _describe_store(store: Store) -> str:
    name = store.header.name
    known = CATALOG[name].what if name in CATALOG else f"{store.header.dims}-D"
    subjects = np.unique([value for value in store.columns()["subject"] if value >= 0])
    people = f" by {len(subjects)} subjects" if len(subjects) else ""
    return f"  {name}: {known}; {len(store):,} clips{people}"


def _wrapped(line: str) -> str:
    """At most 100 columns; what goes on is indented further."""
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.fill(line, 100, subsequent_indent=indent, break_long_words=False)


def _describe_labels(stores: tuple[Store, Store], label_map: LabelMap) -> list[str]:
    names = [store.header.name for store in stores]
    pair = label_map.between(*names)
    counts, units = [], []
    for name, store in zip(names, stores, strict=True):
        labels = pair.relabel(name, store.header.classes, store.arrays.labels)
        parts = (labels < 0).all() and store.annotated().any()
        if parts:  # untrimmed recordings: their labels are those of parts
            labels = pair.relabel(name, store.header.classes, store.annotation_labels())
        units.append("labelled parts" if parts else "clips")
        counts.append(np.bincount(labels[labels >= 0], minlength=len(pair.classes)))
    lines = [f"  {len(pair.classes)} shared classes by {label_map.name} "
             f"(chance {1 / len(pair.classes):.2f})"]
    width = max(map(len, pair.classes))
    for i, shared in enumerate(pair.classes):
        sides = [f"{' + '.join(pair.shared_with(name, shared))} ({count[i]} {unit_})"
                 for name, count, unit_ in zip(names, counts, units, strict=True)]
        lines.append(f"  {shared:<{width}}  {sides[0]} = {sides[1]}")
    for name, store, count, unit_ in zip(names, stores, counts, units, strict=True):
        rest = [own for own in store.header.classes if own in pair.unshared[name]]
        lines.append(f"  {name}: {count.sum():,} {unit_} in shared classes; classes left out: "
                     f"{', '.join(rest) or 'none'}")
    return lines


def _describe_joints(
    stores: tuple[Store, Store], reports: tuple[AxesReport, AxesReport], layout: Layout,
    aligned: bool,
) -> list[str]:
    how = ("by name, but neck, spine and pelvis computed alike from shoulders and hips" if aligned
           else "by name, where each data set has them")
    lines = [f"  {layout.num_joints} joints ({layout.name}), {how}: {', '.join(layout.joints)}"]
    for store in stores:
        own = store.header.layout
        plan = plan_joints(own, layout, aligned)
        used = set(plan.copied).union(*plan.derived.values())
        parts = [f"{len(plan.copied)} as they are"]
        for what, found in (
            ("derived", [f"{joint} from {' and '.join(parts)}"
                         for joint, parts in plan.derived.items()]),
            ("missing, seen by the network as absent", plan.missing),
            ("not used", [joint for joint in own.joints if joint not in used]),
        ):
            parts += [f"{what}: {', '.join(found)}"] * bool(found)
        lines.append(f"  {store.header.name} ({own.name}, {own.num_joints} joints): "
                     + "; ".join(parts))
    if all(store.header.dims == 3 for store in stores):
        first, second = (joint_places(store, report, _both_have(layout, stores))
                         for store, report in zip(stores, reports, strict=True))
        lines += _compare_places(first, second, aligned)
    return lines


def _both_have(layout: Layout, stores: tuple[Store, Store]) -> list[str]:
    plans = [plan_joints(store.header.layout, layout, False) for store in stores]
    return [joint for joint in layout.joints if not any(joint in plan.missing for plan in plans)]


def _compare_places(
    first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray], aligned: bool
) -> list[str]:
    apart = {}
    for joint in first:
        if joint not in second or (aligned and joint in TRUNK):
            continue
        offset = second[joint] - first[joint]
        if np.linalg.norm(offset) >= _APART:
            apart[joint] = offset
    if not apart:
        return ["  all lie in the same places of a standing body (within 15 % of the torso)"]
    lines = ["  not the same points of a standing body, in % of the torso (left, up, ahead):"]
    for joint in sorted(apart, key=lambda joint: -round(np.linalg.norm(apart[joint]), 2)):
        left, up, ahead = (round(100 * value) for value in apart[joint])
        lines.append(f"    {joint}: the second set has it {left:+d}, {up:+d}, {ahead:+d} from "
                     "where the first has it")
    if apart.keys() & TRUNK.keys():
        lines.append("  --joints aligned (aligned=True, common_joints of "
                     "skelact.evaluation.harmonise) computes neck, pelvis and spine alike for both")
    return lines


def joint_places(
    store: Store, report: AxesReport, joints: Sequence[str]
) -> dict[str, np.ndarray]:
    """Where joints lie in people who stand: what a data set means by their names.

    Args:
        store: A 3-D data set.
        report: Its axes.
        joints: Those to place.

    Returns:
        Joint -> ``[3]`` median place in torso lengths from the middle of the hips: to the left,
        up and ahead. Arms and joints that are never seen are left out.
    """
    wanted = [joint for joint in joints if any(part in joint for part in _STILL)]
    bodies = sample_bodies(store.arrays, more=wanted)
    matrix = axes_matrix(report)
    bodies = replace(bodies, joints={name: at @ matrix.T for name, at in bodies.joints.items()})
    up = unit(bodies.middle("shoulder") - bodies.middle("hip"))
    ahead = forward(bodies)
    ahead = -ahead if report.sides_swapped else ahead
    axes = np.stack([np.cross(up, ahead), up, ahead], axis=1)  # [F, 3, 3]
    standing, size = is_standing(bodies), torso(bodies)
    places = {}
    for joint in wanted:
        name = _other_name(joint) if report.sides_swapped else joint
        offset = (bodies.joints[name] - bodies.middle("hip"))[standing]
        placed = np.einsum("fad,fd->fa", axes[standing], offset) / size
        placed = placed[np.isfinite(placed).all(axis=1)]
        if len(placed):
            places[joint] = np.median(placed, axis=0)
    return places


def _other_name(joint: str) -> str:
    side, _, rest = joint.partition("_")
    return {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, joint)
