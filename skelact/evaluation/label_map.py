"""Label maps: which classes of different data sets are the same action.

A map is a YAML file that names every class of every data set it knows: as the same action as
others, or as one that stands alone. Nothing is matched by likeness of names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml

from skelact.checks import closest
from skelact.errors import ChoiceError, FileFormatError, ShapeError
from skelact.graph.layouts import StrictLoader
from skelact.presets import find_label_map


@dataclass(frozen=True)
class LabelMap:
    """Shared classes of several data sets.

    Args:
        classes: The shared names, in the order of the shared indices.
        sources: Data set -> its class -> the shared name; several classes may mean one.
        unshared: Data set -> its classes that are no shared action.
        name: What to call the map in messages.

    Raises:
        ChoiceError: A shared name stands twice or is none of ``classes``, a class is both shared
            and unshared, or a shared name has no class at all.
    """

    classes: tuple[str, ...]
    sources: Mapping[str, Mapping[str, str]]
    unshared: Mapping[str, frozenset[str]] = field(default_factory=dict)
    name: str = "the label map"

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "unshared", {
            dataset: frozenset(self.unshared.get(dataset, ()))
            for dataset in (*self.sources, *self.unshared)})
        object.__setattr__(self, "sources", {
            dataset: dict(self.sources.get(dataset, {})) for dataset in self.unshared})
        if twice := _twice(self.classes):
            raise ChoiceError(f"{self.name} has the shared class {twice} twice")
        for dataset, mapping in self.sources.items():
            for own, shared in mapping.items():
                if shared not in self.classes:
                    raise ChoiceError(f"{self.name} maps {own!r} of {dataset} to {shared!r}, which "
                                      f"is no shared class{closest(shared, self.classes)}")
                if own in self.unshared[dataset]:
                    raise ChoiceError(f"{self.name} lists {own!r} of {dataset} as shared and as "
                                      "unshared; keep one")
        used = {name for mapping in self.sources.values() for name in mapping.values()}
        if empty := [name for name in self.classes if name not in used]:
            raise ChoiceError(f"{self.name} has no class of any data set for the shared class "
                              f"{empty[0]!r}; give it one, or leave it out")

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the data sets that the map knows."""
        return tuple(self.sources)

    def shared_with(self, dataset: str, shared: str) -> tuple[str, ...]:
        """The classes of a data set that are a shared action."""
        mapping = self.sources[self._known(dataset)]
        return tuple(own for own, name in mapping.items() if name == shared)

    def relabel(self, dataset: str, classes: Sequence[str], labels: np.ndarray) -> np.ndarray:
        """Labels of a data set in the shared classes.

        Args:
            dataset: Its name in the map.
            classes: Its own classes, in the order of its labels; every one must stand in the map.
            labels: ``[L]`` int, -1 for none.

        Returns:
            ``[L]`` int64 index in `classes`; -1 for what is not shared, and for none.

        Raises:
            ChoiceError: The map does not know the data set, or one of its classes.
            ShapeError: A label is outside of ``classes``.
        """
        self.check(dataset, classes)
        labels = np.asarray(labels)
        if labels.size and not (labels.min() >= -1 and labels.max() < len(classes)):
            raise ShapeError(f"expected labels from -1 to {len(classes) - 1} for {len(classes)} "
                             f"classes of {dataset}, got {labels.min()} to {labels.max()}")
        mapping = self.sources[dataset]
        indices = [self.classes.index(mapping[own]) if own in mapping else -1 for own in classes]
        return np.array([*indices, -1], np.int64)[labels]

    def check(self, dataset: str, classes: Sequence[str]) -> None:
        """Refuse classes about which the map says nothing.

        Raises:
            ChoiceError: The map does not know the data set, or one of its classes.
        """
        known = {*self.sources[self._known(dataset)], *self.unshared[dataset]}
        if unknown := [own for own in classes if own not in known]:
            raise ChoiceError(
                f"{self.name} says nothing about {len(unknown)} of {len(classes)} classes of "
                f"{dataset}: {', '.join(unknown[:8])}{', ...' if len(unknown) > 8 else ''}"
                f"{closest(unknown[0], known)}; map each to a shared class or list it under "
                f"unshared: {dataset}")

    def between(self, *datasets: str) -> "LabelMap":
        """The map of the classes that all of these data sets have.

        Args:
            datasets: At least one name.

        Returns:
            A map of these data sets; what not all have is unshared.

        Raises:
            ChoiceError: A data set is unknown, or they share fewer than two classes.
        """
        if not datasets:
            raise ChoiceError("expected names of data sets that share classes, got none")
        owned = [set(self.sources[self._known(dataset)].values()) for dataset in datasets]
        classes = tuple(name for name in self.classes if all(name in own for own in owned))
        if len(classes) < 2:
            count = "one class" if classes else "no class"
            raise ChoiceError(f"{' and '.join(datasets)} share {count} in {self.name} "
                              f"({', '.join(classes) or 'none'}); two are needed to tell anything "
                              "apart")
        sources = {dataset: {own: name for own, name in self.sources[dataset].items()
                             if name in classes} for dataset in datasets}
        unshared = {dataset: self.unshared[dataset] | (
            self.sources[dataset].keys() - sources[dataset].keys()) for dataset in datasets}
        return LabelMap(classes, sources, unshared, self.name)

    def restrict(self, dataset: str, classes: Sequence[str]) -> "LabelMap":
        """The map without the classes that a data set does not have, of which a part may be here.

        Raises:
            ChoiceError: The map does not know the data set, or one of its classes.
        """
        self.check(dataset, classes)
        own = {name: shared for name, shared in self.sources[dataset].items() if name in classes}
        sources = {**self.sources, dataset: own}
        used = {shared for mapping in sources.values() for shared in mapping.values()}
        return LabelMap(tuple(name for name in self.classes if name in used), sources,
                        self.unshared, self.name)

    def _known(self, dataset: str) -> str:
        if dataset not in self.sources:
            raise ChoiceError(f"{self.name} does not know the data set {dataset!r}, but "
                              f"{', '.join(self.sources)}{closest(dataset, self.sources)}; pass "
                              "--label-map FILE.yaml that says which of its classes are which")
        return dataset


