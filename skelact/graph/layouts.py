"""Skeleton layouts: which joints, in which order, joined by which bones.

All layouts share one joint vocabulary. ``left`` and ``right`` are the person's own sides,
``neck`` lies between the shoulders, ``upper_neck`` above it, ``pelvis`` between the hips.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

import numpy as np
import yaml

from skelact.errors import LayoutError

_BUILTIN = resources.files("skelact.graph") / "builtin"


class StrictLoader(yaml.SafeLoader):
    """YAML in which a key declared twice is an error and not silently the last one."""

    def construct_mapping(self, node, deep=False):
        """A mapping whose keys are each declared once."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise yaml.YAMLError(f"declared twice: {', '.join(twice)}\n{node.start_mark}")
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class Layout:
    """A skeleton: named joints joined to a tree.

    Args:
        name: Short name, such as ``"coco17"``.
        joints: Joint names in tensor order.
        parents: Index of each joint's parent; the centre is its own parent.
        flip_pairs: Index pairs that swap in a mirror image. By default every ``left_*`` with
            its ``right_*``.
        source_names: The names in the format's own documentation, when they differ.
        drawn_edges: Index pairs to draw in a picture; by default the bones.
        oks_sigmas: Per-joint spread of human annotation for object keypoint similarity (COCO).

    Raises:
        LayoutError: A name appears twice, the parents are no tree with one centre, or the flip
            does not map the skeleton onto itself.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    flip_pairs: tuple[tuple[int, int], ...] | None = None
    source_names: tuple[str, ...] | None = None
    drawn_edges: tuple[tuple[int, int], ...] | None = field(default=None, repr=False)
    oks_sigmas: tuple[float, ...] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        set_ = functools.partial(object.__setattr__, self)
        set_("joints", tuple(self.joints))
        set_("parents", tuple(int(p) for p in self.parents))
        if self.flip_pairs is None:
            set_("flip_pairs", _pair_sides(self.joints))
        set_("flip_pairs", tuple(tuple(sorted(map(int, pair))) for pair in self.flip_pairs))
        set_("source_names", tuple(self.source_names or self.joints))
        set_("drawn_edges", tuple(map(tuple, self.drawn_edges or self.bones)))
        _check_names(self)
        _check_tree(self)
        _check_flip(self)

    @property
    def num_joints(self) -> int:
        """N, the number of joints."""
        return len(self.joints)

    @property
    def centre(self) -> int:
        """Index of the joint that is its own parent."""
        return next(i for i, parent in enumerate(self.parents) if i == parent)

    @property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(child, parent) of every bone, N - 1 of them."""
        return tuple((i, p) for i, p in enumerate(self.parents) if i != p)

    @property
    def flip_order(self) -> np.ndarray:
        """``[N]`` joint order of the mirrored skeleton: ``joints[flip_order]`` swaps the sides."""
        order = np.arange(self.num_joints)
        for a, b in self.flip_pairs:
            order[[a, b]] = b, a
        return order

    def index(self, joint: str) -> int:
        """Index of a joint by its name.

        Raises:
            LayoutError: The layout has no such joint.
        """
        if joint not in self.joints:
            raise LayoutError(
                f"layout {self.name!r} has no joint {joint!r}; it has {', '.join(self.joints)}"
            )
        return self.joints.index(joint)

    def with_parents(self, parents: Sequence[int], name: str | None = None) -> "Layout":
        """The same joints joined by other bones (published code does not always agree).

        Args:
            parents: Index of each joint's parent.
            name: Name of the new layout; by default the old one.
        """
        return replace(self, parents=tuple(parents), name=name or self.name, drawn_edges=None)

    @classmethod
    def from_mapping(cls, data: Mapping) -> "Layout":
        """A layout from the mapping that a layout YAML file holds.

        Args:
            data: ``name``; ``joints`` as ``{joint: parent}`` in tensor order; optional
                ``mirrored`` (``{joint: joint}`` beside ``left_*``/``right_*``), ``drawn``
                (pairs of joint names), ``source_names`` and ``oks_sigmas``.

        Raises:
            LayoutError: A key is unknown or missing, or a joint is not declared.
        """
        try:
            return cls._from_mapping(data)
        except LayoutError:
            raise
        except (AttributeError, TypeError, ValueError) as error:
            raise LayoutError(f"expected a layout as docs/data.md describes it: {error}") from error

    @classmethod
    def _from_mapping(cls, data: Mapping) -> "Layout":
        known = {"name", "joints", "mirrored", "drawn", "source_names", "oks_sigmas"}
        if not isinstance(data, Mapping) or not {"name", "joints"} <= set(data) <= known:
            got = sorted(data) if isinstance(data, Mapping) else type(data).__name__
            raise LayoutError(
                f"expected a layout with keys name, joints and optionally "
                f"{', '.join(sorted(known - {'name', 'joints'}))}; got {got}"
            )
        if not isinstance(data["joints"], Mapping):
            raise LayoutError("expected 'joints' as a table 'joint: parent', one line a joint")
        joints = tuple(map(str, data["joints"]))
        where = {joint: i for i, joint in enumerate(joints)}

        def find(joint) -> int:
            if str(joint) not in where:
                raise LayoutError(f"layout {data['name']!r} names the undeclared joint {joint!r}")
            return where[str(joint)]

        mirrored = tuple((find(a), find(b)) for a, b in (data.get("mirrored") or {}).items())
        source = data.get("source_names") or {}
        return cls(
            name=str(data["name"]),
            joints=joints,
            parents=tuple(find(parent) for parent in data["joints"].values()),
            flip_pairs=_pair_sides(joints) + mirrored,
            source_names=tuple(source.get(joint, joint) for joint in joints),
            drawn_edges=tuple((find(a), find(b)) for a, b in data.get("drawn") or ()) or None,
            oks_sigmas=tuple(data["oks_sigmas"]) if data.get("oks_sigmas") else None,
        )

    @classmethod
    def from_yaml(cls, path: str | Path) -> "Layout":
        """A layout of the user's own, from a YAML file (see `from_mapping` and ``docs/data.md``).

        Raises:
            LayoutError: The file is missing, no YAML, or no valid layout.
        """
        try:
            data = yaml.load(Path(path).read_text(encoding="utf-8"), StrictLoader)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise LayoutError(f"cannot read the layout file {path}: {error}") from error
        try:
            return cls.from_mapping(data)
        except LayoutError as error:
            raise LayoutError(f"{path}: {error}") from None


