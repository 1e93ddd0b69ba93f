"""The clips of a training run: `open_data` divides a store into train, val and test."""

import hashlib
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from skelact.config import BY_IMAGE, OptimConfig, TrainConfig
from skelact.datasets.arrays import ClipArrays, remap_arrays
from skelact.datasets.background import Background, read_background
from skelact.datasets.catalog import CATALOG, how_to_get
from skelact.datasets.header import HEADER
from skelact.datasets.splits import select_rows
from skelact.datasets.store import Store
from skelact.datasets.validation.integrity import check_whole
from skelact.errors import FileFormatError, SkelactError
from skelact.evaluation.clip_pixels import ClipPixels
from skelact.transforms.clip_form import settle_form

logger = logging.getLogger("skelact")

@dataclass(frozen=True, eq=False)
class TrainingData:
    """The clips of one run.

    Args:
        name: What the data set is called.
        classes: Names of the classes.
        arrays: All clips, in the skeleton of the network.
        clip_ids: ``[L]`` their names.
        subjects: ``[L]`` who is seen in them; -1 for unknown.
        train: Rows that the network learns from.
        val: Rows that choose the epoch and set the rejection threshold; maybe none.
        test: Rows that are scored once, at the end.
        background: Clips of other actions, or None.
        fingerprint: SHA-256 of the files of all stores, and of who is in which part.
        pixels: Those of the clips, for a network of two streams.
    """

    name: str
    classes: tuple[str, ...]
    arrays: ClipArrays
    clip_ids: np.ndarray
    subjects: np.ndarray
    train: np.ndarray
    val: np.ndarray
    test: np.ndarray
    background: Background | None
    fingerprint: str
    pixels: ClipPixels | None = None

    def __str__(self) -> str:
        parts = f"{len(self.train)} train, {len(self.val)} val, {len(self.test)} test clips"
        learned = len(np.unique(self.arrays.labels[self.train]))
        return f"{self.name}: {parts}; {learned} of {len(self.classes)} classes in train"

    def with_all_of_train(self) -> "TrainingData":
        """The same without a validation part."""
        everything = np.sort(np.concatenate([self.train, self.val]))
        return replace(self, train=everything, val=self.val[:0])


def find_store(config: TrainConfig) -> Path:
    """The store that a configuration means.

    Raises:
        FileFormatError: There is none; says how to get and prepare the data set.
    """
    if config.data is None and not config.dataset:
        raise FileFormatError("pass --data STORE, which `skelact data prepare` makes: of your own "
                              "videos, skelact data prepare NAME --from-videos DIR -o STORE; of "
                              f"files of skeletons or of {', '.join(CATALOG)}, skelact data "
                              "prepare NAME --raw DIR -o STORE")
    name = f"{config.dataset}.store"
    places = [config.data] if config.data else [name, Path(os.environ.get("SKELACT_DATA", ".")) /
                                                name]
    for place in map(Path, places):
        if (place / HEADER).is_file():
            return place
    tried = " or ".join(dict.fromkeys(map(str, places)))
    told = (how_to_get(config.dataset) if config.dataset in CATALOG else
            "Make one with `skelact data prepare NAME --raw DIR -o STORE`")
    raise FileFormatError(f"expected a store at {tried}; there is none. {told}")


def open_data(config: TrainConfig) -> tuple[TrainConfig, TrainingData]:
    """Open and divide the store; gives the configuration with every "auto" of the form settled.

    Raises:
        FileFormatError: There is no store, or it was changed after it was written.
        SkelactError: A split with nothing in it, or clips that do not fit the configuration.
    """
    folder = find_store(config)
    for place in (folder, *config.background):
        check_whole(place)
    store, others = Store(folder), list(map(Store, config.background))
    if config.dataset and store.header.name != config.dataset and config.dataset in CATALOG:
        raise SkelactError(f"this preset is for {config.dataset}, but {folder} holds "
                           f"{store.header.name}; take its own preset, or custom")
    named = config.clip.layout
    arrays = remap_arrays(store.arrays, store.header.layout if named == "auto" else named)
    images = arrays.image_size is not None and bool((arrays.image_size > 0).all())
    clip = settle_form(config.clip, arrays.layout, arrays.dims, images)
    config = replace(config, clip=clip, data=str(folder))
    _check_classes(store, store.arrays.labels, "")
    rows = _divide(store, config)
    learned = len(rows["train"]) + (0 if config.validate else len(rows["val"]))
    config = replace(config, optim=_repeat_few(config.optim, learned))
    _check_learned(store, rows)
    background = None
    if config.background:
        _check_others(others, store)
        background = read_background(config.background, arrays.layout, store.header.classes)
        if clip.dims == 3 and background.arrays.dims == 2:
            raise SkelactError("a 2-D background says nothing to a 3-D network; pass --clip.dims 2")
        if clip.normalise in BY_IMAGE and background.arrays.dims == 3:
            raise SkelactError("a 3-D background is in no image; pass --clip.normalise body")
    columns = store.columns()
    data = TrainingData(
        store.header.name, store.header.classes, arrays, columns["clip_id"].astype(str),
        columns["subject"], rows["train"], rows["val"], rows["test"], background,
        _fingerprint([store, *others], rows), _open_pixels(config, store, rows),
    )
    return config, data if config.validate else data.with_all_of_train()


