"""``skelact pose``: follow people through videos; write their joints as pose files."""

import functools
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from skelact.checks import check_readable
from skelact.cli.videos import find_videos, place_outputs, why_missing
from skelact.errors import FileFormatError, OutputExistsError, SkelactError
from skelact.pose.video_files import OVERLAYS

if TYPE_CHECKING:
    from skelact.pose.estimators.base import PoseEstimator
    from skelact.pose.estimators.choice import EstimatorChoice
    from skelact.pose.recording import Recording


@dataclass(frozen=True)
class PoseOptions:
    """How people are found and followed; every field is an option of the same name."""

    estimator: Literal["auto", "yolo", "mediapipe", "mediapipe-hands"] = "auto"
    weights: str | None = None
    device: str | None = None
    layout: str | None = None
    start: int = 0
    stop: int | None = None
    stride: int = 1
    overlay: Literal["full", "skeleton-only"] | None = None
    strict: bool = False
    offline: bool = False
    overwrite: bool = False


_HELP = {
    "estimator": "yolo follows several people; mediapipe follows ONE person and needs no download; "
                 "mediapipe-hands follows hands; auto takes yolo if it can (default: auto)",
    "weights": "YOLO pose weights, a .pt file or an official name (default: those in the folder "
               "SKELACT_WEIGHTS, here or in the cache, else yolo11n-pose.pt is downloaded)",
    "device": "cpu, cuda or cuda:1 (default: CUDA if there is one)",
    "layout": "convert to this skeleton, such as coco17 (default: the estimator's own)",
    "start": "number of the first frame; frames, not seconds (default: 0)",
    "stop": "frame number to stop before (default: the end)",
    "stride": "take every so-manieth frame (default: 1)",
    "overlay": "also write a video with the skeletons on it (NAME.overlay.mp4), or, for privacy, "
               "on an empty canvas (skeleton-only: NAME.skeleton.mp4) (--overlay alone: full)",
    "strict": "refuse videos that do not decode whole, instead of warning",
    "offline": "never download weights (as SKELACT_OFFLINE=1)",
    "overwrite": "replace outputs made from another video or with other options",
}


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact pose --help``."""
    words, output, options = _parse(arguments)
    if options.start < 0 or options.stride < 1 or (
            options.stop is not None and options.stop <= options.start):
        raise SkelactError(
            f"expected 0 <= start < stop and stride >= 1, got --start {options.start} "
            f"--stop {options.stop} --stride {options.stride}")
    videos, missing = find_videos(words)
    if not videos:
        raise SkelactError(f"{'; '.join(map(why_missing, missing))}; give files, folders or globs")
    pairs = place_outputs(videos, output, ".npz")
    return _run_all(pairs, missing, options)


def _parse(arguments: list[str]) -> tuple[list[str], Path | None, PoseOptions]:
    from skelact.cli.parser import CommandParser

    parser = CommandParser(
        "pose",
        "Find the people of videos, follow them, and write their joints over time as "
        "pose files (NAME.npz). A pose file that was already made from the same video with the "
        "same options is left as it is.",
        epilog="Exit code: 0 all done, 1 some videos failed, 2 wrong usage.",
    )
    parser.add_argument("videos", metavar="VIDEO", nargs="+",
                        help="video files, folders (searched with all below), or globs")
    parser.add_argument("-o", "--output", metavar="DIR",
                        help="folder for the pose files (default: beside each video)")
    for field in fields(PoseOptions):
        kind = {"action": "store_true"} if field.type is bool else {"type": field.type}
        if field.name == "overlay":
            kind["metavar"] = "full|skeleton-only"
        parser.add_argument(f"--{field.name}", default=field.default, help=_HELP[field.name],
                            **kind)
    values = parser.parse_args(_complete_overlay(arguments))
    options = PoseOptions(**{field.name: values[field.name] for field in fields(PoseOptions)})
    return values.videos, Path(values.output) if values.output else None, options


def _complete_overlay(arguments: list[str]) -> list[str]:
    """Let ``--overlay`` stand alone for ``--overlay full``, also before a file name."""
    return ["--overlay=full" if word == "--overlay" and after not in OVERLAYS else word
            for word, after in pairwise([*arguments, ""])]


def _run_all(pairs: list[tuple[Path, Path]], missing: list[str], options: PoseOptions) -> int:
    from skelact.pose.estimators.choice import decide_estimator

    choice = decide_estimator(options.estimator, options.weights, options.device, options.offline)
    _check_layout(choice, options)

    @functools.cache
    def load() -> "PoseEstimator":
        print(f"skelact pose: {choice}", file=sys.stderr)
        return choice.load()

    for word in missing:
        print(f"skelact pose: {why_missing(word)}", file=sys.stderr)
    failed = len(missing)
    for video, output in pairs:
        try:
            print(_run_one(video, output, options, choice, load), flush=True)
        except (FileFormatError, OSError) as error:  # OutputExistsError is an OSError
            failed += 1
            print(f"skelact pose: {error}", file=sys.stderr)
    total = len(pairs) + len(missing)
    if total > 1:
        print(f"{total - failed} of {total} done" + (f", {failed} failed" if failed else ""))
    return 1 if failed else 0


def _check_layout(choice: "EstimatorChoice", options: PoseOptions) -> None:
    """Refuse a layout that cannot be made, before any work is spent."""
    if options.layout is not None:
        from skelact.transforms.remap import plan_remap

        plan_remap(choice.layout, options.layout)


def _run_one(
    video: Path, output: Path, options: PoseOptions, choice: "EstimatorChoice",
    load: Callable[[], "PoseEstimator"],
) -> str:
    """Make one pose file (and overlay) unless it is there; one line that says what was done."""
    from skelact.pose.cache import is_made_by, recipe
    from skelact.pose.files import load_recording

    check_readable(video)
    made = recipe(video, choice.identity, start=options.start, stop=options.stop,
                  stride=options.stride, strict=options.strict, layout=options.layout)
    if output.exists() and is_made_by(output, made):
        line = f"{video}: {output} is up to date, skipped"
        recording = load_recording(output) if options.overlay else None
    elif output.exists() and not options.overwrite:
        raise OutputExistsError(f"{output} was not made from {video} with these options; "
                                f"--overwrite replaces it, -o DIR writes elsewhere")
    else:
        recording, line = _extract(video, output, options, load, made)
    if options.overlay:
        line += _draw(recording, video, output, options)
    return line


def _extract(video, output, options, load, made) -> tuple["Recording", str]:
    from skelact.output import check_writable
    from skelact.pose.extract import extract
    from skelact.pose.files import save_recording

    check_writable(output, options.overwrite)
    if options.overlay:
        check_writable(_overlay_path(output, options), options.overwrite)
    estimator = load()
    began = time.perf_counter()
    recording = extract(video, estimator, start=options.start, stop=options.stop,
                        stride=options.stride, strict=options.strict, progress=True)
    speed = recording.num_frames / (time.perf_counter() - began)
    if options.layout is not None:
        from skelact.transforms.remap import remap

        recording = remap(recording, options.layout)
    save_recording(recording, output, overwrite=options.overwrite, options=made)
    tracks = len(recording.tracks)
    return recording, (f"{video}: {recording.num_frames} frames, {tracks} "
                       f"track{'' if tracks == 1 else 's'}, {speed:.1f} frames/s -> {output}")


def _draw(recording: "Recording", video: Path, output: Path, options: PoseOptions) -> str:
    from skelact.visualization.draw import overlay_video

    target = _overlay_path(output, options)
    if target.exists() and not options.overwrite:
        if target.stat().st_mtime_ns >= output.stat().st_mtime_ns:
            return ""
        raise OutputExistsError(f"{target} is older than {output}; --overwrite replaces it")
    overlay_video(recording, target, video, skeleton_only=options.overlay == "skeleton-only",
                  overwrite=options.overwrite)
    return f", {target}"


def _overlay_path(output: Path, options: PoseOptions) -> Path:
    return output.with_name(output.stem + OVERLAYS[options.overlay])
