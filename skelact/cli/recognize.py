"""``skelact recognize``: name the actions of every person in a video or pose file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skelact.recognition.recognizer import Recognition


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact recognize --help``."""
    options = _parser().parse_args(arguments)

    from skelact.output import check_writable, write_text
    from skelact.recognition.recognizer import Recognizer

    for path in (options.output, options.overlay):  # before minutes of work, not after
        if path is not None:
            check_writable(path, options.overwrite)
    recognizer = Recognizer(options.model, options.device or "cpu", options.threshold,
                            options.step)
    recording = _read(options)
    recognition = recognizer.recognize(recording)
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


def _parser():
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(
        prog="skelact recognize",
        description="Name the actions of every person in a video or pose file. The model that "
        "ships with skelact knows 15 sports and gym actions and says nothing about others.",
    )
    add = parser.add_argument
    add("input", metavar="VIDEO|POSE_FILE", help="a video, or a .npz that `skelact pose` wrote")
    add("-o", "--output", metavar="OUT.json", help="write the segments as JSON")
    add("--overlay", metavar="OUT.mp4", help="write the video with skeletons, ids and actions")
    add("--skeleton-only", action="store_true", help="overlay without any pixel of the video")
    add("--model", metavar="FILE", help="a checkpoint of `skelact train` (default: the one "
        "that ships with skelact)")
    add("--threshold", type=float, help="least probability that names an action (default: the "
        "model's own)")
    add("--step", type=float, default=0.5, help="seconds between windows (default: 0.5)")
    add("--estimator", choices=["auto", "yolo", "mediapipe"], default="auto",
        help="pose estimator for a video (default: auto)")
    add("--weights", metavar="FILE", help="YOLO pose weights: a file or an official name")
    add("--device", help="cpu, cuda, ... (default: what there is)")
    add("--offline", action="store_true", help="never download weights")
    add("--strict", action="store_true", help="refuse a video that does not decode whole")
    add("--overwrite", action="store_true", help="replace existing outputs")
    return parser


def _read(options):
    from skelact.pose.files import is_pose_file, load_recording

    if is_pose_file(options.input):
        return load_recording(options.input)

    from skelact.pose.estimators.choice import choose_estimator
    from skelact.pose.extract import extract
    from skelact.pose.video import VideoReader

    VideoReader(options.input).close()  # a missing or unreadable video, before a model is loaded
    estimator = choose_estimator(options.estimator, options.weights, options.device,
                                 options.offline)
    return extract(options.input, estimator, strict=options.strict, progress=True)


def _write_overlay(options, recording, recognition: "Recognition") -> None:
    from skelact.errors import VideoError
    from skelact.pose.files import is_pose_file
    from skelact.visualization.draw import overlay_video

    video = recording.source if is_pose_file(options.input) else options.input
    if not options.skeleton_only and not Path(video).is_file():
        raise VideoError(f"the video of this pose file, {video}, is not here; pass "
                         "--skeleton-only to draw without it")
    overlay_video(recording, options.overlay, video=video, labels=recognition.label_at,
                  skeleton_only=options.skeleton_only, overwrite=options.overwrite)
