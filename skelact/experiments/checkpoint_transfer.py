"""A model that is there already, tested on data sets that it was not trained on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skelact.errors import SkelactError
from skelact.evaluation.conditions import check_form, find_learned
from skelact.evaluation.label_map import LabelMap, load_label_map
from skelact.experiments.derived_store import SHARED
from skelact.experiments.domains import Domain
from skelact.experiments.transfer import Cell, Clips, judge_away, measure
from skelact.models.checkpoint import ActionModel

KNOWN_BY_NAME = (
    "Clips that the model was trained on are left out as far as the names of data sets and the "
    "model's protocol tell them; a copy of its training data under another name is not recognized.")
"""What a reader of figures of a model that is there already must know."""


def find_shared_classes(
    model: ActionModel, target: Domain, label_map: str | Path = ""
) -> tuple[tuple[str, ...], np.ndarray, LabelMap]:
    """The classes that a model shares with a data set.

    Args:
        model: Its classes are those of the data set that it says it was trained on, or shared
            names already (as networks of ``skelact cross-domain`` have them).
        target: The data set.
        label_map: As for `skelact.experiments.domains.plan_task`.

    Returns:
        The K shared names; ``[classes of the model, K]`` 1 where a class of the model is a shared
        one; the map.

    Raises:
        ChoiceError: The map does not know one of the two, or one of their classes.
        SkelactError: They share fewer than two classes.
    """
    name = trained_on(model)
    if set(model.classes) == set(target.classes) and not label_map:
        known = LabelMap(model.classes, {target.name: {own: own for own in model.classes}})
    else:
        known = load_label_map(label_map or "actions")
    if set(model.classes) <= set(known.classes):
        own = np.array([known.classes.index(word) for word in model.classes])
    else:
        own = known.relabel(name, model.classes, np.arange(len(model.classes)))
    theirs = known.relabel(target.name, target.classes, np.arange(len(target.classes)))
    shared = [index for index in range(len(known.classes)) if index in own and index in theirs]
    classes = tuple(known.classes[index] for index in shared)
    if len(classes) < 2:
        raise SkelactError(f"{model.name} ({name}) shares {'one class' if classes else 'no class'} "
                           f"({', '.join(classes) or 'none'}) with {target.name} in {known.name}; "
                           "two are needed to tell anything apart: pass --label-map FILE.yaml")
    return classes, (own[:, None] == np.array(shared)).astype(float), known


def judge_checkpoint(
    model: ActionModel, target: Domain, source: Domain | None = None, label_map: str | Path = "",
    protocol: str = "", views: int = 1, adaptations: Sequence[str] = (), distances: bool = False,
) -> Cell:
    """Test a model on a data set: among the classes that both have, which is likeliest?

    What the model says of other classes is left out, as if it could name only the shared ones, and
    so are clips that it was trained on.

    Args:
        model: The model.
        target: The data set; brought to the model's skeleton.
        source: What the model was trained on, for the in-domain figure, CORAL and distances.
        label_map: Which classes are the same.
        protocol: Which protocol of the source has the test part; by default the one that the
            model was trained by.
        views: Views a clip.
        adaptations: Ways to adapt to the target.
        distances: Measure how far the features of both sides lie apart.

    Raises:
        ChoiceError: See `find_shared_classes`.
        SkelactError: Distances or CORAL without a source, clips that the model cannot take, or see
            `find_shared_classes`.
    """
    name = trained_on(model) if source is None else source.name
    check_form(model, target.arrays)
    classes, merge, known = find_shared_classes(model, target, label_map)
    if source is None and (distances or "coral" in adaptations):
        raise SkelactError("distances and CORAL compare the target with what the model was trained "
                           "on; pass its store too (--train STORE)")

    place = np.full(len(known.classes) + 1, -1)
    place[[known.classes.index(word) for word in classes]] = np.arange(len(classes))

    def clips(domain: Domain, split: str, learned: np.ndarray | None = None) -> Clips:
        shared = known.relabel(domain.name, domain.classes, domain.arrays.labels)
        return Clips.of(domain, place[shared], split, learned)

    def unseen(domain: Domain, split: str) -> Clips:
        return clips(domain, split, find_learned(model, domain.name, domain.columns))

    if target.name != name and target.shares_clips(name):
        raise SkelactError(f"{target.name} and {name}, which {model.name} was trained on, have "
                           "clips in common; test it with `skelact evaluate` on its own test split")
    home, learned = None, None
    if source is not None:
        protocol = protocol or model.training.get("protocol") or ""
        prefix = f"{protocol}/" if protocol else ""
        home = measure([model], unseen(source, prefix + "test"), classes, views, merge=merge)
        if distances or "coral" in adaptations:
            taught = clips(source, prefix + "train")
            learned = taught.arrays, taught.rows
    cell = Cell((name,), target.name, classes, home, home)
    return judge_away(cell, [model], unseen(target, "all"), learned, views, adaptations, distances,
                      merge=merge)


def describe_classes(
    model: ActionModel, target: Domain, label_map: str | Path = ""
) -> dict[str, dict[str, list[str]]]:
    """Shared class -> ``model`` or the name of the data set -> their own classes."""
    shared, merge, known = find_shared_classes(model, target, label_map)
    theirs = known.relabel(target.name, target.classes, np.arange(len(target.classes)))
    return {name: {
        "model": [model.classes[row] for row in np.flatnonzero(merge[:, column])],
        target.name: [target.classes[row]
                      for row in np.flatnonzero(theirs == known.classes.index(name))],
    } for column, name in enumerate(shared)}


def trained_on(model: ActionModel) -> str:
    """The name of the data set that a model was trained on; by its own name where it is unknown.

    The model that ships with skelact writes it as people do: ``Penn Action``. Networks of ``skelact
    cross-domain`` learned the shared classes of theirs.
    """
    name = (str(model.data.get("name", "")) or model.name).lower().replace(" ", "_")
    return name.removesuffix(SHARED)
