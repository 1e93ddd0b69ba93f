"""Checks at the door: one function a kind of mistake, messages that say what to do."""

import os
import stat
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from skelact.errors import ChoiceError, FileFormatError, ShapeError


def check_choice(value, choices: Iterable, name: str):
    """Return ``value`` if it is among ``choices``.

    Raises:
        ChoiceError: It is not; the message lists the choices.
    """
    choices = list(choices)
    if value not in choices:
        listed = ", ".join(map(str, choices))
        raise ChoiceError(f"expected {name} to be one of {listed}; got {value!r}"
                          f"{closest(value, choices)}")
    return value


def closest(word, choices: Iterable) -> str:
    """`` (did you mean 'actions'?)``, or nothing where no choice is like the word."""
    close = get_close_matches(word, filter(_is_text, choices), 1) if _is_text(word) else ()
    return f" (did you mean {close[0]!r}?)" if close else ""


def check_shape(array, expected: Sequence[int | str | None], name: str):
    """Return ``array`` if its trailing axes match ``expected``.

    Args:
        array: Anything with a ``shape``.
        expected: One entry an axis: a number for an exact size, a letter or None for any size.
            A leading ``"..."`` allows further axes in front.
        name: What the array is called in the message.

    Raises:
        ShapeError: The axes differ.
    """
    free = bool(expected) and expected[0] == "..."
    sizes = list(expected[1:] if free else expected)
    shape = tuple(array.shape)
    fits = len(shape) >= len(sizes) if free else len(shape) == len(sizes)
    tail = shape[len(shape) - len(sizes) :]
    if not fits or any(
        isinstance(e, int) and e != s for e, s in zip(sizes, tail, strict=True)
    ):
        words = ["any" if e is None else str(e) for e in sizes]
        wanted = ", ".join((["..."] if free else []) + words)
        raise ShapeError(f"expected {name} [{wanted}], got {list(shape)}")
    return array


def check_readable(path: str | Path, below: bool = False) -> None:
    """Refuse what we lack the permission to read, which searching takes for empty.

    Args:
        path: A file or folder; one that does not exist passes.
        below: Look into every folder below it too.

    Raises:
        FileFormatError: No permission; the message names the file or folder.
    """
    try:
        kind = os.stat(path).st_mode
        if stat.S_ISREG(kind):
            open(path, "rb").close()
        elif stat.S_ISDIR(kind):
            os.listdir(path)
            for _ in os.walk(path, onerror=_throw) if below else ():
                pass
    except PermissionError as error:
        raise FileFormatError(f"no permission to read {error.filename} (ask its owner for "
                              "it)") from error
    except OSError:
        return  # whoever reads it knows better what to say


def _is_text(value) -> bool:
    return isinstance(value, str)


def _throw(error: OSError) -> None:
    raise error
