"""The skeleton that several layouts share: joints that all have or can derive."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skelact.errors import LayoutError
from skelact.graph.layouts import Layout, get_layout
from skelact.transforms.remap import joint_weights

AXIS = ("head", "neck", "spine", "pelvis")
"""Kept also where few of the layouts have them: bodies are turned and scaled by them."""
_FEWEST = 5


def common_layout(*layouts: str | Path | Layout, name: str = "") -> Layout:
    """The joints that all layouts have or can derive, as one tree.

    A joint is taken when more than half of the layouts have it, or another in its place, and all
    others can derive it (see `skelact.transforms.anatomy`); head, neck, spine and pelvis when one
    layout has them. Joints that would be copies of one another in some layout (the head and a
    nose made of it) are taken once. The order of the arguments does not matter.

    Args:
        layouts: At least one.
        name: Of the new layout; by default the names joined by ``+``.

    Returns:
        A layout to which `skelact.transforms.remap` converts each of them without a missing
        joint; the layout itself where all are the same.

    Raises:
        LayoutError: A layout is unknown, or they share fewer than five joints or none in the
            middle of the body.
    """
    parts = {layout.name: layout for layout in map(get_layout, layouts)}
    if not parts:
        raise LayoutError("expected layouts to find the common joints of, got none")
    ordered = sorted(parts.values(), key=lambda layout: (layout.num_joints, layout.name))
    if len(ordered) == 1:
        return ordered[0]
    name = name or "+".join(sorted(parts))
    joints = _shared_joints(ordered)
    if len(joints) < _FEWEST:
        raise LayoutError(f"layouts {', '.join(map(repr, sorted(parts)))} share "
                          f"{len(joints)} joints ({', '.join(joints) or 'none'}); at least "
                          f"{_FEWEST} are needed")
    return _joined(name, joints, ordered)


def _shared_joints(layouts: Sequence[Layout]) -> tuple[str, ...]:
    """Those all can fill, in the order of the smallest layout and then of the next."""
    owners = {joint: sum(joint in layout.joints for layout in layouts)
              for layout in layouts for joint in layout.joints}
    rows = {}
    for joint in owners:
        weights = [joint_weights(layout, joint) for layout in layouts]
        if all(row is not None for row in weights):
            measured = sum(bool((row == 1).any()) for row in weights)
            if 2 * measured > len(layouts) or joint in AXIS:
                rows[joint] = weights
    kept: list[str] = []
    for joint in sorted(rows, key=lambda joint: (-owners[joint], _aliases(joint, layouts, rows))):
        if not any(_is_copy(rows[joint], rows[other]) for other in kept):
            kept.append(joint)
    return tuple(joint for joint in owners if joint in kept)


def _aliases(joint: str, layouts: Sequence[Layout], rows: dict) -> int:
    """In how many layouts another joint stands in for it as it is."""
    return sum(joint not in layout.joints and bool((row == 1).any())
               for layout, row in zip(layouts, rows[joint], strict=True))


def _is_copy(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> bool:
    return any(np.allclose(a, b) for a, b in zip(first, second, strict=True))


def _joined(name: str, joints: tuple[str, ...], layouts: Sequence[Layout]) -> Layout:
    """A tree: each joint hangs from its nearest kept ancestor in the layout that has most of them.

    Joints which that layout lacks hang where the next one has them.
    """
    ranked = sorted(layouts, key=lambda layout: -len(set(joints) & set(layout.joints)))
    root = _root(joints, ranked[0])
    parents = {root: root}
    for layout in ranked:
        for joint in joints:
            if joint in layout.joints and joint not in parents:
                parents[joint] = _ancestor(joint, joints, layout) or root
    return Layout(name, joints, tuple(joints.index(parents[joint]) for joint in joints))


def _root(joints: Sequence[str], layout: Layout) -> str:
    """The kept joint without a side that is nearest to the layout's centre."""
    middle = [joint for joint in joints if joint in layout.joints
              and layout.flip_order[layout.index(joint)] == layout.index(joint)]
    if not middle:
        raise LayoutError(f"layout {layout.name!r} shares no joint in the middle of the body with "
                          "the others")
    centre = layout.joints[layout.centre]
    return centre if centre in middle else min(middle, key=lambda j: _depth(j, layout))


def _depth(joint: str, layout: Layout) -> int:
    at, depth = layout.index(joint), 0
    while layout.parents[at] != at:
        at, depth = layout.parents[at], depth + 1
    return depth


def _ancestor(joint: str, joints: Sequence[str], layout: Layout) -> str | None:
    """The nearest kept ancestor; None where there is none up to the centre."""
    at = layout.index(joint)
    while layout.parents[at] != at:
        at = layout.parents[at]
        if layout.joints[at] in joints:
            return layout.joints[at]
    return None
