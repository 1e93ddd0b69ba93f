"""Transforms of positions, on tensors ``[..., N, C, T]`` with NaN where a joint is missing.

All are pure: they give new tensors. 2-D clips have channels x, y, confidence; the coordinates are
the first ``dims`` channels.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from skelact.checks import check_choice
from skelact.errors import LayoutError, ShapeError
from skelact.graph.layouts import Layout
from skelact.transforms.remap import plan_remap


def hide_uncertain(joints: Tensor, min_confidence: float) -> Tensor:
    """Make joints missing whose confidence (channel 2) is below ``min_confidence``."""
    hidden = joints[..., 2:3, :] < min_confidence
    return joints.masked_fill(hidden, math.nan)


def centre_and_scale(joints: Tensor, dims: int = 2) -> Tensor:
    """Put the body at the origin and give it size 1, once for all frames of a clip.

    The centre is the mean over frames of the middle of the visible joints' box, the size the mean
    of its longer side. One centre and size for the whole clip keep the path and the growth of a
    person who moves. A clip without joints stays NaN; one of a single point is only centred.

    Args:
        joints: ``[..., N, C, T]``.
        dims: How many leading channels are coordinates.
    """
    middle, extent = measure_box(joints, dims)
    centre = middle.nanmean(dim=-1, keepdim=True)  # [..., 1, dims, 1]
    size = extent.nanmean(dim=-1)[..., None, None, None]
    size = torch.where(size > 0, size, torch.ones_like(size))
    return torch.cat([(joints[..., :dims, :] - centre) / size, joints[..., dims:, :]], dim=-2)


def fill_missing(joints: Tensor) -> Tensor:
    """0 for everything missing: what a network takes. A joint without coordinates loses all."""
    missing = joints[..., :2, :].sum(dim=-2, keepdim=True).isnan()  # three times as fast as any()
    return joints.nan_to_num(0.0).masked_fill_(missing, 0.0)


def project(joints: Tensor, yaw: Tensor, pitch: Tensor) -> Tensor:
    """See 3-D joints from another side: orthographic ``[..., N, 3, T]`` x, y, confidence 1.

    Args:
        joints: ``[..., N, 3, T]`` x, y, z with y up.
        yaw: Turn about the vertical in radians, one a leading index. 0 looks back along z, pi
            along z: as the sensor saw it (Kinect: y up, z away from the sensor, right-handed).
        pitch: Tilt of the camera in radians, one a leading index.

    Returns:
        Image coordinates in the units of the input, y down.
    """
    yaw, pitch = (angle[..., None, None] for angle in (yaw, pitch))
    x, y, z = joints.unbind(dim=-2)
    across = x * yaw.cos() + z * yaw.sin()
    depth = z * yaw.cos() - x * yaw.sin()
    down = -(y * pitch.cos() + depth * pitch.sin())
    return torch.stack([across, down, torch.ones_like(across)], dim=-2)


def locate(joints: Tensor, layout: Layout, names: Sequence[str]) -> Tensor:
    """Joints by name; what the layout lacks is derived as `skelact.transforms.remap` would.

    Args:
        joints: ``[..., N, C, T]``.
        layout: Their skeleton.
        names: P joints of the common vocabulary.

    Returns:
        ``[..., P, C, T]``.

    Raises:
        LayoutError: Nothing in the layout fixes one of them.
    """
    wanted = Layout("anchors", tuple(names), (0,) * len(names), flip_pairs=())
    weights = plan_remap(layout, wanted).weights
    parts = []
    for name, row in zip(names, weights, strict=True):
        if not row.any():
            raise LayoutError(f"layout {layout.name!r} has no {name!r} and nothing to derive it "
                              "from; choose another joint")
        parts.append(sum(float(row[i]) * joints[..., i, :, :] for i in row.nonzero()[0]))
    return torch.stack(parts, dim=-3)


def centre(
    joints: Tensor, at: Tensor | None = None, dims: int = 2, frame: str = "mean",
    together: bool = False,
) -> Tensor:
    """Move the origin into the body.

    Args:
        joints: ``[..., N, C, T]``.
        at: ``[..., 1, C, F]`` the place, such as `locate` gives it; by default the middle of the
            visible joints' box. F may be another number of frames than T.
        dims: How many leading channels are coordinates.
        frame: ``"mean"`` of the place over all frames, its ``"first"`` sighting, or ``"each"``
            frame's own, which takes the path of the body away.
        together: The axis before the joints is people, and the first person's place moves all, so
            that they keep their distances. Nobody moves where it is unknown.

    Raises:
        ChoiceError: ``frame`` is none of the three.
    """
    check_choice(frame, ("mean", "first", "each"), "frame")
    place = measure_box(joints, dims)[0] if at is None else at[..., :dims, :]
    if frame == "mean":
        place = place.nanmean(dim=-1, keepdim=True)
    elif frame == "first":
        place = _first_seen(place)
    if together:
        place = place[..., :1, :, :, :].nan_to_num(0.0)
    return torch.cat([joints[..., :dims, :] - place, joints[..., dims:, :]], dim=-2)


def scale(
    joints: Tensor, length: Tensor | None = None, dims: int = 2, together: bool = False
) -> Tensor:
    """Divide by the size of the body, one size for all frames.

    Args:
        joints: ``[..., N, C, T]``, best centred first.
        length: ``[..., T]`` size in each frame, such as the torso's; by default the longer side
            of the visible joints' box. Its mean over the frames counts.
        dims: How many leading channels are coordinates.
        together: The axis before the joints is people, and the first person's size holds for all.
    """
    length = measure_box(joints, dims)[1] if length is None else length
    size = length.nanmean(dim=-1)[..., None, None, None]
    if together:
        size = size[..., :1, :, :, :]
    size = torch.where(size > 0, size, torch.ones_like(size))  # also where nobody was seen
    return torch.cat([joints[..., :dims, :] / size, joints[..., dims:, :]], dim=-2)


def torso_length(joints: Tensor, layout: Layout, dims: int = 2) -> Tensor:
    """``[..., T]`` distance from pelvis to neck in each frame, for `scale`."""
    pelvis, neck = locate(joints[..., :dims, :], layout, ("pelvis", "neck")).unbind(dim=-3)
    return (neck - pelvis).norm(dim=-2)


def scale_by_image(joints: Tensor, image_size: Tensor, hidden: float | None = None) -> Tensor:
    """Pixels to [-1, 1] in both directions, the origin in the middle of the picture.

    Args:
        joints: ``[..., N, C, T]`` 2-D.
        image_size: ``[..., 2]`` width and height; leading axes broadcast against those of
            ``joints``.
        hidden: Joints of at most this confidence go to the origin (pyskl: 0.01); by default none.

    Raises:
        ShapeError: A size is not positive, thus unknown.

    Source: Duan et al., "PYSKL: Towards Good Practices for Skeleton Action Recognition", 2022.
    """
    if not (image_size > 0).all():
        raise ShapeError("expected the image size of every clip in pixels, got 0 (unknown) for "
                         "some; scale by the body (Scale) needs none")
    half = image_size.to(joints.dtype)[..., None, :, None] / 2
    coordinates = (joints[..., :2, :] - half) / half
    if hidden is not None:
        coordinates = coordinates.masked_fill(joints[..., 2:3, :] <= hidden, 0.0)
    return torch.cat([coordinates, joints[..., 2:, :]], dim=-2)


def rotate(joints: Tensor, matrix: Tensor) -> Tensor:
    """Any linear map of the coordinates, such as a rotation.

    Args:
        joints: ``[..., N, C, T]``.
        matrix: ``[..., D, D]`` for the first D channels; leading axes broadcast against those of
            ``joints``.
    """
    dims = matrix.shape[-1]
    moved = matrix.to(joints.dtype).unsqueeze(-3) @ joints[..., :dims, :]
    return moved if dims == joints.shape[-2] else torch.cat([moved, joints[..., dims:, :]], dim=-2)


def canonical_view(
    joints: Tensor, layout: Layout, up: str = "z", keep_upright: bool = False,
    opening: Tensor | None = None,
) -> Tensor:
    """Centre 3-D people and turn them upright, with the shoulders of the first along x.

    The first person's first frame that shows pelvis, spine and shoulders decides for everyone and
    all frames: ``spine`` becomes the origin, pelvis to spine points up, then left to right
    shoulder along x. A clip without such a frame stays as it is, as published; with
    ``keep_upright`` it goes by what of the four is ever seen, see `_complete`.

    Args:
        joints: ``[..., M, N, 3, T]``, people in order of importance.
        layout: The skeleton.
        up: ``"z"`` as published, or ``"y"``, as our 3-D recordings stand.
        keep_upright: Turn the shoulders about the vertical only: the same view from any camera.
            The published code takes the shortest turn, which tilts a body whose shoulders are not
            level, and may turn one upside down that faces away.
        opening: ``[..., M, N, 3, F]`` frames that come before these and count first, such as the
            start of the clip that ``joints`` were sampled from.

    Raises:
        ChoiceError: ``up`` is neither.
        LayoutError: The layout lacks one of the four joints.

    Source: Shi et al., "Two-Stream Adaptive Graph Convolutional Networks", 2019, data
    preparation of the released code, in the form of PYSKL (2022).
    """
    check_choice(up, ("y", "z"), "up")
    names = ("pelvis", "spine", "right_shoulder", "left_shoulder")
    parts = [joints] if opening is None else [opening, joints]
    found = [locate(part[..., 0, :, :, :], layout, names).flatten(-3, -2) for part in parts]
    anchors = _first_seen(torch.cat(found, dim=-1))[..., 0].double()
    if keep_upright and anchors.isnan().any():
        anchors = _complete(torch.cat(found, dim=-1).double(), joints[..., 0, :, :, :], up)
    unseen = anchors.isnan().any(dim=-1)[..., None]
    pelvis, spine, right, left = anchors.unflatten(-1, (4, 3)).unbind(dim=-2)
    x, y, z = axes = torch.eye(3, dtype=torch.float64)
    vertical = y if up == "y" else z
    upright = _turn_onto(spine - pelvis, vertical, x)
    along = (upright @ (right - left).unsqueeze(-1)).squeeze(-1)
    along = along * (1 - vertical) if keep_upright else along
    matrix = torch.where(unseen[..., None], axes, _turn_onto(along, x, vertical) @ upright)
    origin = spine.masked_fill(unseen, 0.0).to(joints.dtype)[..., None, None, :, None]
    return rotate(joints - origin, matrix.unsqueeze(-3))


def measure_box(joints: Tensor, dims: int) -> tuple[Tensor, Tensor]:
    """Middle ``[..., 1, dims, T]`` and longer side ``[..., T]`` of the box of visible joints."""
    coordinates = joints[..., :dims, :]
    missing = coordinates.isnan()
    low = coordinates.masked_fill(missing, math.inf).amin(dim=-3)
    high = coordinates.masked_fill(missing, -math.inf).amax(dim=-3)
    empty = ~low.isfinite()
    middle = ((low + high) / 2).masked_fill(empty, math.nan).unsqueeze(-3)
    return middle, (high - low).masked_fill(empty, math.nan).amax(dim=-2)


def _turn_onto(vector: Tensor, target: Tensor, about: Tensor) -> Tensor:
    """``[..., 3, 3]`` the shortest rotation that turns ``vector [..., 3]`` onto ``target [3]``.

    Where they are opposite it is half a turn ``about`` an axis ``[3]`` at a right angle to it.
    """
    vector = vector / vector.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    axis = torch.linalg.cross(vector, target.expand_as(vector))
    cos = (vector * target).sum(dim=-1)[..., None, None]
    x, y, z = axis.unbind(dim=-1)
    zero, one = torch.zeros_like(x), torch.eye(3, dtype=vector.dtype)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    turn = one + skew + skew @ skew / (1 + cos).clamp_min(1e-9)
    return torch.where(cos < 1e-9 - 1, 2 * torch.outer(about, about) - one, turn)


def _complete(found: Tensor, person: Tensor, up: str) -> Tensor:
    """``[..., 12]`` places of pelvis, spine, right and left shoulder of somebody half seen.

    The first frame with all four where there is one. Else each where it is in the middle of its
    sightings; of those never seen, the spine counts as between pelvis and shoulders, or above the
    pelvis, or amid all joints; the pelvis as below it, a shoulder as opposite the other one, and
    two shoulders as facing the sensor.

    Args:
        found: ``[..., 12, T]`` the four, NaN where not seen.
        person: ``[..., N, 3, T]`` all joints.
        up: The axis that points up.
    """
    together = _first_seen(found)[..., 0]
    apart = found.nanmedian(dim=-1).values.unflatten(-1, (4, 3))
    pelvis, spine, right, left = apart.unbind(dim=-2)
    x, y, z = torch.eye(3, dtype=torch.float64)
    rise = (y if up == "y" else z) / 4  # metres
    for guess in ((pelvis + (right + left) / 2) / 2, pelvis + rise,
                  person.double().nanmean(dim=(-3, -1))):
        spine = torch.where(spine.isnan(), guess, spine)
    pelvis = torch.where(pelvis.isnan(), spine - rise, pelvis)
    right, left = (torch.where(one.isnan(), 2 * spine - other, one)
                   for one, other in ((right, left), (left, right)))
    right, left = (torch.where(one.isnan(), spine + side * x / 2, one)
                   for one, side in ((right, 1), (left, -1)))
    apart = torch.stack([pelvis, spine, right, left], dim=-2).flatten(-2)
    return torch.where(together.isnan().any(dim=-1, keepdim=True), apart, together)


def _first_seen(values: Tensor) -> Tensor:
    """``[..., C, 1]`` of ``[..., C, T]``: the first frame without NaN, or the first of all."""
    seen = ~values.isnan().any(dim=-2, keepdim=True)
    first = seen.to(torch.uint8).argmax(dim=-1, keepdim=True)
    return values.gather(-1, first.expand(*values.shape[:-1], 1))
