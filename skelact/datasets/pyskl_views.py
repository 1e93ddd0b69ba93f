"""The frames that pyskl tests with, number by number."""

import functools

import numpy as np


@functools.lru_cache(maxsize=4096)
def pyskl_views(length: int, frames: int, clips: int, seed: int) -> np.ndarray:
    """``[K, F]`` frames of a clip of ``length`` frames, in ``clips`` views of ``frames`` frames.

    The random numbers of a view follow on those of the view before it.
    """
    random = np.random.RandomState(seed)  # the very numbers pyskl draws
    views = []
    for view in range(clips):
        random.rand()  # pyskl draws a crop first, of the whole clip by default
        if length < frames:
            start = view if length < clips else view * length // clips
            positions = start + np.arange(frames)
        elif length < 2 * frames:
            skipped = np.zeros(frames + 1, np.int64)
            skipped[random.choice(frames + 1, length - frames, replace=False)] = 1
            positions = np.arange(frames) + skipped.cumsum()[:-1]
        else:
            edges = np.arange(frames + 1) * length // frames
            positions = edges[:-1] + random.randint(np.diff(edges))
        views.append(positions % length)
    return np.stack(views)
