"""Pose files that need not be made again: the same video, the same estimator, the same options."""

import hashlib
import sys
from pathlib import Path

from skelact.errors import FileFormatError, OutputExistsError, SkelactError
from skelact.pose.estimators.base import PoseEstimator
from skelact.pose.estimators.choice import EstimatorChoice, decide_estimator
from skelact.pose.extract import extract
from skelact.pose.files import load_recording, read_options, save_recording
from skelact.pose.recording import Recording


def recipe(
    video: str | Path,
    identity: dict,
    *,
    start: int = 0,
    stop: int | None = None,
    stride: int = 1,
    strict: bool = False,
    layout: str | None = None,
) -> dict:
    """All that determines a pose file, in plain JSON values; it is saved in the file's options.

    Args:
        video: The file; its content counts, not its name.
        identity: What determines the keypoints (`EstimatorChoice.identity`).
        start: As for `extract`.
        stop: As for `extract`.
        stride: As for `extract`.
        strict: As for `extract`.
        layout: The skeleton converted to, if any.
    """
    with open(video, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "source_sha256": digest,
        "estimator": identity,
        "frames": [start, stop, stride],
        "strict": strict,
        "layout": layout,
    }


def is_made_by(pose_file: str | Path, recipe: dict) -> bool:
    """Whether a file is a pose file made by this recipe."""
    try:
        return read_options(pose_file) == recipe
    except FileFormatError:
        return False


class PoseCache:
    """A folder with a pose file a video, made when first asked for.

    A pose file is what ``skelact pose FOLDER_OF_VIDEOS -o FOLDER`` writes, so either can go on
    where the other stopped. Every file is written whole or not at all.

    Args:
        folder: Of the pose files; made if it is not there.
        estimator: What `decide_estimator` takes, a decided choice, or an estimator. It is loaded
            when the first pose file has to be made.
        overwrite: Replace pose files that were made from another video or with other options.
        progress: Show a progress bar for every video.

    Raises:
        SkelactError: ``folder`` is a file, or the estimator cannot be used.
    """

    def __init__(
        self,
        folder: str | Path,
        estimator: str | EstimatorChoice | PoseEstimator = "auto",
        overwrite: bool = False,
        progress: bool = False,
    ) -> None:
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise SkelactError(f"expected a folder for pose files, got the file {folder}")
        self._choice = decide_estimator(estimator) if isinstance(estimator, str) else estimator
        self._loaded: PoseEstimator | None = None
        self._overwrite, self._progress = overwrite, progress

    def get(self, video: str | Path, name: str | Path) -> Recording:
        """The people of a video: from its pose file, which is made if need be.

        Args:
            video: The file.
            name: Of the pose file below the folder, without ``.npz``.

        Raises:
            VideoError: The video is missing or does not decode.
            OutputExistsError: The pose file was made from another video or with other options,
                and ``overwrite`` is false.
        """
        pose_file = self.folder / f"{name}.npz"
        made = self._recipe(video)
        if pose_file.exists():
            if is_made_by(pose_file, made):
                return load_recording(pose_file)
            if not self._overwrite:
                raise OutputExistsError(
                    f"{pose_file} was not made from {video} with this pose estimator; pass "
                    "--overwrite (overwrite=True), remove it, or choose another folder")
        recording = extract(video, self._estimator(), progress=self._progress)
        save_recording(recording, pose_file, overwrite=self._overwrite, options=made)
        return recording

    def _recipe(self, video: str | Path) -> dict:
        choice = self._choice
        decided = hasattr(choice, "identity")  # else it is an estimator
        try:
            return recipe(video, choice.identity if decided else {"estimator": choice.name})
        except OSError as error:
            raise FileFormatError(f"{video} cannot be read: {error}") from error

    def _estimator(self) -> PoseEstimator:
        if self._loaded is None:
            self._loaded = self._choice
            if hasattr(self._choice, "load"):
                print(f"skelact: {self._choice}", file=sys.stderr)
                self._loaded = self._choice.load()
        return self._loaded