@functools.cache
def builtin_layouts() -> tuple[str, ...]:
    """Names of the layouts that ship with skelact."""
    return tuple(sorted(e.name[:-5] for e in _BUILTIN.iterdir() if e.name.endswith(".yaml")))


def get_layout(layout: str | Path | Layout) -> Layout:
    """A layout by name, by YAML file, or as it is.

    Args:
        layout: A built-in name (see `builtin_layouts`), the path of a ``.yaml`` file, or a Layout.

    Raises:
        LayoutError: No such layout.
    """
    if isinstance(layout, Layout):
        return layout
    if str(layout).endswith((".yaml", ".yml")):
        return Layout.from_yaml(layout)
    if layout not in builtin_layouts():
        raise LayoutError(
            f"expected a layout out of {', '.join(builtin_layouts())}, or a .yaml file; "
            f"got {layout!r}"
        )
    return _load_builtin(str(layout))


@functools.cache
def _load_builtin(name: str) -> Layout:
    return Layout.from_mapping(yaml.safe_load((_BUILTIN / f"{name}.yaml").read_text("utf-8")))


def layouts_with(num_joints: int) -> list[str]:
    """Built-in layouts that have this many joints (for error messages)."""
    return [name for name in builtin_layouts() if get_layout(name).num_joints == num_joints]


