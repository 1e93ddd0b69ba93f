"""One skeleton's joints from another's, by joint name.

A joint that both layouts have is copied. One that only the target has is derived where anatomy
fixes it (the neck lies between the shoulders) or another joint lies in the same place (the tip of
the foot), else it is left missing (NaN): a hand is never guessed from the forearm. The map is
linear, one row of weights a target joint, and does not look at the values: a derived joint is
missing wherever one of its parts is.
"""

import functools
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from skelact.checks import check_choice
from skelact.errors import LayoutError
from skelact.graph.layouts import Layout, check_joints, get_layout
from skelact.pose.recording import PoseTrack, Recording
from skelact.transforms.anatomy import DERIVED

logger = logging.getLogger(__name__)

Names = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, eq=False)
class RemapPlan:
    """Where every joint of one layout comes from in another; `print` it to read it.

    Args:
        source: The layout that there is.
        target: The layout that is wanted.
        weights: ``[N_target, N_source]`` float64; a row sums to 1, or to 0 for a missing joint.
        copied: Target joints taken over as they are.
        derived: Target joint -> the source joints that it is computed from.
        missing: Target joints that the source says nothing about; they become NaN.
    """

    source: Layout
    target: Layout
    weights: np.ndarray = field(repr=False)
    copied: tuple[str, ...]
    derived: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        width = max(map(len, self.target.joints))
        lines = [self.summary()]
        for row, joint in zip(self.weights, self.target.joints, strict=True):
            parts = " + ".join(
                name if weight == 1 else f"{weight:.3g} {name}"
                for name, weight in zip(self.source.joints, row, strict=True)
                if weight
            )
            lines.append(f"  {joint:<{width}}  {parts or 'missing'}")
        return "\n".join(lines)

    @functools.cached_property
    def _alone(self) -> tuple[np.ndarray, np.ndarray]:
        """Targets that are one source joint as it is, and which."""
        return np.nonzero(self.weights == 1)

    @functools.cached_property
    def _mixed(self) -> list[tuple[int, np.ndarray]]:
        """Targets that are a mean, each with its source joints."""
        return [(i, np.flatnonzero(row)) for i, row in enumerate(self.weights)
                if row.any() and not (row == 1).any()]

    def summary(self) -> str:
        """One line: how many joints are copied, which are derived, which are missing."""
        line = f"remap {self.source.name} -> {self.target.name}: {len(self.copied)} copied"
        for what, joints in (("derived", self.derived), ("missing", self.missing)):
            if joints:
                shown = ", ".join(list(joints)[:12]) + (", ..." if len(joints) > 12 else "")
                line += f", {len(joints)} {what} ({shown})"
        return line


def plan_remap(
    from_layout: str | Path | Layout, to_layout: str | Path | Layout, names: Names | None = None
) -> RemapPlan:
    """How to get the joints of one layout from those of another.

    Plans are cached. The first use of each is logged (INFO) with the joints it derives or leaves
    missing.

    Args:
        from_layout: The layout that there is.
        to_layout: The layout that is wanted.
        names: Joints that the names alone do not settle: target joint -> source joint, or several
            whose mean it is. For layouts outside the shared vocabulary, or to pick a hand:
            ``names={"wrist": "left_hand_root", ...}``.

    Raises:
        LayoutError: A layout or a joint in ``names`` is unknown; left and right would swap; or
            fewer than half of the joints of the smaller layout could be filled.
    """
    pairs = tuple(
        (target, (parts,) if isinstance(parts, str) else tuple(parts))
        for target, parts in (names or {}).items()
    )
    return _plan(get_layout(from_layout), get_layout(to_layout), pairs)


def remap_joints(
    joints: np.ndarray,
    from_layout: str | Path | Layout,
    to_layout: str | Path | Layout,
    names: Names | None = None,
    dims: int = 2,
) -> np.ndarray:
    """Joints of another layout; missing joints (in and out) are NaN.

    Args:
        joints: ``[..., N_from, C, T]`` floating point. With ``dims=2`` channel 2, if there is
            one, is the confidence: that of a derived joint is the lowest of its parts.
        from_layout: The layout of ``joints``.
        to_layout: The layout that is wanted.
        names: See `plan_remap`.
        dims: 2 or 3 coordinates.

    Returns:
        ``[..., N_to, C, T]``, a new array of the same dtype.

    Raises:
        LayoutError: ``joints`` is not of ``from_layout``, or see `plan_remap`.
    """
    plan = plan_remap(from_layout, to_layout, names)
    check_joints(joints, plan.source)
    check_choice(dims, (2, 3), "dims")
    out = _combine(plan, joints)
    if dims == 2 and joints.shape[-2] > 2:
        out[..., 2, :] = _lowest(plan, joints[..., 2, :])
    return out


def remap(recording: Recording, to_layout: str | Path | Layout, names: Names | None = None
          ) -> Recording:
    """The same recording in another skeleton.

    Args:
        recording: What was seen.
        to_layout: The layout that is wanted.
        names: See `plan_remap`, which also says which joints are derived or missing.

    Returns:
        A new recording; boxes, times, ids and labels stay.

    Raises:
        LayoutError: See `plan_remap`.
    """
    plan = plan_remap(recording.layout, to_layout, names)

    def convert(track: PoseTrack) -> PoseTrack:
        joints = remap_joints(track.joints, plan.source, plan.target, names, recording.dims)
        confidence = track.confidence
        if confidence is not None:
            confidence = _lowest(plan, confidence)
        return replace(track, joints=joints, confidence=confidence)

    return replace(recording, layout=plan.target, tracks=tuple(map(convert, recording.tracks)))


