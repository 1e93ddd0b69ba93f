"""What stands around a keypoint file: its video, its label, its class folder."""

import csv
import glob
import re
from dataclasses import dataclass
from pathlib import Path

from skelact.errors import FileFormatError, VideoError

ASSUMED_FPS = 30.0
_VIDEOS = {".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg"}
_COLUMNS = {"file", "label", "subject", "camera", "setup", "repetition", "split"}


@dataclass(frozen=True)
class Scene:
    """What a keypoint file may not say about its video."""

    fps: float
    fps_assumed: bool
    image_size: tuple[int, int] | None
    num_frames: int | None = None


def find_scene(
    clip: Path, fps: float | None = None, image_size: tuple[int, int] | None = None
) -> Scene:
    """Frame rate and image size: as stated, else of a video beside the clip, else assumed.

    Args:
        clip: The file or folder; ``squats.blazepose.json`` and the folder ``squats`` belong to
            ``squats.mp4`` in the same folder.
        fps: What the file or the caller states, if anything.
        image_size: (width, height) likewise.

    Raises:
        FileFormatError: What is stated is no frame rate or size.
    """
    if fps is not None and not 0 < fps <= 10_000:
        raise FileFormatError(f"expected a frame rate above 0, got {fps}")
    if image_size is not None and (len(image_size) != 2 or not min(image_size) >= 1):
        raise FileFormatError(f"expected an image size (width, height), got {image_size}")
    frames = None
    if (fps is None or image_size is None) and (video := _find_video(clip)):
        from skelact.pose.video import VideoReader  # decoding is needed by few

        try:
            reader = VideoReader(video)
            fps, image_size = fps or reader.fps, image_size or reader.size
            frames = reader.expected_frames
        except VideoError:
            pass  # a damaged video says no less than no video
    return Scene(fps or ASSUMED_FPS, fps is None, image_size, frames)


def _find_video(clip: Path) -> Path | None:
    for stem in dict.fromkeys((clip.name, clip.stem, clip.name.split(".")[0])):
        beside = clip.parent.glob(f"{glob.escape(stem)}.*")
        if video := next((f for f in sorted(beside) if f.suffix.lower() in _VIDEOS), None):
            return video
    return None


@dataclass(frozen=True)
class Labels:
    """Labels of the clips below a folder: of its ``labels.csv``, else of class folders.

    Args:
        root: The folder.
        rows: Facts by file name (relative to ``root``, with ``/``), or None without a table.
    """

    root: Path
    rows: dict[str, dict] | None

    def of(self, clip: Path) -> dict:
        """``clip_id`` and what is known of a file or folder.

        Raises:
            FileFormatError: There is a table and the clip is not in it.
        """
        relative = clip.relative_to(self.root)
        name = relative.as_posix() if relative.parts else clip.resolve().name
        facts = {"clip_id": name.removesuffix(relative.suffix) if clip.is_file() else name}
        if self.rows is None:
            return facts | ({"label": class_name(relative.parts[0])}
                            if len(relative.parts) > 1 else {})
        for key in (name, facts["clip_id"]):
            if key in self.rows:
                return facts | self.rows[key]
        raise FileFormatError(f"{self.root / 'labels.csv'} does not list it; add a line for {name}")


def read_labels(path: str | Path) -> Labels:
    """The ``labels.csv`` of a folder (or of the folder of a file), if there is one.

    Columns: ``file`` (relative to the folder; the suffix may be left out), ``label``, and
    optionally ``subject``, ``camera``, ``setup``, ``repetition`` (whole numbers), ``split``
    (several joined by ``;``). Without a table, clips in sub-folders belong to the class that
    the first of them names.

    Raises:
        FileFormatError: The table is damaged; the message names the line.
    """
    root = Path(path)
    root = root if root.is_dir() else root.parent
    table = root / "labels.csv"
    if not table.is_file():
        return Labels(root, None)
    rows: dict[str, dict] = {}
    try:
        with open(table, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_columns(reader.fieldnames or (), table)
            for row in reader:
                place = f"{table}, line {reader.line_num}"
                name = (row["file"] or "").strip().replace("\\", "/").removeprefix("./")
                if not name or name in rows:
                    raise FileFormatError(f"{place}: expected the name of a file not named before, "
                                          f"got {name!r}")
                rows[name] = _facts(row, place)
    except (OSError, ValueError, csv.Error) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{table} is no table of labels: {error}") from error
    return Labels(root, rows)


def class_name(words: str) -> str:
    """A class as lower_snake_case: ``air drumming`` becomes ``air_drumming``."""
    return re.sub(r"[\W_]+", "_", words).strip("_").lower()


def _check_columns(names, table: Path) -> None:
    names = [str(name).strip() for name in names]
    if not {"file", "label"} <= set(names) <= _COLUMNS or len(set(names)) != len(names):
        optional = ", ".join(sorted(_COLUMNS - {"file", "label"}))
        raise FileFormatError(f"{table}, line 1: expected the columns file, label and optionally "
                              f"{optional}; got {', '.join(names) or 'none'}")


def _facts(row: dict, place: str) -> dict:
    if None in row or None in row.values():
        raise FileFormatError(f"{place}: expected as many cells as columns")
    row = {key: value.strip() for key, value in row.items()}
    facts: dict = {"label": class_name(row["label"])} if class_name(row["label"]) else {}
    for key in ("subject", "camera", "setup", "repetition"):
        if value := row.get(key):
            if not value.isascii() or not value.isdigit() or len(value) > 15:
                raise FileFormatError(f"{place}: expected a whole number as {key}, got {value!r}")
            facts[key] = int(value)
    if splits := [name.strip() for name in row.get("split", "").split(";") if name.strip()]:
        facts["splits"] = splits
    return facts