def check_joints(joints, layout: Layout, name: str = "joints"):
    """Return ``joints`` if it is ``[..., N, C, T]`` with the N of ``layout``.

    Raises:
        LayoutError: Another number of joints; the message names layouts that would fit.
    """
    shape = tuple(joints.shape)
    if len(shape) >= 3 and shape[-3] == layout.num_joints:
        return joints
    hint = ""
    if len(shape) >= 3 and (fitting := layouts_with(shape[-3])):
        hint = (f"; {shape[-3]} joints are layout {' or '.join(map(repr, fitting))}: "
                f"remap(recording, {layout.name!r}) converts")
    raise LayoutError(
        f"expected {name} [..., N={layout.num_joints}, C, T] for layout {layout.name!r}, "
        f"got {list(shape)}{hint}"
    )


def _pair_sides(joints: Sequence[str]) -> tuple[tuple[int, int], ...]:
    where = {joint: i for i, joint in enumerate(joints)}
    return tuple(
        (i, where[mirror])
        for joint, i in where.items()
        if joint.startswith("left_") and (mirror := _other_side(joint)) in where
    )


def _other_side(joint: str) -> str | None:
    """``left_x`` for ``right_x`` and the reverse; None for a joint without a side."""
    side, _, rest = joint.partition("_")
    return {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side)


def _check_names(layout: Layout) -> None:
    for what, values in (("joints", layout.joints), ("source names", layout.source_names)):
        if len(set(values)) != len(values):
            twice = sorted({v for v in values if values.count(v) > 1})
            raise LayoutError(f"layout {layout.name!r} has {what} twice: {', '.join(twice)}")
    for what, values in (("parents", layout.parents), ("source names", layout.source_names),
                         ("OKS sigmas", layout.oks_sigmas or layout.joints)):
        if len(values) != len(layout.joints):
            raise LayoutError(f"layout {layout.name!r} has {layout.num_joints} joints but "
                              f"{len(values)} {what}")
    pairs = [*layout.flip_pairs, *layout.drawn_edges, *enumerate(layout.parents)]
    if any(not 0 <= i < layout.num_joints for pair in pairs for i in pair):
        raise LayoutError(f"layout {layout.name!r} has an index outside 0..{layout.num_joints - 1}")


def _check_tree(layout: Layout) -> None:
    roots = [layout.joints[i] for i, parent in enumerate(layout.parents) if i == parent]
    if len(roots) != 1:
        raise LayoutError(
            f"layout {layout.name!r} needs exactly one joint that is its own parent (the centre); "
            f"got {roots or 'none'}"
        )
    for start in range(layout.num_joints):
        joint = start
        for _ in range(layout.num_joints):
            joint = layout.parents[joint]
        if joint != layout.centre:
            raise LayoutError(
                f"layout {layout.name!r}: joint {layout.joints[start]!r} does not reach the "
                f"centre {roots[0]!r}; its parents run in a circle"
            )


def _check_flip(layout: Layout) -> None:
    for pair in layout.flip_pairs:
        a, b = (layout.joints[i] for i in pair)
        if _other_side(a) not in (None, b) or _other_side(b) not in (None, a):
            raise LayoutError(f"layout {layout.name!r}: the flip pair {a!r}, {b!r} contradicts the "
                              f"names; left_* mirrors right_*")
    touched = [i for pair in layout.flip_pairs for i in pair]
    order = layout.flip_order
    bones = {frozenset(bone) for bone in layout.bones}
    mirrored = {frozenset((order[a], order[b])) for a, b in layout.bones}
    if len(set(touched)) != len(touched) or bones != mirrored:
        raise LayoutError(
            f"layout {layout.name!r}: swapping its flip pairs does not give the same skeleton; "
            f"check the parents of left and right joints, and that no joint is in two pairs"
        )
