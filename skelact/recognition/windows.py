"""Cutting untrimmed tracks into the clips that a network takes."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from skelact.config import BY_IMAGE, ClipConfig
from skelact.errors import SkelactError
from skelact.graph.layouts import Layout
from skelact.pose.recording import PoseTrack, Recording
from skelact.transforms.clip_form import form_clips
from skelact.transforms.compose import ClipInfo
from skelact.transforms.remap import remap
from skelact.transforms.spatial import fill_missing, hide_uncertain
from skelact.transforms.temporal import bridge_gaps, resample

LONGEST_GAP = 1.0
"""Seconds: a longer absence of the person ends a run, so that no window spans it."""
SHORTEST_RUN = 0.8
"""Seconds: what is seen for less is too short to name an action."""
FEWEST_FRAMES = 4
"""Frames that a window must rest on (0.8 s at 5 frames a second)."""
SCALES = (1, 2)
"""Windows are so many times `ClipConfig.window` long: an action may be quick or slow, and what
looks like an action at one scale only mostly is none."""
FEWEST_JOINTS = 0.5
"""Share of the joints that must be seen in a window, by its median frame."""


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of one track.

    Args:
        clips: ``[W, M, N, C, F]`` in the form that the network takes; the person is the first.
        spans: ``[W, 2]`` start and end in seconds.
    """

    clips: Tensor
    spans: np.ndarray


def cut_windows(
    recording: Recording, layout: Layout, clip: ClipConfig, step: float
) -> Iterator[tuple[PoseTrack, Windows]]:
    """The windows of every track of a recording.

    Args:
        recording: What was seen.
        layout: The skeleton of the network.
        clip: The form of a clip; windows are `SCALES` times ``clip.window`` seconds long.
        step: Seconds between the starts of windows.

    Yields:
        Each track that has frames with its windows; one seen too briefly or too partially has
        none.

    Raises:
        SkelactError: The recording is 2-D and the network takes 3-D, or it takes pixels by the
            size of the image and that is unknown.
        LayoutError: Its skeleton cannot be converted.
    """
    if recording.dims < clip.dims:
        raise SkelactError("expected a 3-D recording (this model was trained on metres), got a 2-D "
                           "one; train a model with --clip.dims 2, or capture with a depth sensor")
    if clip.normalise in BY_IMAGE and recording.image_size is None:
        raise SkelactError("expected a recording that knows the size of its image (this model "
                           "scales by it), got one without; train with --clip.normalise body")
    form = form_clips(clip, recording.dims)
    size = recording.image_size and torch.tensor([recording.image_size])
    info = ClipInfo(layout, recording.dims, size)
    for track in remap(recording, layout).tracks:
        if not len(track):
            continue
        joints = torch.from_numpy(track.joints)
        if recording.dims == 2:
            joints = hide_uncertain(joints, clip.min_confidence)
        times = recording.track_times(track)
        parts = [
            part
            for run in runs(times)
            for part in _cut_run(joints[:, :, run], times[run], clip, step)
        ]
        spans = np.array([span for span, _ in parts]).reshape(-1, 2)
        empty = torch.empty(0, layout.num_joints, 3, clip.frames)
        clips = torch.stack([joints for _, joints in parts]) if parts else empty
        clips = fill_missing(form(clips.unsqueeze(1), info))
        absent = clips.new_zeros(len(clips), clip.people - 1, *clips.shape[2:])
        yield track, Windows(torch.cat([clips, absent], dim=1), spans)


def runs(times: np.ndarray) -> list[slice]:
    """Stretches of frames without an absence longer than `LONGEST_GAP`."""
    breaks = np.flatnonzero(np.diff(times) > LONGEST_GAP) + 1
    edges = [0, *breaks.tolist(), len(times)]
    return [slice(a, b) for a, b in itertools.pairwise(edges) if b > a]


def place_windows(start: float, end: float, length: float, step: float) -> np.ndarray:
    """``[W, 2]`` windows over a stretch of time, the stretch itself if it is short.

    The first starts and the last ends with the stretch, so that nothing is left out; between
    them they are spread evenly, at most ``step`` apart.
    """
    spare = end - start - length
    if spare <= 1e-6:
        return np.array([[start, end]])
    starts = np.linspace(start, end - length, math.ceil(spare / step - 1e-6) + 1)
    if len(starts) == 1:  # a step longer than what is spare still leaves the end to be seen
        starts = np.array([start, end - length])
    return np.stack([starts, starts + length], axis=1)


def _place_scales(start: float, end: float, length: float, step: float) -> np.ndarray:
    """Windows of all `SCALES`; a stretch that fits into the shortest needs no longer ones."""
    scales = SCALES if end - start > length + 1e-6 else SCALES[:1]
    return np.concatenate([place_windows(start, end, scale * length, step) for scale in scales])


def _cut_run(
    joints: Tensor, times: np.ndarray, clip: ClipConfig, step: float
) -> Iterator[tuple[tuple[float, float], Tensor]]:
    """((start, end), ``[N, 3, F]``) of every window of a run that there is enough to see in."""
    frame = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    if times[-1] + frame - times[0] < SHORTEST_RUN:
        return
    seconds = torch.from_numpy(times)
    for start, end in _place_scales(times[0], times[-1] + frame, clip.window, step):
        inside = np.flatnonzero((times >= start - 1e-6) & (times < end - 1e-6))
        if len(inside) < FEWEST_FRAMES:
            continue
        part = joints[:, :, inside]
        seen = (~part[:, 0].isnan()).float().mean(dim=0).median()
        if seen < FEWEST_JOINTS:
            continue
        part = bridge_gaps(part, seconds[inside])
        frames = clip.frames
        if clip.sampling == "pad":  # at its own rate, and empty after it
            frames = min(len(inside), clip.frames)
        at = torch.linspace(float(times[inside[0]]), float(times[inside[-1]]), frames,
                            dtype=seconds.dtype)
        resized = resample(part, seconds[inside], at)
        yield (start, end), pad(resized, (0, clip.frames - frames), value=math.nan)
