"""What bodies say of the axes that they were recorded in.

Frames are sampled from clips; everything is measured on them by named joints, so that any layout
of a whole body will do. Shapes: F sampled frames, L clips; NaN where a joint is missing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from skelact.datasets.arrays import ClipArrays
from skelact.transforms.remap import joint_weights

SIDES = ("left", "right")
LIMBS = {  # metres in an adult of 1.70 m, after Drillis and Contini (1966); from joint to joint
    "upper arm": ("shoulder", "elbow", 0.29),
    "forearm": ("elbow", "wrist", 0.25),
    "thigh": ("hip", "knee", 0.42),
    "shin": ("knee", "ankle", 0.42),
}
FRAMES = 24
"""Frames of a track that are looked at."""
CLIPS = 3000
"""Clips that are looked at, evenly over the set."""
_DERIVED = ("head", "neck")
_OWN = ("nose",)
_SIDED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_SIDED_OWN = ("foot", "foot_index", "big_toe", "ear")
_BENT = 0.12
"""Torso lengths that an elbow or knee stands off its straight limb, to count as bent."""
_WALKED = 1.5
"""Torso lengths: about 0.6 m, further than one moves in sitting down."""
_WALKING = 1.2
"""Torso lengths a second: about 0.5 m, the slowest that counts as walking."""


@dataclass(frozen=True, eq=False)
class Bodies:
    """Sampled frames of people.

    Args:
        joints: Joint -> ``[F, D]`` float64, NaN where it is missing or the layout lacks it.
        confidence: Joint -> ``[F]`` (2-D), empty for 3-D.
        clips: ``[F]`` the clip of each frame, 0..L-1.
        tracks: ``[F]`` the track of each frame.
        times: ``[F]`` seconds.
        count: L.
    """

    joints: Mapping[str, np.ndarray]
    confidence: Mapping[str, np.ndarray]
    clips: np.ndarray
    tracks: np.ndarray
    times: np.ndarray
    count: int

    def middle(self, part: str) -> np.ndarray:
        """``[F, D]`` between the left and the right of a joint."""
        return (self.joints[f"left_{part}"] + self.joints[f"right_{part}"]) / 2

    def across(self, part: str) -> np.ndarray:
        """``[F, D]`` from the right to the left of a joint."""
        return self.joints[f"left_{part}"] - self.joints[f"right_{part}"]

    def rescaled(self, factors: np.ndarray) -> "Bodies":
        """The same with each axis multiplied by its factor ``[D]``."""
        return replace(self, joints={name: at * factors for name, at in self.joints.items()})

    def by_clip(self, values: np.ndarray) -> np.ndarray:
        """``[L]`` mean of ``[F]`` over the frames of each clip, NaN left out."""
        known = np.isfinite(values)
        totals = np.bincount(self.clips[known], values[known], minlength=self.count)
        counts = np.bincount(self.clips[known], minlength=self.count)
        return np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)

    def clip_means(self, vectors: np.ndarray) -> np.ndarray:
        """``[L, D]`` means of ``[F, D]`` over the frames of each clip."""
        return np.stack([self.by_clip(values) for values in vectors.T], axis=1)


def sample_bodies(
    arrays: ClipArrays, rows: np.ndarray | None = None, more: Iterable[str] = ()
) -> Bodies:
    """Up to 24 frames of every track of up to 3,000 clips, evenly.

    Args:
        arrays: The clips.
        rows: Which to look at; by default all.
        more: Joints that are wanted beside those that the cues look at.
    """
    rows = np.arange(len(arrays)) if rows is None else np.asarray(rows, np.int64)
    if len(rows) > CLIPS:
        rows = rows[np.linspace(0, len(rows) - 1, CLIPS).astype(np.int64)]
    counts = np.diff(arrays.clip_offsets)[rows]
    clips = np.repeat(np.arange(len(rows)), counts)
    tracks = np.concatenate([np.arange(*arrays.clip_offsets[[row, row + 1]]) for row in rows]
                            or [np.empty(0, np.int64)])
    starts, sizes = arrays.track_offsets[tracks], np.diff(arrays.track_offsets)[tracks]
    takes = np.minimum(sizes, FRAMES)
    inside = np.arange(takes.sum()) - np.repeat(np.cumsum(takes) - takes, takes)
    frames = np.repeat(starts, takes) + inside * np.repeat(sizes, takes) // np.repeat(takes, takes)
    clips = np.repeat(clips, takes)
    values = np.asarray(arrays.joints[frames], np.float64)  # [F, N, C]
    values[np.isinf(values)] = np.nan
    names = [*_DERIVED, *(f"{side}_{part}" for part in _SIDED for side in SIDES)]
    own = [name for name in (*_OWN, *(f"{side}_{part}" for part in _SIDED_OWN for side in SIDES))
           if name in arrays.layout.joints]
    joints, confidence = {}, {}
    for name in dict.fromkeys([*names, *own, *more]):
        parts = _parts(arrays, name)
        weights = np.array(list(parts.values()))
        joints[name] = (np.einsum("n,fnd->fd", weights, values[:, list(parts), : arrays.dims])
                        if parts else np.full((len(values), arrays.dims), np.nan))
        if arrays.dims == 2 and values.shape[-1] > 2:
            confidence[name] = (values[:, list(parts), 2].min(axis=1) if parts
                                else np.full(len(values), np.nan))
    return Bodies(joints, confidence, clips, np.repeat(tracks, takes),
                  arrays.frame_index[frames] / arrays.fps[rows][clips], len(rows))


def _parts(arrays: ClipArrays, joint: str) -> dict[int, float]:
    weights = joint_weights(arrays.layout, joint)
    return {} if weights is None else {int(i): float(weights[i]) for i in np.flatnonzero(weights)}


def limb_vectors(bodies: Bodies) -> dict[str, np.ndarray]:
    """Limb -> ``[2 F, D]``: both sides, from the joint nearer to the trunk."""
    return {limb: np.concatenate([bodies.joints[f"{side}_{far}"] - bodies.joints[f"{side}_{near}"]
                                  for side in SIDES])
            for limb, (near, far, _) in LIMBS.items()}


def axis_scales(bodies: Bodies) -> np.ndarray | None:
    """``[D]`` metres a unit of each axis, so that limbs keep an adult's length as they turn.

    Squared limb lengths are a weighted sum of squared components; least squares finds the
    weights. Limbs must be seen in enough directions, else None.
    """
    rows = [vectors / LIMBS[limb][2] for limb, vectors in limb_vectors(bodies).items()]
    squares = np.concatenate(rows) ** 2
    squares = squares[np.isfinite(squares).all(axis=1) & (squares.sum(axis=1) > 0)]
    if len(squares) < 50:
        return None
    typical = squares.mean(axis=0)
    if (typical <= 0).any():
        return None
    scaled = squares / typical
    for _ in range(5):  # lengths that do not fit are glitches of the tracker
        weights, *_ = np.linalg.lstsq(scaled, np.ones(len(scaled)), rcond=None)
        off = np.abs(scaled @ weights - 1)
        kept = off <= 3 * np.median(off) + 1e-9
        if kept.all():
            break
        scaled = scaled[kept]
    if np.linalg.cond(scaled / np.linalg.norm(scaled, axis=0)) > 30 or (weights <= 0).any():
        return None
    return np.sqrt(weights / typical)


def upright(bodies: Bodies) -> np.ndarray:
    """``[F, D]`` unit vectors from the feet to the head; from the hips where legs are missing."""
    top = bodies.joints["head"]
    top = np.where(np.isfinite(top), top, bodies.middle("shoulder"))
    low = bodies.middle("ankle")
    low = np.where(np.isfinite(low), low, bodies.middle("hip"))
    return unit(top - low)


def is_standing(bodies: Bodies) -> np.ndarray:
    """``[F]`` bool: both legs straight, and the trunk in line with them."""
    straight = np.ones(len(bodies.clips), bool)
    for side in SIDES:
        hip, knee, ankle = (bodies.joints[f"{side}_{part}"] for part in ("hip", "knee", "ankle"))
        length = _norm(hip - knee) + _norm(knee - ankle)
        with np.errstate(invalid="ignore"):
            straight &= _norm(hip - ankle) > 0.94 * length
    trunk = unit(bodies.middle("shoulder") - bodies.middle("hip"))
    legs = unit(bodies.middle("hip") - bodies.middle("ankle"))
    with np.errstate(invalid="ignore"):
        return straight & ((trunk * legs).sum(axis=1) > np.cos(np.radians(25)))


def torso(bodies: Bodies) -> float:
    """Median distance from the middle of the hips to that of the shoulders; NaN if none or 0."""
    lengths = _norm(bodies.middle("shoulder") - bodies.middle("hip"))
    middle = float(np.nanmedian(lengths)) if np.isfinite(lengths).any() else 0.0
    return middle or float("nan")


def to_left(bodies: Bodies) -> np.ndarray:
    """``[F, D]`` from the right to the left of the trunk."""
    shoulders, hips = bodies.across("shoulder"), bodies.across("hip")
    return np.where(np.isfinite(hips), hips, 0) + np.where(np.isfinite(shoulders), shoulders, 0)


def forward(bodies: Bodies) -> np.ndarray:
    """``[F, 3]`` unit vectors that a body faces if left and right are true: left x up."""
    up = unit(bodies.middle("shoulder") - bodies.middle("hip"))
    return unit(np.cross(to_left(bodies), up))


def facing_cues(bodies: Bodies, facing: np.ndarray) -> dict[str, np.ndarray]:
    """How far what lies ahead in people does lie ahead along ``facing [F, D]``.

    Returns:
        Cue -> ``[F]`` torso lengths, positive where it agrees with ``facing``, NaN where it says
        nothing.
    """
    size, at = torso(bodies), bodies.joints

    def ahead(vector: np.ndarray) -> np.ndarray:
        return (vector * facing).sum(axis=1) / size

    cues = {"forearms point ahead": ahead(bodies.middle("wrist") - bodies.middle("elbow")),
            "elbows bend behind": -_bend(bodies, ("shoulder", "elbow", "wrist"), ahead, size),
            "knees bend ahead": _bend(bodies, ("hip", "knee", "ankle"), ahead, size),
            "head before the shoulders": ahead(at["head"] - bodies.middle("shoulder")),
            "walking goes ahead": _walking(bodies, ahead, size)}
    toes = next((part for part in ("foot", "foot_index", "big_toe") if f"left_{part}" in at), None)
    if toes:
        cues["toes before the ankles"] = ahead(bodies.middle(toes) - bodies.middle("ankle"))
    if "nose" in at and "left_ear" in at:
        cues["nose before the ears"] = ahead(at["nose"] - bodies.middle("ear"))
    return cues


CUE_WEIGHTS = {"toes before the ankles": 4.0, "nose before the ears": 4.0,
               "forearms point ahead": 3.0, "elbows bend behind": 1.0, "knees bend ahead": 1.0,
               "head before the shoulders": 0.5, "walking goes ahead": 1.0}
"""How much a cue counts; set by how often each is right on Kinect recordings."""


def _bend(bodies: Bodies, chain: tuple[str, str, str], ahead, size: float) -> np.ndarray:
    """Where the middle joint of a bent limb stands off the line between its ends; NaN: straight."""
    offsets = []
    for side in SIDES:
        near, middle, far = (bodies.joints[f"{side}_{part}"] for part in chain)
        line = far - near
        with np.errstate(invalid="ignore", divide="ignore"):
            along = ((middle - near) * line).sum(axis=1) / (line**2).sum(axis=1)
        off = middle - near - np.clip(along, 0, 1)[:, None] * line
        with np.errstate(invalid="ignore"):
            offsets.append(np.where(_norm(off) > _BENT * size, ahead(off), np.nan))
    return np.where(np.isfinite(offsets).any(axis=0), np.nansum(offsets, axis=0), np.nan)


def _walking(bodies: Bodies, ahead, size: float) -> np.ndarray:
    """Way ahead in torso lengths, over a third of a clip, of people who go somewhere; else NaN."""
    hips, third = bodies.middle("hip"), FRAMES // 3
    way, time = np.full_like(hips, np.nan), np.full(len(hips), np.nan)
    same = bodies.tracks[third:] == bodies.tracks[:-third]
    way[:-third] = np.where(same[:, None], hips[third:] - hips[:-third], np.nan)
    time[:-third] = np.where(same, bodies.times[third:] - bodies.times[:-third], np.nan)
    far = _norm(way) / size
    with np.errstate(invalid="ignore"):
        return np.where((far > _WALKED) & (far > _WALKING * time), ahead(way), np.nan)


def one_handed(bodies: Bodies) -> np.ndarray:
    """``[L]`` 1 where the right hand moves much more than the left, 0 the reverse, NaN neither."""
    paths = []
    for side in SIDES:
        hand = bodies.joints[f"{side}_wrist"] - bodies.joints[f"{side}_shoulder"]
        steps = np.full(len(hand), np.nan)
        steps[1:] = np.where(np.diff(bodies.tracks) == 0, _norm(np.diff(hand, axis=0)), np.nan)
        paths.append(bodies.by_clip(steps))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = paths[1] / paths[0]
    return np.select([ratio > 1.5, ratio < 1 / 1.5], [1.0, 0.0], np.nan)


def hand_speed(bodies: Bodies) -> float:
    """Median over clips of the faster hand's highest speed between sampled frames."""
    speeds = []
    for side in SIDES:
        hand = bodies.joints[f"{side}_wrist"]
        speed = np.full(len(hand), np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            speed[1:] = np.linalg.norm(np.diff(hand, axis=0), axis=1) / np.diff(bodies.times)
        speed[1:][np.diff(bodies.tracks) != 0] = np.nan
        speeds.append(speed)
    fastest = np.fmax(*speeds)
    known = np.isfinite(fastest)
    if not known.any():
        return float("nan")
    highest = np.zeros(bodies.count)
    np.maximum.at(highest, bodies.clips[known], fastest[known])
    return float(np.median(highest[np.unique(bodies.clips[known])]))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length 1; NaN for those without a length."""
    length = _norm(vectors)[..., None]
    with np.errstate(invalid="ignore"):
        return vectors / np.where(length > 0, length, np.nan)


def _norm(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=-1)
