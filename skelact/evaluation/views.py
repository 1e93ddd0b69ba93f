"""The views of a clip that a network is asked about: parts of it, and its mirror image."""

from dataclasses import dataclass

import numpy as np

from skelact.config import AugmentConfig, ClipConfig
from skelact.datasets.arrays import ClipArrays
from skelact.datasets.loader import Loader
from skelact.datasets.sampling import (
    ConsecutiveFrames,
    PysklTestClips,
    ResizedParts,
    Sampling,
    UniformSegments,
)
from skelact.transforms.clip_form import form_clips

PARTS = ((0.0, 0.0), (0.4, 0.0), (0.4, 0.5), (0.4, 1.0), (0.7, 0.5), (0.2, 0.0), (0.2, 1.0),
         (0.2, 0.5), (0.7, 0.0), (0.7, 1.0))
"""Ten parts of a clip to look at in a test; the first is the whole. Each is (how short: 0 the whole
clip, 1 the shortest trained on; where: 0 at the beginning, 1 at the end)."""


@dataclass(frozen=True)
class Views:
    """In how many ways a clip is looked at.

    Args:
        parts: Parts of the clip.
        mirrors: Whether each is mirrored, and so seen as often as there are entries.
        crop: The shortest part, as a share of the clip.
    """

    parts: int = 1
    mirrors: tuple[bool, ...] = (False,)
    crop: float = 1.0

    @property
    def count(self) -> int:
        """Views of a clip."""
        return self.parts * len(self.mirrors)


def plan_views(clip: ClipConfig, augment: AugmentConfig, wanted: int = 1) -> Views:
    """As many views as are wanted, or as a network that was trained so can use.

    Mirrored where training mirrored, half of several; parts as short as those trained on.

    Args:
        clip: The form of the network's clips.
        augment: How it was trained.
        wanted: Views a clip.
    """
    mirrors = (False, True) if wanted > 1 and augment.flip else (False,)
    most = {"uniform": wanted, "resize": len(PARTS) if augment.crop < 1 else 1,
            "pad": 1}[clip.sampling]
    return Views(min(wanted // len(mirrors), most), mirrors, augment.crop)


def view_sampling(clip: ClipConfig, views: Views) -> Sampling:
    """Which frames of a clip are looked at."""
    if clip.sampling == "uniform":
        if views.parts == 1:
            return UniformSegments(clip.frames, random=False)
        return PysklTestClips(clip.frames, views.parts)
    if clip.sampling == "pad":
        return ConsecutiveFrames(clip.frames, where="first", short="zero")
    lost = 1 - views.crop
    return ResizedParts(clip.frames, tuple((1 - lost * short, at)
                                           for short, at in PARTS[:views.parts]))


def view_loader(
    clip: ClipConfig, arrays: ClipArrays, rows: np.ndarray, views: Views, mirror: bool = False,
    workers: int = 0,
) -> Loader:
    """Rows in their order, each in its parts (one after another along B)."""
    transform = form_clips(clip, arrays.dims, mirror=mirror)
    return Loader(arrays, rows, max(1, 64 // views.parts), sampling=view_sampling(clip, views),
                  transform=transform, shuffle=False, people=clip.people, workers=workers)
