"""The classical baseline: histograms of motion and of gradients, and a linear machine over them.

What was done before networks learned their features, and what a network has to beat. Features are
plain arrays ``[L, D]``, a row a clip; join those of several kinds with ``np.hstack``.
"""

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from scipy.special import softmax
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skelact.checks import check_shape
from skelact.config import ClipConfig
from skelact.datasets.arrays import ClipArrays
from skelact.errors import ChoiceError, MissingDependencyError, ShapeError, SkelactError
from skelact.evaluation.views import Views, view_loader
from skelact.rgb.flow import optical_flow
from skelact.transforms.clip_form import settle_form

_STILL = 0.1
"""Share of the mean speed of all joints below which a joint counts as still."""
_STILL_PIXELS = 0.5
_FLOW_BOUND = 20.0


def motion_features(
    arrays: ClipArrays, clip: ClipConfig, rows: np.ndarray | None = None, bins: int = 8,
    parts: tuple[int, ...] = (1, 2, 4), workers: int = 0,
) -> np.ndarray:
    """`motion_histograms` of the clips of a data set, in the form that a network takes them in.

    Args:
        arrays: The clips.
        clip: Their form; `settle_form` decides what it leaves open.
        rows: ``[L]`` those to look at; by default all.
        bins: As of `motion_histograms`.
        parts: As of `motion_histograms`.
        workers: Threads that prepare batches ahead.

    Returns:
        ``[L, D]`` float32; of several people the mean over those who are there.

    Raises:
        ChoiceError: The clips cannot be brought into the form.
    """
    images = arrays.image_size is not None and bool((arrays.image_size > 0).all())
    clip = settle_form(clip, arrays.layout, arrays.dims, images)
    rows = np.arange(len(arrays)) if rows is None else np.asarray(rows, np.int64)
    found = []
    for batch in view_loader(clip, arrays, rows, Views(), workers=workers) if len(rows) else ():
        people = batch.mask.any(dim=-1).numpy()  # [B, M]
        features = motion_histograms(batch.clips.numpy()[:, :, :, :clip.dims], bins, parts)
        mean = (features * people[..., None]).sum(1) / np.maximum(people.sum(1), 1)[:, None]
        found.append(mean.astype(np.float32))
    width = _motion_width(arrays.layout.num_joints, clip.dims, bins, parts)
    return np.concatenate([np.empty((0, width), np.float32), *found])


def motion_histograms(
    joints: np.ndarray, bins: int = 8, parts: tuple[int, ...] = (1, 2, 4)
) -> np.ndarray:
    """Which way each joint moves, and how far.

    Of each joint the steps from frame to frame are seen in each plane of the axes (x y; in 3-D
    also x z and y z). The path is shared out to ``bins`` directions, each step between its two
    nearest ones, and one more bin counts the frames in which the joint is nearly still. This is
    done for the whole clip and for shorter parts of it.

    Args:
        joints: ``[..., N, C, T]``, C = 2 or 3 coordinates, of one size for all clips, without
            gaps (0 where nobody is seen).
        bins: Directions.
        parts: In how many parts the clip is cut, one number a level.

    Returns:
        ``[..., D]`` float32, D = N * planes * (bins + 1) * the sum of ``parts``; square roots of
        shares, so that a distance between two is Hellinger's.

    Raises:
        ShapeError: Other axes, or fewer frames than the shortest part has steps.
        ChoiceError: Fewer than two directions, or no parts.
    """
    joints = np.asarray(joints, np.float32)
    check_shape(joints, ("...", "N", "C", "T"), "joints")
    if bins < 2 or not parts or min(parts) < 1:
        raise ChoiceError(f"expected at least 2 directions and parts from 1 on, got bins={bins}, "
                          f"parts={parts}")
    if joints.shape[-2] not in (2, 3) or joints.shape[-1] <= max(parts):
        raise ShapeError(f"expected 2 or 3 coordinates and more than {max(parts)} frames, got "
                         f"{list(joints.shape)}")
    steps = np.diff(joints)  # [..., N, C, T - 1]
    planes = [(a, b) for a in range(joints.shape[-2]) for b in range(a + 1, joints.shape[-2])]
    first, second = (steps[..., [plane[i] for plane in planes], :] for i in (0, 1))
    shares = _share_out(first, second, bins)  # [..., N, P, bins, T - 1]
    speed = np.hypot(first, second)
    mean = speed.mean(axis=(-3, -2, -1), keepdims=True)
    still = (speed <= _STILL * mean)[..., None, :]
    path = (speed / np.maximum(mean, 1e-9))[..., None, :]
    values = np.concatenate([shares * path, still], axis=-2)
    levels = [part.mean(axis=-1) for count in parts
              for part in np.array_split(values, count, axis=-1)]
    stacked = np.sqrt(np.stack(levels, axis=-1))
    return stacked.reshape(*joints.shape[:-3], -1).astype(np.float32)


