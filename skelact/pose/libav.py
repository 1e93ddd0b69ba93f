"""The one door to PyAV, opened only when a video is read or written."""

import functools


@functools.cache
def load_av():
    """The ``av`` module."""
    import av

    return av