def load_label_map(name_or_path: str | Path = "actions") -> LabelMap:
    """Read a label map.

    The file has two tables: ``classes``, shared name -> data set -> its classes, and
    ``unshared``, data set -> classes that stand alone.

    Args:
        name_or_path: A map that ships with skelact (``"actions"``), or a ``.yaml`` file.

    Raises:
        ChoiceError: There is no such map, or it contradicts itself.
        FileFormatError: The file is no label map.
    """
    path = find_label_map(name_or_path)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), StrictLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FileFormatError(f"cannot read the label map {path}: {error}") from error
    if not isinstance(content, dict) or not {"classes"} <= set(content) <= {"classes", "unshared"}:
        got = ", ".join(map(str, content)) if isinstance(content, dict) else repr(content)[:60]
        raise FileFormatError(f"{path} is no label map: expected the tables classes and unshared, "
                              f"got {got}")
    classes = _table(content["classes"], path, "classes")
    sources: dict[str, dict[str, str]] = {}
    for shared, owners in classes.items():
        for dataset, names in _table(owners, path, shared).items():
            for own in _names(names, path, f"{shared}: {dataset}"):
                if own in sources.setdefault(dataset, {}):
                    raise ChoiceError(f"{path}: {own!r} of {dataset} is both "
                                      f"{sources[dataset][own]!r} and {shared!r}; keep one")
                sources[dataset][own] = shared
    alone = _table(content.get("unshared") or {}, path, "unshared")
    unshared = {dataset: _names(names, path, f"unshared: {dataset}")
                for dataset, names in alone.items()}
    return LabelMap(tuple(classes), sources, unshared, f"the label map {path.stem}")


def _table(value, path: Path, what: str) -> dict:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise FileFormatError(f"{path}: expected a table of names under {what}, got {value!r:.60}")
    return value


def _names(value, path: Path, what: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise FileFormatError(f"{path}: expected a list of class names under {what}, got "
                              f"{value!r:.60}; quote names such as 'yes'")
    if twice := _twice(value):
        raise ChoiceError(f"{path}: {twice!r} stands twice under {what}")
    return value


def _twice(names: Sequence[str]) -> str:
    return next((name for i, name in enumerate(names) if name in names[:i]), "")
