"""What every reader shares.

A reader is one file a foreign format with two functions:

``find_<format>(path) -> list[Path]``
    The files (or folders, where a clip is a folder) at or below ``path`` that are of this format,
    sorted; empty when there are none. Judged by content where names do not decide; cheap.

``read_<format>(path, refuse=raise_error) -> Iterator[Recording]``
    Every clip of what is found at ``path``. A clip that cannot be used goes to ``refuse`` as a
    `FileFormatError` that names the file and the place (an `EmptyClipError` if nothing is wrong
    with it but that it shows nobody); reading goes on with the next one.
    ``FileFormatError`` is raised when there is nothing of the format at all.

``Recording.labels`` holds what is known, under these keys only (absent where unknown):
``clip_id`` str, unique in the set; ``label`` str, the name of the class; ``subject``, ``camera``,
``setup``, ``repetition`` int; ``splits`` list of str, the official lists that name the clip
(``"train"``, ``"xsub_val"``, ...); ``fps_assumed`` True where the source states no frame rate;
``video_start`` the second of the video (``Recording.source``) at which the clip's time 0 lies;
``annotations`` list of dicts, labels of parts of an untrimmed recording: ``label`` str, ``start``
and ``end`` seconds, and where known ``box`` (x1, y1, x2, y2 pixels at ``start``), ``track_id``.
"""

from collections.abc import Callable, Sequence

from skelact.errors import FileFormatError

Refuse = Callable[[FileFormatError], None]
"""Told of every clip that cannot be used."""
TellClasses = Callable[[Sequence[str]], None]
"""Told of the class names in order, by readers of numbered classes whose names are known."""


def tell_nobody(classes: Sequence[str]) -> None:
    """The default of ``tell_classes``."""


def raise_error(error: FileFormatError) -> None:
    """The default of ``refuse``: the first bad clip ends the reading.

    Raises:
        FileFormatError: Always.
    """
    raise error
