"""``skelact data``: skeleton data of any format in, one checked store out."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from skelact.cli.actions import run_action
from skelact.cli.data_review import apply, review
from skelact.errors import SkelactError

if TYPE_CHECKING:
    from skelact.cli.parser import CommandParser
    from skelact.datasets.prepare import PrepareReport

_EXIT = ("Exit code: 0 done, 1 some of the input could not be used, 2 nothing was made. Clips that "
         "are whole and show nobody, as several published data sets hold some, are listed among "
         "the dropped, but count as done.")


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact data --help``."""
    return run_action("data", {
        "prepare": ("make a store of skeleton files, or of labelled videos", _prepare),
        "info": ("say what is in a store", _info),
        "validate": ("look for what is wrong with a store; exit code 1 if something is",
                     _validate),
        "convert": ("write a store, or any format that skelact reads, as pyskl, CTR-GCN or COCO",
                    _convert),
        "review": ("write a page to look at every clip and correct it", review),
        "apply": ("make a store of a store and corrections of it", apply),
    }, arguments)


def _prepare(arguments: list[str]) -> int:
    options = _prepare_parser().parse_args(arguments)
    given = [bool(options.raw), bool(options.from_videos), bool(options.videos)]
    if sum(given) != 1 or bool(options.videos) != bool(options.annotations):
        raise SkelactError("expected --raw DIR (skeleton files), --from-videos DIR (labelled "
                           "videos), or --videos DIR --annotations DIR (a video data set)")
    report = _prepare_skeletons(options) if options.raw else _prepare_videos(options)
    print(report)
    following = [f"skelact show {report.store} -o sheet.png",
                 f"skelact data validate {report.store}"]
    if report.trainable:
        following.append(f"skelact train {report.store} -o runs/{report.header.name}")
    print(f"next: {'; '.join(following)}")
    return 1 if report.failed else 0


def _prepare_skeletons(options) -> "PrepareReport":
    from skelact.datasets.ntu import read_missing_list
    from skelact.datasets.prepare import prepare

    missing = read_missing_list(options.missing) if options.missing else ()
    return prepare(options.name, options.raw, options.output, options.format, options.profile,
                   options.jobs, options.overwrite, progress=True, missing=missing,
                   **_reader_options(options))


def _prepare_videos(options) -> "PrepareReport":
    from skelact.datasets.catalog import check_holds_something
    from skelact.datasets.dropped import Dropped, DroppedClip
    from skelact.datasets.folders import check_folder
    from skelact.datasets.from_videos import read_labelled_videos
    from skelact.datasets.prepare import write_store
    from skelact.datasets.video_sets import read_video_set
    from skelact.pose.estimators.choice import decide_estimator

    output = check_folder(options.output, options.overwrite)
    for folder in filter(None, (options.from_videos, options.videos, options.annotations)):
        check_holds_something(options.name, folder)
    poses = options.poses or output.with_name(output.name + ".poses")
    dropped: Dropped = []
    common = {"estimator": decide_estimator(options.estimator, options.weights, options.device,
                                            options.offline),
              "refuse": lambda error: dropped.append(DroppedClip.by(error)),
              "overwrite": options.overwrite, "progress": True}
    if options.from_videos:
        clips = read_labelled_videos(options.from_videos, poses, **common)
    else:
        clips = read_video_set(options.name, options.videos, options.annotations, poses, **common)
    return write_store(clips, output, options.name, dropped, options.overwrite,
                       format="videos")


def _info(arguments: list[str]) -> int:
    parser = _parser("info", "Say what is in a store: classes, people, lengths, missing joints, "
                     "splits, frame rates.")
    parser.add_argument("store", metavar="STORE", help="the folder that `prepare` wrote")
    parser.add_argument("--plot", metavar="PNG", help="also draw an overview")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing picture")
    options = parser.parse_args(arguments)

    from skelact.datasets.info import describe, draw_overview

    print(describe(options.store))
    if options.plot:
        print(f"-> {draw_overview(options.store, options.plot, options.overwrite)}")
    return 0


def _validate(arguments: list[str]) -> int:
    parser = _parser("validate", "Check every byte of a store against its checksums, and its "
                     "skeletons against what people look like.")
    parser.add_argument("store", metavar="STORE", help="the folder that `prepare` wrote")
    options = parser.parse_args(arguments)

    from skelact.datasets.validation.findings import has_errors, to_table
    from skelact.datasets.validation.validate import validate

    findings = validate(options.store)
    print(to_table(findings))
    return 1 if has_errors(findings) else 0


