"""From a video to tracked people: decoding, inference and tracking at the same time."""

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from skelact.pose.estimators.base import Detections, PoseEstimator
from skelact.pose.estimators.choice import choose_estimator
from skelact.pose.recording import Recording
from skelact.pose.tracking import Tracker
from skelact.pose.video import Frame, VideoReader, read_ahead


def extract(
    video: str | Path,
    estimator: PoseEstimator | str = "auto",
    *,
    start: int = 0,
    stop: int | None = None,
    stride: int = 1,
    strict: bool = False,
    progress: bool = False,
    watch: Callable[[Frame], None] | None = None,
) -> Recording:
    """Find the people of a video, follow them, and give their joints over time.

    A thread decodes ahead, the estimator works on several frames at once, and the tracker
    follows meanwhile. Every call begins anew: nothing is kept from one video to the next.

    Args:
        video: The file.
        estimator: An estimator, or what `choose_estimator` takes (``"auto"``, ``"yolo"``,
            ``"mediapipe"``, ``"mediapipe-hands"``). Give the estimator itself to use it for
            several videos.
        start: First frame number.
        stop: Frame number to stop before; None for all.
        stride: Take every so-manieth frame from ``start`` on.
        strict: Refuse a video that does not decode whole, instead of warning
            (``logging.getLogger("skelact")``).
        progress: Show a progress bar with frames a second and the time left.
        watch: Given every decoded frame, on the thread that decodes; so whoever needs the images
            too need not decode the video again.

    Returns:
        The recording. Its frames are those kept by ``start``, ``stop`` and ``stride``, with the
        container's own times, also where nobody is seen; without people it has no tracks.

    Raises:
        VideoError: The video is missing or does not decode (under ``strict``: not whole).
        SkelactError: The estimator cannot be used; see `choose_estimator`.
    """
    reader = VideoReader(video, start=start, stop=stop, stride=stride, strict=strict)
    if isinstance(estimator, str):
        estimator = choose_estimator(estimator)
    if hasattr(estimator, "reset"):
        estimator.reset()
    tracker = Tracker(estimator.layout, image_size=reader.size)
    timestamps: list[float] = []
    frames = reader if watch is None else _watched(reader, watch)
    with contextlib.closing(detect(frames, estimator)) as found:
        for time, people in _with_progress(found, reader, progress):
            tracker.update(people, len(timestamps), time)
            timestamps.append(time)
    return Recording(
        tracks=tuple(tracker.finish()),
        timestamps=timestamps,
        layout=estimator.layout,
        fps=reader.fps / stride,
        image_size=reader.size,
        source=str(video),
        estimator=estimator.name,
    )


def detect(
    frames: Iterable[Frame], estimator: PoseEstimator
) -> Iterator[tuple[float, Detections]]:
    """The people of each frame, in order, untracked: ``(seconds, Detections)``.

    Args:
        frames: What `VideoReader` gives; read in a thread of its own.
        estimator: Asked for batches: a stateful one for one at a time, others for two, so that
            they never wait for frames.
    """
    batches_at_once = 1 if getattr(estimator, "stateful", False) else 2
    prepare = getattr(estimator, "prepare", None)
    estimate = estimator.estimate if prepare is None else estimator.estimate_prepared
    ahead = read_ahead(_read(frames, prepare), depth=estimator.batch_size)
    pending: deque[tuple[Sequence[float], Future]] = deque()
    with contextlib.closing(ahead), ThreadPoolExecutor(batches_at_once, "skelact-pose") as pool:
        try:
            while batch := list(itertools.islice(ahead, estimator.batch_size)):
                times, images = zip(*batch, strict=True)
                pending.append((times, pool.submit(estimate, images)))
                if len(pending) > batches_at_once:
                    yield from _finished(*pending.popleft())
            while pending:
                yield from _finished(*pending.popleft())
        finally:
            for _, waiting in pending:
                waiting.cancel()


def _watched(frames: Iterable[Frame], watch: Callable[[Frame], None]) -> Iterator[Frame]:
    """The same frames, each shown to somebody else on the way."""
    with contextlib.closing(iter(frames)) as source:
        for frame in source:
            watch(frame)
            yield frame


def _read(frames: Iterable[Frame], prepare: Callable | None) -> Iterator[tuple[float, object]]:
    """Time and image (or what the estimator keeps of it) of each frame."""
    iterator = iter(frames)
    try:
        for frame in iterator:
            yield frame.time, frame.image if prepare is None else prepare(frame.image)
    finally:
        # The file must be let go of with this generator.
        if hasattr(iterator, "close"):
            iterator.close()


def _finished(times: Sequence[float], result: Future) -> Iterator[tuple[float, Detections]]:
    return zip(times, result.result(), strict=True)


def _with_progress(found: Iterable, reader: VideoReader, progress: bool) -> Iterable:
    if not progress:
        return found
    from tqdm import tqdm

    # disable=None: no bar where standard error is no terminal.
    return tqdm(found, desc=Path(reader.path).name, total=reader.expected_frames, unit=" frames",
                disable=None, leave=False)
