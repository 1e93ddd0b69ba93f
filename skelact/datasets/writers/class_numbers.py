"""Class names as numbers, for formats that have no names."""

import re
from collections.abc import Iterable, Sequence

from skelact.errors import ChoiceError

_NUMBERED = re.compile(r"class_(\d{1,9})")


def number_classes(
    labels: Iterable[str], classes: Sequence[str] | None = None
) -> tuple[dict[str, int], int]:
    """The number of every label, and how many classes there are.

    Args:
        labels: The labels that occur.
        classes: All class names in order; by default those that occur, sorted. Labels such as
            ``class_012``, which readers of such formats give, keep their numbers.

    Raises:
        ChoiceError: A label is not among ``classes``.
    """
    found = sorted(set(labels))
    if classes is not None:
        if strange := [label for label in found if label not in set(classes)]:
            raise ChoiceError(f"expected labels out of classes ({', '.join(classes[:5])}, ...), "
                              f"got {', '.join(strange[:5])}")
        return {name: number for number, name in enumerate(classes)}, len(classes)
    if found and all(_NUMBERED.fullmatch(label) for label in found):
        numbers = {label: int(label.removeprefix("class_")) for label in found}
        return numbers, max(numbers.values()) + 1
    return {label: number for number, label in enumerate(found)}, len(found)
