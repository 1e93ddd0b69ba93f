"""The label pickle of st-gcn arrays; this is read in a child process, so it imports little."""

from collections.abc import Iterator

import numpy as np

from skelact.datasets.untrusted.plain_pickle import read_pickle
from skelact.datasets.untrusted.sandbox import Message
from skelact.errors import FileFormatError


def read_labels(path: str) -> Iterator[Message]:
    """Names and class numbers in a label file.

    Raises:
        FileFormatError: It is no pair of names and numbers.
    """
    yield labels_of(read_pickle(path))


def labels_of(content) -> Message:
    """What `read_labels` yields, of a pickle that was read already."""
    if type(content) not in (list, tuple) or len(content) != 2:
        raise FileFormatError("expected a pair: names of clips, class numbers")
    names, numbers = content
    if type(numbers) is np.ndarray and numbers.ndim == 1 and numbers.dtype.kind in "iu":
        numbers = numbers.tolist()
    if type(names) not in (list, tuple) or type(numbers) not in (list, tuple) \
            or len(names) != len(numbers) or not all(type(name) is str for name in names) \
            or not all(type(number) is int and 0 <= number < 2**31 for number in numbers):
        raise FileFormatError("expected as many class numbers as names of clips")
    return {"names": list(names)}, {"numbers": np.array(numbers, np.int64)}
