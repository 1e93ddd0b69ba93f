"""Checks at the door: one function a kind of mistake, messages that say what to do."""

from collections.abc import Iterable, Sequence

from skelact.errors import ChoiceError, ShapeError


def check_choice(value, choices: Iterable, name: str):
    """Return ``value`` if it is among ``choices``.

    Raises:
        ChoiceError: It is not; the message lists the choices.
    """
    choices = list(choices)
    if value not in choices:
        listed = ", ".join(map(str, choices))
        raise ChoiceError(f"expected {name} to be one of {listed}; got {value!r}")
    return value


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
