"""Which files are videos, and the videos of a folder."""

from pathlib import Path

SUFFIXES = frozenset({".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4",
                      ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"})
"""What is taken for a video inside a folder; a file given by name may be called anything."""

OVERLAYS = {"full": ".overlay.mp4", "skeleton-only": ".skeleton.mp4"}
"""Endings of the videos that skelact draws; they are no input when a folder is searched."""


def search_videos(folder: Path) -> list[Path]:
    """The videos in and below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if is_video(path))


def is_video(path: Path) -> bool:
    """Whether a file of a folder is taken for a video, by its name."""
    return (path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
            and not path.name.endswith(tuple(OVERLAYS.values())) and path.is_file())
