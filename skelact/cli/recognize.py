"""``skelact recognize``: name the actions of every person in a video or pose file."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace

    from skelact.cli.parser import CommandParser
    from skelact.graph.layouts import Layout
    from skelact.models.checkpoint import ActionModel
    from skelact.pose.recording import Recording
    from skelact.pose.video import VideoReader
    from skelact.recognition.recognizer import Recognition
    from skelact.rgb.kept_frames import KeptFrames


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact recognize --help``."""
    options = _parser().parse_args(arguments)
    recording = _check(options)

    from skelact.errors import SkelactError
    from skelact.output import write_text
    from skelact.recognition.recognizer import Recognizer

    recognizer = Recognizer(options.model, options.device or "auto", options.threshold,
                            options.step)
    if options.rgb and recognizer.model.pixels is None:
        raise SkelactError(f"--rgb needs a model that looks at pixels, and {recognizer.model.name} "
                           "looks at skeletons; train one with --rgb.encoder, or leave it out")
    frames = None
    if recording is None:
        recording, frames = _extract(options, recognizer.model)
    elif recognizer.model.pixels is not None and options.rgb is not False:
        frames = _open_video(options, recording)
    recognition = recognizer.recognize(recording, frames)
    print(format_table(recognition))
    if options.output is not None:
        text = json.dumps(recognition.to_dict(), indent=1)
        write_text(options.output, text + "\n", options.overwrite)
        print(f"wrote {options.output}")
    if options.overlay is not None:
        _write_overlay(options, recording, recognition)
        print(f"wrote {options.overlay}")
    return 0


def format_table(recognition: "Recognition") -> str:
    """The result as a table for the terminal."""
    if not recognition.tracks:
        return f"nobody was seen in {recognition.source or 'the recording'}"
    rows = [("person", "from", "to", "action", "score")]
    for track in recognition.tracks:
        if not track.segments:
            what = "no known action" if track.watched else "seen too briefly or too partially"
            rows.append((str(track.track_id), f"{track.start:.1f} s", f"{track.end:.1f} s",
                         f"({what})", ""))
        for segment in track.segments:
            rows.append((str(track.track_id), f"{segment.start:.1f} s", f"{segment.end:.1f} s",
                         segment.label, f"{segment.score:.2f}"))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    right = (0, 1, 2, 4)
    return "\n".join(
        "  ".join(cell.rjust(w) if i in right else cell.ljust(w)
                  for i, (cell, w) in enumerate(zip(row, widths, strict=True))).rstrip()
        for row in rows
    )


def _parser() -> "CommandParser":
    from argparse import BooleanOptionalAction

    from skelact.cli.parser import CommandParser

    parser = CommandParser(
        "recognize",
        "Name the actions of every person in a video or pose file. The model that ships with "
        "skelact knows 15 sports and gym actions and says nothing about others.",
    )
    add = parser.add_argument
    add("input", metavar="VIDEO|POSE_FILE", help="a video, or a .npz that `skelact pose` wrote")
    add("-o", "--output", metavar="OUT.json", help="write the segments as JSON")
    add("--overlay", metavar="OUT.mp4", help="write the video with skeletons, ids and actions")
    add("--skeleton-only", action="store_true", help="overlay without any pixel of the video")
    add("--model", metavar="FILE", help="a checkpoint of `skelact train` (default: the one "
        "that ships with skelact)")
    add("--rgb", action=BooleanOptionalAction, help="look at the pixels too: what a model that "
        "was trained with them does wherever the video is here; --no-rgb decides by the skeleton "
        "alone")
    add("--threshold", type=float, help="least probability that names an action (default: the "
        "model's own)")
    add("--step", type=float, default=0.5, help="most seconds between windows (default: "
        "%(default)s)")
    add("--estimator", choices=["auto", "yolo", "mediapipe", "mediapipe-hands"], default="auto",
        help="pose estimator for a video (default: auto, which is mediapipe-hands for a model of "
        "hands)")
    add("--weights", metavar="FILE", help="YOLO pose weights: a file or an official name")
    add("--device", help="cpu, cuda, ... (default: CUDA where there is one)")
    add("--offline", action="store_true", help="never download weights")
    add("--strict", action="store_true", help="refuse a video that does not decode whole")
    add("--overwrite", action="store_true", help="replace existing outputs")
    return parser