def _convert(arguments: list[str]) -> int:
    parser = _parser("convert", "Write a store, or any format that skelact reads, for another "
                     f"library. {_EXIT}")
    parser.add_argument("source", metavar="IN", help="a store, or skeleton files of any format")
    parser.add_argument("-o", "--output", required=True, metavar="OUT",
                        help=".pkl for pyskl, .npz for CTR-GCN, .json for COCO keypoints, no "
                        "suffix for a store")
    parser.add_argument("--split", metavar="SPLIT",
                        help="only these clips, such as xsub/train; for .npz the protocol, such "
                        "as xsub")
    parser.add_argument("--format", metavar="FORMAT", help="of IN (default: judged by content)")
    _add_reader_options(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    options = parser.parse_args(arguments)

    from skelact.datasets.convert import convert
    from skelact.datasets.dropped import count_failed, describe_dropped

    dropped = convert(options.source, options.output, options.split, options.format,
                      options.overwrite, progress=True, **_reader_options(options))
    for line in describe_dropped(dropped):
        print(line, file=sys.stderr)
    print(f"-> {Path(options.output)}")
    return 1 if count_failed(dropped) else 0


def _prepare_parser() -> "CommandParser":
    from skelact.datasets.formats import FORMATS

    formats = ", ".join(f"{name} ({format_.what})" for name, format_ in FORMATS.items())
    parser = _parser(
        "prepare",
        "Make a store of skeleton files (--raw), of your own videos (--from-videos), or of a "
        "video data set (--videos and --annotations). What cannot be used is listed in the "
        f"store's dropped.csv. A run that was stopped goes on where it was. {_EXIT}",
        epilog=f"Formats of --raw: {formats}.",
    )
    add = parser.add_argument
    add("name", metavar="NAME", help="nw_ucla, ntu60, ucf101, ... decide the official splits; "
        "any other name is your own data")
    add("-o", "--output", required=True, metavar="STORE", help="the folder to make")
    add("--raw", metavar="DIR", help="file or folder of skeleton data, format judged by content")
    add("--format", metavar="FORMAT", help="of --raw, if its content does not settle it")
    _add_reader_options(parser)
    add("--profile", metavar="P", help="how NTU RGB+D is cleaned: stgcn, agcn, ctrgcn, pyskl, "
        "skelact (default: skelact)")
    add("--missing", metavar="FILE", help="list of NTU RGB+D samples to leave out")
    add("--jobs", type=int, metavar="N", help="processes (default: one a core)")
    add("--from-videos", metavar="DIR", help="folder class_name/*.mp4, or videos/ and labels.csv")
    add("--videos", metavar="DIR", help="videos of the data set NAME")
    add("--annotations", metavar="DIR", help="its official annotation files")
    add("--poses", metavar="DIR", help="folder for pose files (default: STORE.poses); those that "
        "are there are not made again")
    add("--estimator", default="auto", metavar="E", help="auto, yolo, mediapipe (one person "
        "only) or mediapipe-hands (default: auto)")
    add("--weights", metavar="FILE", help="as for `skelact pose`")
    add("--device", metavar="DEVICE", help="cpu, cuda or cuda:1 (default: CUDA if there is one)")
    add("--offline", action="store_true", help="never download weights")
    add("--overwrite", action="store_true", help="replace an existing store, and the pose files "
        "of videos that have changed")
    return parser


def _add_reader_options(parser: "CommandParser") -> None:
    add = parser.add_argument
    add("--layout", metavar="LAYOUT", help="skeleton, a name or a .yaml file, for formats that do "
        "not say")
    add("--classes", metavar="FILE", help="class names, one a line, for formats that number them")
    add("--fps", type=float, metavar="FPS", help="frame rate, for formats that do not say")
    add("--image-size", type=int, nargs=2, metavar=("W", "H"), help="width and height in pixels, "
        "for formats that do not say")
    add("--dims", type=int, choices=(2, 3), help="2 or 3 coordinates a joint, for pyskl files that "
        "do not say")


def _reader_options(options) -> dict:
    names = ("layout", "classes", "fps", "image_size", "dims")
    return {name: value for name in names if (value := options[name]) is not None}


def _parser(action: str, description: str, **fields) -> "CommandParser":
    from skelact.cli.parser import CommandParser

    return CommandParser(f"data {action}", description, **fields)
