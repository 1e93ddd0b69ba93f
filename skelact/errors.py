"""The errors skelact raises for input it cannot use.

Every message names what was expected, what came, and what to do next. The command line turns
any of them into exit code 2 and one line on standard error.
"""


class SkelactError(Exception):
    """Base of all errors that skelact raises on purpose."""


class ShapeError(SkelactError, ValueError):
    """An array or tensor does not have the axes that were expected."""


class ChoiceError(SkelactError, ValueError):
    """A name or number is not one of those allowed."""


class LayoutError(SkelactError, ValueError):
    """A skeleton layout is invalid, unknown, or not the one that the data needs."""


class FileFormatError(SkelactError, ValueError):
    """A file is missing, unreadable, truncated, or not what its name promises."""


class EmptyClipError(FileFormatError):
    """A clip is whole and shows nobody; preparing a data set lists it and counts no failure."""


class VideoError(FileFormatError):
    """A video cannot be decoded (at all, or not whole under ``strict``)."""


class OutputExistsError(SkelactError, FileExistsError):
    """Writing would replace a file that the user did not ask to replace."""


class MissingDependencyError(SkelactError, ImportError):
    """An optional package is needed and not installed."""


class WeightsError(SkelactError):
    """Model weights are missing, of another architecture, or may not be downloaded."""


def one_line(error: Exception) -> str:
    """The message of an error, which may go over many lines, as one short line."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= 300 else words[:299] + "…"