def _check(options: "Namespace") -> "Recording | None":
    """Refuse what cannot end well before minutes of work; gives the recording of a pose file."""
    from skelact.errors import SkelactError, VideoError
    from skelact.output import check_writable
    from skelact.pose.files import is_pose_file, load_recording

    for path in (options.output, options.overlay):
        if path is not None:
            check_writable(path, options.overwrite)
    if options.overlay is not None and Path(options.overlay).suffix.lower() != ".mp4":
        raise SkelactError(f"expected an overlay ending in .mp4, got {options.overlay}")
    if options.skeleton_only and options.overlay is None:
        raise SkelactError("--skeleton-only says how to draw the overlay; pass --overlay OUT.mp4")
    if not is_pose_file(options.input):
        from skelact.pose.video import VideoReader

        VideoReader(options.input).close()
        return None
    recording = load_recording(options.input)
    if options.overlay and not options.skeleton_only and not Path(recording.source).is_file():
        raise VideoError(f"the video of this pose file, {recording.source or 'unnamed'}, is not "
                         "here; pass --skeleton-only to draw without it")
    return recording


def _open_video(options: "Namespace", recording: "Recording") -> "VideoReader | None":
    """The video of a pose file; without it the skeleton alone decides, unless --rgb asks more."""
    from skelact.errors import VideoError
    from skelact.pose.video import VideoReader

    if Path(recording.source).is_file():
        return VideoReader(recording.source)
    what = f"the video of this pose file, {recording.source or 'unnamed'}, is not here"
    if options.rgb:
        raise VideoError(f"{what}; pass the video itself instead of the pose file")
    print(f"skelact recognize: {what}: the skeleton alone decides", file=sys.stderr)
    return None


def _extract(
    options: "Namespace", model: "ActionModel"
) -> "tuple[Recording, KeptFrames | None]":
    """Follow people, or hands, for a model; keep the frames that it wants to look at."""
    from skelact.pose.estimators.choice import decide_estimator
    from skelact.pose.extract import extract

    layout, name = model.layout, options.estimator
    if name == "auto" and layout.name == "hand21":
        name = "mediapipe-hands"
    if name != "auto":
        _check_estimator(name, layout)  # before weights are looked for
    choice = decide_estimator(name, options.weights, options.device, options.offline)
    _check_estimator(choice.name, layout)  # now, not after minutes of work
    print(f"skelact recognize: {choice}", file=sys.stderr)
    kept = None
    if model.pixels is not None and options.rgb is not False:
        from skelact.recognition.window_pixels import frame_rate
        from skelact.rgb.kept_frames import KeptFrames

        kept = KeptFrames(frame_rate(model.pixels.cut, model.clip.window))
    recording = extract(options.input, choice.load(), strict=options.strict, progress=True,
                        watch=kept)
    return recording, kept


def _check_estimator(name: str, layout: "Layout") -> None:
    """Refuse an estimator whose joints the model cannot take."""
    from skelact.errors import LayoutError
    from skelact.pose.estimators.choice import LAYOUTS
    from skelact.transforms.remap import plan_remap

    try:
        plan_remap(LAYOUTS[name], layout)
    except LayoutError as error:
        raise LayoutError(f"the estimator {name} gives joints of {LAYOUTS[name]}, which this model "
                          f"of {layout.name} cannot take; choose another --estimator or "
                          "--model") from error


def _write_overlay(
    options: "Namespace", recording: "Recording", recognition: "Recognition"
) -> None:
    from skelact.pose.files import is_pose_file
    from skelact.visualization.draw import overlay_video

    video = recording.source if is_pose_file(options.input) else options.input
    overlay_video(recording, options.overlay, video=video, labels=recognition.label_at,
                  skeleton_only=options.skeleton_only, overwrite=options.overwrite)