def hof_features(pixels: np.ndarray, cells: int = 4, bins: int = 8) -> np.ndarray:
    """Histograms of optical flow: which way what is seen moves, cell by cell of the picture.

    Args:
        pixels: ``[V, 3, T, H, W]`` uint8 of one clip seen in V ways (such as two hands), at least
            two neighbouring frames.
        cells: Cells along height and along width.
        bins: Directions; one more counts pixels that move by less than half a pixel.

    Returns:
        ``[V * cells^2 * (bins + 1)]`` float32, each view of length 1: the mean over frames.

    Raises:
        ShapeError: Other axes, or pictures of fewer than 16 pixels or one frame.
        MissingDependencyError: OpenCV is not installed.

    Source: Laptev et al., "Learning Realistic Human Actions from Movies", CVPR 2008; the flow is
    that of `optical_flow` ("dis").
    """
    check_shape(pixels, ("V", 3, "T", "H", "W"), "pixels of a clip")
    return np.concatenate([_hof(view, cells, bins) for view in pixels])


def hog_features(pixels: np.ndarray, cells: int = 8, bins: int = 9) -> np.ndarray:
    """Histograms of oriented gradients: the shape of what is seen, the mean over frames.

    Args:
        pixels: ``[V, 3, T, H, W]`` uint8 of one clip seen in V ways.
        cells: Cells along height and along width; blocks of 2 x 2 of them are normalised together.
        bins: Orientations.

    Returns:
        ``[V * (cells - 1)^2 * 4 * bins]`` float32.

    Raises:
        ShapeError: Other axes, no frames, or pictures smaller than the cells.
        MissingDependencyError: scikit-image is not installed.

    Source: Dalal and Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005.
    """
    check_shape(pixels, ("V", 3, "T", "H", "W"), "pixels of a clip")
    height, width = pixels.shape[3:]
    if not pixels.shape[2] or min(height, width) < 2 * cells:
        raise ShapeError(f"expected frames of at least {2 * cells} x {2 * cells} pixels, got "
                         f"{list(pixels.shape)}")
    try:
        from skimage.feature import hog
    except ImportError as error:
        raise MissingDependencyError("histograms of gradients need scikit-image: pip install "
                                     "'skelact[rgb]'") from error
    cell = height // cells, width // cells
    cut = pixels[..., :cells * cell[0], :cells * cell[1]].transpose(0, 2, 3, 4, 1)
    look = partial(hog, orientations=bins, pixels_per_cell=cell, cells_per_block=(2, 2),
                   channel_axis=-1)
    return np.concatenate([np.mean([look(frame) for frame in view], axis=0)
                           for view in cut]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class LinearBaseline:
    """A linear support vector machine over features, each scaled by its spread in training.

    Args:
        machine: It, fitted.
        num_classes: K of the scores.

    Source: Fan et al., "LIBLINEAR: A Library for Large Linear Classification", JMLR 2008.
    """

    machine: Pipeline = field(repr=False)
    num_classes: int

    def scores(self, features: np.ndarray) -> np.ndarray:
        """``[L, K]`` softmax of the distances of ``[L, D]`` features from the planes.

        Rows sum to 1, so that they can be fused; they are not calibrated. A class without a
        training clip gets 0.

        Raises:
            ShapeError: Other features than it was fitted to.
        """
        features = np.asarray(features, np.float64)
        check_shape(features, ("L", self.machine.n_features_in_), "features")
        scores = np.zeros((len(features), self.num_classes))
        if len(features):
            distances = self.machine.decision_function(features)
            if distances.ndim == 1:  # of two classes that of the second
                distances = np.stack([-distances, distances], axis=1)
            scores[:, self.machine.classes_] = softmax(distances, axis=1)
        return scores


def fit_linear(
    features: np.ndarray, labels: np.ndarray, num_classes: int, groups: np.ndarray | None = None,
    strengths: tuple[float, ...] = (1e-4, 1e-3, 1e-2),
) -> LinearBaseline:
    """Fit the linear machine.

    Args:
        features: ``[L, D]`` of training clips.
        labels: ``[L]`` their classes, from 0 on.
        num_classes: K, also where not every class has a clip.
        groups: ``[L]`` whose clip each is: the strength then is chosen for people left out.
        strengths: How freely it may fit (C of the machine); of several the best of three parts of
            the clips, each left out in turn. Where a class has fewer than three clips nothing can
            be left out, and the one in the middle is taken.

    Raises:
        ShapeError: The arrays do not fit each other, or features are not finite.
        SkelactError: Fewer than two classes, or a label outside of them.
    """
    features, labels = np.asarray(features, np.float64), np.asarray(labels)
    check_shape(labels, ("L",), "labels")
    check_shape(features, (len(labels), "D"), "features")
    if not np.isfinite(features).all():
        raise ShapeError(f"expected finite features; {(~np.isfinite(features)).any(1).sum()} of "
                         f"{len(features)} clips have others")
    seen, counts = np.unique(labels, return_counts=True)
    if len(seen) < 2 or seen[0] < 0 or seen[-1] >= num_classes:
        raise SkelactError(f"expected labels of at least two of {num_classes} classes, got "
                           f"{seen.tolist()}")
    machine = make_pipeline(StandardScaler(), LinearSVC(dual="auto", random_state=0))
    by_group = groups is not None and len(np.unique(groups)) >= 3
    if counts.min() < 3:
        strengths = (sorted(strengths)[len(strengths) // 2],)
    if len(strengths) > 1:
        parts = GroupKFold(3) if by_group else StratifiedKFold(3, shuffle=True, random_state=0)
        search = GridSearchCV(machine, {"linearsvc__C": list(strengths)}, cv=parts, refit=False)
        search.fit(features, labels, groups=groups if by_group else None)
        strengths = (search.best_params_["linearsvc__C"],)
    machine.set_params(linearsvc__C=strengths[0])
    return LinearBaseline(machine.fit(features, labels), num_classes)


def _hof(view: np.ndarray, cells: int, bins: int) -> np.ndarray:
    flow = optical_flow(np.ascontiguousarray(view.transpose(1, 2, 3, 0)), bound=_FLOW_BOUND)
    across, down = flow[:, 0] * _FLOW_BOUND, flow[:, 1] * _FLOW_BOUND  # pixels, [T - 1, H, W]
    speed = np.hypot(across, down)
    moving = (speed >= _STILL_PIXELS).astype(np.float32)
    shares = np.stack([*np.moveaxis(_share_out(across[None], down[None], bins), -2, 0)[:, 0]
                       * (speed * moving), 1 - moving])  # [bins + 1, T - 1, H, W]
    rows = np.array_split(shares.mean(axis=1), cells, axis=1)
    found = np.array([[cell.mean(axis=(1, 2)) for cell in np.array_split(row, cells, axis=2)]
                      for row in rows], np.float32).ravel()
    return np.sqrt(found / max(found.sum(), 1e-9))


def _share_out(across: np.ndarray, down: np.ndarray, bins: int) -> np.ndarray:
    """Each direction shared between its two nearest bins; a new axis before the last."""
    place = np.arctan2(down, across) * (bins / (2 * np.pi)) % bins
    low = np.floor(place)
    share = place - low
    numbers = np.arange(bins).reshape(-1, 1)
    low, share = low[..., None, :].astype(int) % bins, share[..., None, :]
    return ((numbers == low) * (1 - share) + (numbers == (low + 1) % bins) * share).astype(
        np.float32)


def _motion_width(joints: int, dims: int, bins: int, parts: tuple[int, ...]) -> int:
    return joints * (1 if dims == 2 else 3) * (bins + 1) * sum(parts)
