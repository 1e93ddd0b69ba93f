"""The numpy arrays and numbers of a pickle, built by our own hands.

numpy's own functions for this trust what they are given: with a flipped byte in a shape or type
they crash the process or take all memory. Here an array is made only where type, shape and number
of bytes agree, and only of numbers; the names that numpy writes are mere words.
"""

import math
import re

import numpy as np

from skelact.errors import FileFormatError

_NAMES = {
    *((f"numpy.{core}.multiarray", name) for core in ("core", "_core")
      for name in ("_reconstruct", "scalar")),
    ("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer"),
    ("numpy", "ndarray"), ("numpy", "dtype"),
    ("_codecs", "encode"),  # how protocols 0 to 2 write bytes,
    ("__builtin__", "bytes"), ("builtins", "bytes"),  # and empty ones
    ("collections", "OrderedDict"),
}
_NUMBER = re.compile(r"b1|[iu][1248]|f[248]")
_TEXT = re.compile(r"U\d{1,6}")
_MAX_DIMENSIONS = 8
_MAX_SIDE = 2**40


class PickledName:
    """One of the names that numpy writes; ``word`` is its last part.

    Raises:
        FileFormatError: Any other name.
    """

    def __init__(self, module: str, name: str):
        if (module, name) not in _NAMES:
            raise FileFormatError(f"it calls for {module[:80]}.{name[:80]}; only plain data and "
                                  "numpy arrays are read, because anything else could run code")
        self.word = name


class PickledDtype:
    """A number type: ``code`` without byte order, and the byte order."""

    def __init__(self, code: str):
        self.code, self.order = code, "="

    def fill(self, state: tuple) -> "PickledDtype":
        """Take the byte order out of what numpy stores of a type."""
        if len(state) not in (8, 9) or type(state[1]) is not str \
                or state[1] not in ("<", ">", "|", "=") \
                or any(part is not None for part in state[2:5]):
            raise FileFormatError("expected the type of an array of numbers, got a structured one")
        self.order = state[1]
        return self

    def to_numpy(self) -> np.dtype:
        """The type, if it is one of numbers."""
        if not _NUMBER.fullmatch(self.code):
            raise FileFormatError(f"expected an array of numbers, got type {self.code[:20]!r}")
        return np.dtype(self.order + self.code)


class PickledArray:
    """An array that was announced; its contents come in a later operation."""

    def __init__(self):
        self.value = None

    def fill(self, state: tuple) -> np.ndarray:
        """The array, with what numpy stores of it."""
        if self.value is not None or len(state) != 5:
            raise FileFormatError("the contents of an array are damaged")
        _, shape, dtype, fortran, content = state
        is_fortran = type(fortran) in (bool, int) and fortran == 1
        self.value = _build_array(content, dtype, shape, "F" if is_fortran else "C")
        return self.value


def call(word: str, arguments: tuple):
    """What numpy's own function of that name would give, where the arguments are plain.

    Raises:
        FileFormatError: They are not, or do not fit together.
    """
    kinds = [type(argument) for argument in arguments]
    if word == "encode" and kinds == [str, str] and arguments[1] in ("latin1", "latin-1"):
        return memoryview(arguments[0].encode("latin-1"))
    if word == "bytes" and not arguments:
        return memoryview(b"")
    if word == "OrderedDict" and not arguments:
        return {}
    if word == "dtype" and kinds[:1] == [str]:
        return PickledDtype(arguments[0])
    if word == "_reconstruct" and kinds[:1] == [PickledName] and arguments[0].word == "ndarray":
        return PickledArray()
    if word == "_frombuffer" and kinds[3:] == [str] and arguments[3] in ("C", "F"):
        return _build_array(*arguments)
    if word == "scalar" and len(arguments) == 2:
        return _build_scalar(*arguments)
    raise FileFormatError(f"{word} does not take what it is given (file damaged)")


def _build_array(content, dtype, shape, order: str) -> np.ndarray:
    if type(content) is str:  # bytes of Python 2
        content = memoryview(content.encode("latin-1"))
    if type(content) is not memoryview:
        raise FileFormatError(f"expected an array of numbers, got one of {kind_of(content)}")
    if type(dtype) is not PickledDtype or type(shape) is not tuple or len(shape) > _MAX_DIMENSIONS \
            or not all(type(side) is int and 0 <= side <= _MAX_SIDE for side in shape):
        raise FileFormatError("the type or shape of an array is damaged")
    kind = dtype.to_numpy()
    expected = math.prod(shape) * kind.itemsize
    if expected != len(content):
        raise FileFormatError(f"expected {list(shape)} {kind} = {expected} bytes, got "
                              f"{len(content)}")
    return np.ndarray(shape, kind, content if expected else None, order=order)


def _build_scalar(dtype, content):
    """A number or text; numpy has a type of its own for each."""
    if type(dtype) is PickledDtype and type(content) is memoryview and _TEXT.fullmatch(dtype.code):
        return str(content, "utf-32-be" if dtype.order == ">" else "utf-32-le").rstrip("\0")
    return _build_array(content, dtype, (), "C").item()


def kind_of(value) -> str:
    """What a value is, for a message."""
    return type(value).__name__.removeprefix("Pickled").lower()