def _open_pixels(config: TrainConfig, store: Store, rows: dict[str, np.ndarray]
                 ) -> ClipPixels | None:
    """The pixels of the clips of a run; None for one of skeletons alone."""
    if not config.rgb.encoder:
        return None
    pixels = ClipPixels(store, config.rgb.cut, config.rgb.videos, config.rgb.cache,
                        config.workers)
    pixels.check(np.concatenate([*rows.values()]))
    if config.rgb.fusion == "logistic":
        labels = store.arrays.labels[rows["val"][pixels.find(rows["val"])]]
        if absent := set(range(len(store.header.classes))) - set(labels.tolist()):
            raise SkelactError("rgb.fusion logistic needs validation clips of every class that "
                               "have their video, got none of "
                               f"{store.header.classes[min(absent)]}; pass --rgb.fusion late")
    return pixels


def _repeat_few(optim: OptimConfig, clips: int) -> OptimConfig:
    """Draw few clips so often that an epoch has `OptimConfig.min_steps`."""
    return replace(optim, repeat=max(optim.repeat, -(-optim.min_steps * optim.batch_size // clips)))


def _check_classes(store: Store, labels: np.ndarray, where: str) -> None:
    """Refuse to learn one class."""
    if len(classes := np.unique(labels[labels >= 0])) == 1:
        raise SkelactError(f"expected clips of at least two classes to train on; {store.folder} "
                           f"has only {store.header.classes[classes[0]]}{where}")


def _check_learned(store: Store, rows: dict[str, np.ndarray]) -> None:
    """Refuse to learn one class; say which classes are tested without ever being learned."""
    labels, classes = store.arrays.labels, store.header.classes
    learned = labels[np.concatenate([rows["train"], rows["val"]])]
    _check_classes(store, learned, " in train and val")
    tested = np.setdiff1d(labels[rows["test"]], learned)
    if len(tested):
        logger.warning("no training clips of: %s; they can only be named wrongly in the test",
                       ", ".join(f"{classes[k]} ({(labels[rows['test']] == k).sum()} test clips)"
                                 for k in tested))


def _check_others(others: list[Store], store: Store) -> None:
    """Refuse the run's own data set as a background: its val and test clips would be learned."""
    for other in others:
        if other.header.name == store.header.name or other.header.files == store.header.files:
            raise SkelactError(f"expected a background of other data sets than {store.header.name}"
                               ", which this run is tested on; leave out --background "
                               f"{other.folder}")


def _fingerprint(stores: list[Store], rows: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for store in stores:
        files = sorted((name, facts["sha256"]) for name, facts in store.header.files.items())
        digest.update(repr((files, store.header.classes)).encode())
    for part in rows.values():
        digest.update(part.astype("<i8").tobytes() + b"|")
    return digest.hexdigest()


def _divide(store: Store, config: TrainConfig) -> dict[str, np.ndarray]:
    """Labelled rows of train, val and test, without those of `TrainConfig.exclude`."""
    columns = store.columns()
    kept = store.arrays.labels >= 0
    if config.exclude:
        kept &= ~_find_ids(config.exclude, np.asarray(columns["clip_id"]).astype(str))
    rows = {}
    for part in ("train", "val", "test"):
        split = f"{config.protocol}/{part}" if config.protocol else part
        try:
            chosen = select_rows(columns, split, dataset=store.header.name)
            rows[part] = chosen[kept[chosen]]
            if not len(rows[part]):
                raise SkelactError(f"no labelled clip is in the split {split} of {store.folder}")
        except SkelactError as error:
            if part != "val":
                raise
            if config.validate:
                raise SkelactError(f"{error}; --validate false trains without") from error
            rows[part] = np.empty(0, np.int64)
    return rows


def _find_ids(path: str, clip_ids: np.ndarray) -> np.ndarray:
    """``[L]`` bool: the file names the clip."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise FileFormatError(f"expected exclude as a text file of clip ids, one a line; "
                              f"{path} cannot be read ({error})") from error
    named = {line.strip() for line in lines if line.strip()}
    if unknown := named - set(clip_ids.tolist()):
        raise SkelactError(f"{path} names {len(unknown)} clips that are not in the data set, such "
                           f"as {min(unknown)}; its clips are called like {clip_ids[0]}")
    return np.isin(clip_ids, sorted(named))
