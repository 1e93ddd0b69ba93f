"""Which classes of a data set a model knows: by name, never by number."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_FEW = 3


@dataclass(frozen=True, eq=False)
class ClassMatch:
    """The classes of a data set among those of a model.

    Args:
        indices: ``[S]`` int64, the model's index of each class of the data set; -1 for unknown.
        respelled: Those that were matched though spelled differently: data set -> model.
        similar: Unknown ones that may be meant to be a class of the model: data set -> model.
    """

    indices: np.ndarray
    respelled: Mapping[str, str]
    similar: Mapping[str, str]

    def relabel(self, labels: np.ndarray) -> np.ndarray:
        """``[L]`` labels of the data set as indices of the model; -1 for unknown and for none."""
        return np.where(labels >= 0, np.append(self.indices, -1)[labels], -1)


def match_classes(known: Sequence[str], names: Sequence[str]) -> ClassMatch:
    """Find the classes of a data set among those of a model.

    Names are the same if they are equal, or, where that leaves both without a partner, if they
    differ only in case, spaces and punctuation. Nothing else is guessed.

    Args:
        known: Names of the model's classes.
        names: Names of the data set's classes.
    """
    places = {name: i for i, name in enumerate(known)}
    indices = np.array([places.get(name, -1) for name in names], np.int64)
    left = [name for name in known if name not in set(names)]
    rest = [name for name, index in zip(names, indices, strict=True) if index < 0]
    respelled = {name: by[0] for name in rest
                 if len(by := _same_spelling(name, left)) == len(_same_spelling(name, rest)) == 1}
    for name, model_name in respelled.items():
        indices[list(names).index(name)] = places[model_name]
    similar = {name: close[0] for name in rest if name not in respelled
               and (close := difflib.get_close_matches(name, left, 1, 0.7))}
    return ClassMatch(indices, respelled, similar)


def _same_spelling(name: str, among: Sequence[str]) -> list[str]:
    return [other for other in among if _spelling(other) == _spelling(name)]


def _spelling(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold() or name


def describe_few(names: Sequence[str], labels: np.ndarray) -> list[str]:
    """What to say where so few of a model's classes are tested that figures mislead.

    Args:
        names: The classes of the model.
        labels: ``[L]`` those of the clips, as the model numbers them.
    """
    tested = np.unique(labels)
    if len(tested) > _FEW or len(tested) == len(names):
        return []
    listed = ", ".join(names[k] for k in tested)
    if len(tested) == 1:
        return [f"Clips of one class only are tested, {listed}: the accuracy is the share of them "
                "that are recognized, and a model that always says so would have 1. Precision and "
                "F1, which compare classes, are left out."]
    return [f"Only {len(tested)} of the {len(names)} classes that the model knows are tested: "
            f"{listed}. The figures say nothing about the others, and precision less than it seems "
            "to: few classes can be taken for one another."]
