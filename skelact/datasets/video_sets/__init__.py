"""Video data sets by their official annotation files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from skelact.checks import check_choice
from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.video_clips import VideoClip, VideoFolder, read_clips
from skelact.datasets.video_sets.activitynet import list_activitynet
from skelact.datasets.video_sets.ava import list_ava, list_ava_kinetics
from skelact.datasets.video_sets.epic_kitchens import list_epic_kitchens
from skelact.datasets.video_sets.hmdb51 import list_hmdb51
from skelact.datasets.video_sets.kinetics import list_kinetics
from skelact.datasets.video_sets.something_something import list_something_something
from skelact.datasets.video_sets.ucf101 import list_ucf101
from skelact.errors import FileFormatError
from skelact.pose.cache import PoseCache
from skelact.pose.recording import Recording


@dataclass(frozen=True)
class VideoSet:
    """A data set of videos.

    Args:
        what: What it is, in one line.
        list_clips: Reads its annotation files: ``(folder, refuse) -> list[VideoClip]``.
    """

    what: str
    list_clips: Callable[..., list[VideoClip]]


VIDEO_SETS = {
    "ucf101": VideoSet("13,320 clips of 101 actions", list_ucf101),
    "hmdb51": VideoSet("6,766 clips of 51 actions", list_hmdb51),
    "kinetics400": VideoSet("ten seconds each of 400 actions", list_kinetics),
    "kinetics600": VideoSet("ten seconds each of 600 actions", list_kinetics),
    "kinetics700": VideoSet("ten seconds each of 700 actions", list_kinetics),
    "something_something_v2": VideoSet("220,847 clips of 174 things done with things",
                                       list_something_something),
    "epic_kitchens100": VideoSet("700 untrimmed videos with segments of 97 verbs",
                                 list_epic_kitchens),
    "activitynet": VideoSet("untrimmed videos with segments of 200 activities", list_activitynet),
    "ava": VideoSet("quarters of an hour of 430 movies, 80 actions, boxed once a second", list_ava),
    "ava_kinetics": VideoSet("AVA and clips of Kinetics-700 annotated alike", list_ava_kinetics),
}
"""Name -> data set; its official splits stand in `skelact.datasets.protocols`."""


def read_video_set(
    name: str,
    videos: str | Path,
    annotations: str | Path,
    poses: str | Path,
    estimator="auto",
    refuse: Refuse = raise_error,
    *,
    overwrite: bool = False,
    progress: bool = False,
    min_iou: float = 0.5,
    **options,
) -> Iterator[Recording]:
    """The people in every clip of a video data set, one pose file a video.

    Pose files that are there already, from the same video by the same estimator, are not made
    again: after an interruption, call it once more.

    Args:
        name: One of `VIDEO_SETS`.
        videos: Folder of the videos, searched with all below it.
        annotations: Folder of the official annotation files.
        poses: Folder for the pose files; as ``skelact pose VIDEOS -o POSES`` writes them.
        estimator: As for `PoseCache`.
        refuse: Told of malformed annotations, and of clips whose video is missing, broken or
            without people.
        overwrite: Replace pose files that were made from another video or by another estimator.
        progress: Show a progress bar for every video.
        min_iou: Overlap from which an annotated box and a track are the same person.
        options: Of the data set (``target`` of EPIC-Kitchens, ``evaluated_only`` of AVA).

    Raises:
        ChoiceError: There is no such data set.
        FileFormatError: The annotations are not there, or none of the videos is.
        SkelactError: The estimator cannot be used, or a pose file is of something else.
    """
    check_choice(name, VIDEO_SETS, "a video data set")
    if not Path(annotations).is_dir():
        raise FileFormatError(f"expected a folder of annotation files, got {annotations}")
    clips = VIDEO_SETS[name].list_clips(annotations, refuse, **options)
    cache = PoseCache(poses, estimator, overwrite, progress)
    return read_clips(clips, VideoFolder(videos), cache, refuse, min_iou)
