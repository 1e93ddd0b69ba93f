"""``skelact show``: draw a pose file, or the contact sheet of a data set."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from skelact.cli.parser import CommandParser
    from skelact.pose.recording import Recording


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact show --help``."""
    from pathlib import Path

    options = _parser().parse_args(arguments)
    if options.contact_sheet or Path(options.file).is_dir():
        return _draw_store(options)

    from skelact.checks import check_choice
    from skelact.errors import FileFormatError, SkelactError
    from skelact.pose.files import is_pose_file, load_recording
    from skelact.visualization.animate import SUFFIXES, save

    if not is_pose_file(options.file) and Path(options.file).exists():
        raise FileFormatError(f"expected a pose file (.npz), got {options.file}; "
                              f"`skelact pose {options.file}` makes one of a video")
    output = Path(options.output or Path(options.file).with_suffix(".png"))
    suffix = check_choice(output.suffix.lower(), SUFFIXES, f"the suffix of {output}")
    if options.result and suffix != ".html":
        raise SkelactError(f"--result is for a page (-o OUT.html), got {output}; `skelact "
                           "recognize --overlay OUT.mp4` draws the actions on a video")
    if options.trails and suffix not in (".gif", ".mp4"):
        raise SkelactError(f"--trails is for a .gif or .mp4, got {output}")
    recording = load_recording(options.file)
    note = ""
    if suffix == ".html":
        note = _write_page(recording, output, options)
    elif options.trails:
        _save_trails(recording, output, options)
    else:
        save(recording, output, options.video, options.overwrite)
    people = len(recording.tracks)
    print(f"{people or 'no'} {'person' if people == 1 else 'people'} in {recording.num_frames} "
          f"frames -> {output}{note}")
    return 0


def _parser() -> "CommandParser":
    from skelact.cli.parser import CommandParser

    parser = CommandParser(
        "show",
        "Draw the people of a pose file: a contact sheet (.png), an animation (.gif, .mp4) or a "
        "page to play in a browser (.html). A person's own left is blue, the right orange; the "
        "tag gives the track id. Of a data set: a contact sheet (.png, .html) with a row of "
        "skeletons for every class.",
    )
    parser.add_argument("file", metavar="FILE", help="pose file (.npz) that `skelact pose` wrote, "
                        "or the store that `skelact data prepare` wrote")
    parser.add_argument("--contact-sheet", action="store_true", help="say so that FILE is a store "
                        "(it is seen without, too)")
    parser.add_argument("-o", "--output", metavar="OUT", help="what to write, by suffix .png, "
                        ".gif, .mp4 or .html (default: FILE as .png)")
    parser.add_argument("--video", metavar="VIDEO",
                        help="draw on the frames of this video (default: a plain canvas)")
    parser.add_argument("--result", metavar="RESULT", help="with .html: who does what, when; the "
                        "JSON that `skelact recognize -o` wrote")
    parser.add_argument("--trails", type=int, default=0, metavar="FRAMES", help="with .gif and "
                        ".mp4: where wrists and ankles were in so many frames, fading; 3-D scenes "
                        "get axes (default: 0)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    return parser


def _draw_store(options: "Namespace") -> int:
    """The contact sheet of a data set."""
    from pathlib import Path

    from skelact.cli.store_views import draw_store
    from skelact.errors import FileFormatError, SkelactError

    if not Path(options.file).is_dir():
        raise FileFormatError(f"expected the store of a data set for a contact sheet, got "
                              f"{options.file}; leave --contact-sheet out for a pose file")
    if options.video or options.result or options.trails:
        raise SkelactError("--video, --result and --trails are for one recording, not for a data "
                           "set")
    store = Path(options.file).resolve()
    output = options.output or Path(options.file).absolute().with_name(f"{store.stem}_sheet.png")
    for path in draw_store(options.file, output, options.overwrite):
        print(f"-> {path}")
    return 0


def _save_trails(recording: "Recording", output: "Path", options: "Namespace") -> None:
    from skelact.visualization.animate import GIF_FPS, animate, save

    small = {"fps": min(recording.fps, GIF_FPS), "longest": 480}
    animation = animate(recording, options.trails, options.video,
                        **(small if output.suffix.lower() == ".gif" else {"longest": 960}))
    save(animation, output, overwrite=options.overwrite)


def _write_page(recording: "Recording", output: "Path", options: "Namespace") -> str:
    """Write the page; gives what there is to say about it."""
    from skelact.visualization.player import write_player
    from skelact.visualization.result import read_result

    result = read_result(options.result) if options.result else None
    page = write_player(recording, output, options.video, result, options.overwrite)
    beside = {"inside": ", the video inside", "none": "",
              "beside": f"; it shows {options.video} from where that lies, so keep both in place"}
    return f" ({page.size / 1e6:.1f} MB{beside[page.video]})"
