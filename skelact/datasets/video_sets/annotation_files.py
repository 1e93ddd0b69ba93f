"""Reading the annotation files of video data sets: every mistake with its file and line."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from skelact.datasets.readers.base import Refuse
from skelact.errors import FileFormatError

_LONGEST = 1e6
"""Seconds; no video is longer."""
Row = tuple[str, dict[str, str]]
"""Where it stands (file and line), and its cells by column."""


def find_annotations(folder: str | Path, pattern: str, what: str) -> list[Path]:
    """The files of that name in or below a folder, sorted.

    Raises:
        FileFormatError: There are none; ``what`` says what they are and where they come from.
    """
    folder = Path(folder)
    files = sorted(path for path in folder.rglob(pattern) if path.is_file())
    if not files:
        raise FileFormatError(f"no {pattern} in {folder}; expected {what}")
    return files


def read_text(file: Path) -> str:
    """The text of a file.

    Raises:
        FileFormatError: It cannot be read, or is no text.
    """
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise FileFormatError(f"{file} is no readable text: {error}") from error


def read_lines(file: Path) -> Iterator[tuple[str, str]]:
    """Every line that is not blank: where it stands, and itself."""
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if line.strip():
            yield f"{file}, line {number}", line.strip()


def read_rows(file: Path, columns: tuple[str, ...], header: bool = True) -> Iterator[Row]:
    """The rows of a CSV.

    Args:
        file: The CSV.
        columns: Those that must be there.
        header: The first row names the columns; if not, they are ``columns`` in this order, and
            the last ones may be left out.

    Raises:
        FileFormatError: A column is absent, or the file is no CSV.
    """
    reader = csv.DictReader(io.StringIO(read_text(file), newline=""), restval="",
                            fieldnames=None if header else columns)
    try:
        absent = set(columns) - set(reader.fieldnames or ())
        if absent:
            raise FileFormatError(f"{file}, line 1: expected the columns {', '.join(columns)}; "
                                  f"{', '.join(sorted(absent))} is not there")
        for row in reader:
            yield f"{file}, line {reader.line_num}", row
    except csv.Error as error:
        raise FileFormatError(f"{file}, line {reader.line_num}: no CSV: {error}") from error


def read_json(file: Path, kind: type) -> dict | list:
    """What a JSON file holds.

    Raises:
        FileFormatError: It is no JSON, or not of that kind (dict or list) at the top.
    """
    try:
        content = json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{file} is no JSON: {error}") from error
    if not isinstance(content, kind):
        raise FileFormatError(f"{file}: expected a JSON {kind.__name__} at the top, got "
                              f"{type(content).__name__}")
    return content


def each(items: Iterator, parse: Callable, refuse: Refuse) -> Iterator:
    """``parse(where, item)`` of every (where, item); what cannot be parsed is refused.

    A parser raises ValueError, KeyError, TypeError or AttributeError; None stands for nothing.
    """
    for where, item in items:
        try:
            parsed = parse(where, item)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            said = f"no {error}" if isinstance(error, KeyError) else error
            refuse(FileFormatError(f"{where}: {said}; got {str(item)[:200]}"))
        else:
            if parsed is not None:
                yield parsed


def seconds(text: str | float) -> float:
    """Seconds from a number or from hours:minutes:seconds.

    Raises:
        ValueError: It is neither, or below 0, or no time of a video.
    """
    total = 0.0
    for part in str(text).split(":"):
        total = 60.0 * total + float(part)
    if not 0 <= total < _LONGEST:
        raise ValueError(f"expected seconds from 0 to {_LONGEST:g}, got {text}")
    return total


def span(start: str | float, end: str | float) -> tuple[float, float]:
    """Start and end in seconds.

    Raises:
        ValueError: They are no times, or the end is not later than the start.
    """
    start, end = seconds(start), seconds(end)
    if not start < end:
        raise ValueError(f"expected a start before the end, got {start:g} and {end:g}")
    return start, end