def _combine(plan: RemapPlan, joints: np.ndarray) -> np.ndarray:
    """Rows are summed over their own parts only: 0 * NaN would make everything missing."""
    out = np.full((*joints.shape[:-3], plan.target.num_joints, *joints.shape[-2:]), np.nan,
                  joints.dtype)
    alone, from_ = plan._alone
    out[..., alone, :, :] = joints[..., from_, :, :]
    for target, parts in plan._mixed:
        weights = plan.weights[target, parts].astype(joints.dtype)
        out[..., target, :, :] = np.einsum("n,...nct->...ct", weights, joints[..., parts, :, :])
    return out


def _lowest(plan: RemapPlan, confidence: np.ndarray) -> np.ndarray:
    """``[..., N_from, T]`` -> ``[..., N_to, T]``: the lowest of each joint's parts."""
    out = np.full((*confidence.shape[:-2], plan.target.num_joints, confidence.shape[-1]), np.nan,
                  confidence.dtype)
    alone, from_ = plan._alone
    out[..., alone, :] = confidence[..., from_, :]
    for target, parts in plan._mixed:
        out[..., target, :] = confidence[..., parts, :].min(axis=-2)
    return out


@functools.lru_cache(maxsize=256)
def _plan(source: Layout, target: Layout, names: tuple[tuple[str, tuple[str, ...]], ...]
          ) -> RemapPlan:
    known = {source.joints[i]: np.eye(source.num_joints)[i] for i in range(source.num_joints)}
    for joint, parts in names:
        target.index(joint)
        if not parts:
            raise LayoutError(f"expected source joints for {joint!r} in names, got none")
        known[joint] = np.mean([np.eye(source.num_joints)[source.index(p)] for p in parts], axis=0)
    rows = [_resolve(joint, known, frozenset()) for joint in target.joints]
    weights = np.stack([np.zeros(source.num_joints) if row is None else row for row in rows])
    weights.setflags(write=False)
    by_joint = dict(zip(target.joints, weights, strict=True))
    named = {joint for joint, parts in names if len(parts) == 1}
    copied = tuple(j for j, row in by_joint.items()
                   if (row == 1).any() and (j in named or j in source.joints))
    plan = RemapPlan(
        source=source,
        target=target,
        weights=weights,
        copied=copied,
        derived={j: tuple(source.joints[i] for i in np.flatnonzero(row))
                 for j, row in by_joint.items() if row.any() and j not in copied},
        missing=tuple(j for j, row in by_joint.items() if not row.any()),
    )
    _check_sides(plan)
    _check_shared(plan)
    logger.info(plan.summary())
    return plan


def joint_weights(layout: Layout, joint: str) -> np.ndarray | None:
    """``[N]`` weights of a layout's joints that sum to the named one; None if nothing fixes it."""
    return _resolve(joint, dict(zip(layout.joints, np.eye(layout.num_joints), strict=True)),
                    frozenset())


def _resolve(joint: str, known: dict[str, np.ndarray], above: frozenset) -> np.ndarray | None:
    """Weights of a joint over the source joints; None if nothing fixes it."""
    if joint in known:
        return known[joint]
    if joint in above:  # the rules run in circles: nose from head from nose
        return None
    for rule in DERIVED.get(joint, ()):
        parts = [_resolve(part, known, above | {joint}) for part in rule]
        if all(part is not None for part in parts):
            return sum(weight * part for weight, part in zip(rule.values(), parts, strict=True))
    return None


def _check_shared(plan: RemapPlan) -> None:
    filled = plan.target.num_joints - len(plan.missing)
    smaller = min(plan.source.num_joints, plan.target.num_joints)
    if 2 * filled < smaller:
        raise LayoutError(
            f"layouts {plan.source.name!r} and {plan.target.name!r} share too little: "
            f"{filled} of {plan.target.num_joints} joints could be filled; "
            f"say with names={{target joint: source joint}} which joints correspond"
        )


def _check_sides(plan: RemapPlan) -> None:
    """Refuse a left joint made of right ones, by name or by the flip pairs of both layouts."""
    source, target = plan.source, plan.target
    for joint, row in zip(target.joints, plan.weights, strict=True):
        shares = {"left": 0.0, "right": 0.0, None: 0.0}
        for part, weight in zip(source.joints, row, strict=True):
            shares[_side(part)] += weight
        side, other = _side(joint), {"left": "right", "right": "left"}.get(_side(joint))
        if side and shares[other] > 0 and shares[other] >= shares[side]:
            parts = [source.joints[i] for i in np.flatnonzero(row)]
            raise LayoutError(
                f"remap {source.name!r} -> {target.name!r} would swap left and right: "
                f"{joint!r} from {', '.join(parts)}; correct the names"
            )
    mirrored = plan.weights[:, source.flip_order]
    for left, right in target.flip_pairs:
        both = plan.weights[left].any() and plan.weights[right].any()
        if both and not np.allclose(plan.weights[right], mirrored[left]):
            raise LayoutError(
                f"remap {source.name!r} -> {target.name!r} would mix left and right: "
                f"{target.joints[left]!r} and {target.joints[right]!r} mirror each other in "
                f"{target.name!r}, what they come from does not in {source.name!r}; correct the "
                f"names or the flip pairs of the layouts"
            )


def _side(joint: str) -> str | None:
    """``left`` or ``right`` as a joint's name says it, in any common spelling."""
    words = re.sub(r"^([LR])(?=[A-Z])|(?<=[a-z0-9])(?=[A-Z])", r"\1_", joint).lower()
    words = re.sub(r"^(left|right)(?=[a-z])", r"\1_", words)
    for word in re.split(r"[^a-z]+", words):
        if word in ("left", "l"):
            return "left"
        if word in ("right", "r"):
            return "right"
    return None
