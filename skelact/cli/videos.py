"""Which video files a command line means, and where their outputs go."""

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

from skelact.checks import check_readable
from skelact.errors import FileFormatError, SkelactError
from skelact.pose.video_files import is_video, search_videos


def find_videos(words: Sequence[str]) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Resolve files, folders (with all below them) and glob patterns.

    Args:
        words: As given on the command line.

    Returns:
        (video, its path below the folder it was found in, else its name) in the order given,
        every file once; and the words that mean no video.
    """
    found: dict[Path, tuple[Path, Path]] = {}
    missing = []
    for word in words:
        try:
            videos = list(_resolve(word))
        except PermissionError:
            videos = []
        if not videos:
            missing.append(word)
        for video, below in videos:
            found.setdefault(video.resolve(), (video, below))
    return list(found.values()), missing


def why_missing(word: str) -> str:
    """What to say of a word that means no video."""
    try:
        check_readable(word, below=True)
    except FileFormatError as error:
        return str(error)
    return f"no video at {word}"


def place_outputs(
    videos: Iterable[tuple[Path, Path]], output: Path | None, suffix: str
) -> list[tuple[Path, Path]]:
    """Give every video an output file: beside it, or in a folder that mirrors where it was found.

    Args:
        videos: What `find_videos` gives.
        output: The folder; None for beside the video. For a single video also a file that ends
            in ``suffix``.
        suffix: Ending of the outputs.

    Returns:
        (video, output) pairs.

    Raises:
        SkelactError: Two videos would have one output, or ``output`` is a file.
    """
    videos = list(videos)
    if output is not None and output.suffix == suffix and len(videos) == 1:
        return [(videos[0][0], output)]
    if output is not None and (output.is_file() or output.suffix == suffix):
        raise SkelactError(f"expected a folder for the outputs of {len(videos)} videos, got the "
                           f"file {output}")
    pairs, owners = [], {}
    for video, below in videos:
        target = (video if output is None else output / below).with_suffix(suffix)
        if (owner := owners.setdefault(target, video)) != video:
            raise SkelactError(f"{owner} and {video} would both be written to {target}; give them "
                               f"different names, or run them one by one with different -o")
        pairs.append((video, target))
    return pairs


def _resolve(word: str) -> Iterable[tuple[Path, Path]]:
    path = Path(word)
    if path.is_dir():
        return [(video, video.relative_to(path)) for video in search_videos(path)]
    if path.exists():
        return [(path, Path(path.name))]
    matches = map(Path, sorted(glob.glob(word, recursive=True)))
    return [(match, Path(match.name)) for match in matches if is_video(match)]
