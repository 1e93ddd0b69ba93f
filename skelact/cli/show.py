"""``skelact show``: draw a pose file."""


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact show --help``."""
    from pathlib import Path

    from skelact.cli.parser import CommandParser

    parser = CommandParser(
        "show",
        "Draw the people of a pose file: a contact sheet (.png) or an animation "
        "(.gif, .mp4). A person's own left is blue, the right orange; the tag gives the track id.",
    )
    parser.add_argument("file", metavar="FILE", help="pose file (.npz) that `skelact pose` wrote")
    parser.add_argument("-o", "--output", metavar="OUT",
                        help="what to write, by suffix .png, .gif or .mp4 (default: FILE as .png)")
    parser.add_argument("--video", metavar="VIDEO",
                        help="draw on the frames of this video (default: a plain canvas)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    options = parser.parse_args(arguments)

    from skelact.errors import FileFormatError
    from skelact.pose.files import is_pose_file, load_recording
    from skelact.visualization.animate import save_picture

    if not is_pose_file(options.file) and Path(options.file).exists():
        raise FileFormatError(f"expected a pose file (.npz), got {options.file}; "
                              f"`skelact pose {options.file}` makes one of a video")
    recording = load_recording(options.file)
    output = Path(options.output or Path(options.file).with_suffix(".png"))
    save_picture(recording, output, options.video, options.overwrite)
    people = len(recording.tracks)
    print(f"{people or 'no'} {'person' if people == 1 else 'people'} in {recording.num_frames} "
          f"frames -> {output}")
    return 0
