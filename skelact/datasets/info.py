"""What is in a store: a page of text and a picture."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.datasets.splits import GENERAL, protocols, select_rows
from skelact.datasets.store import Store
from skelact.errors import SkelactError
from skelact.output import atomic_write

_SHOWN = 12
_BLOCK = 1 << 16
_BLUE, _GREY, _ORANGE = "#0072b2", "#999999", "#d55e00"


def describe(folder: str | Path) -> str:
    """Classes, subjects, lengths, missing joints, layout, splits and frame rates of a store.

    Raises:
        FileFormatError: The folder is no store, or damaged.
    """
    store = Store(folder)
    header, columns = store.header, store.columns()
    lines = [("name", header.name), *_made(store), *_clips(store), *_people(store, columns),
             *_times(store), ("layout", f"{header.layout.name}, {header.layout.num_joints} joints, "
                                        f"{header.dims}-D"),
             *_missing(store), *_classes(store), *_splits(store, columns)]
    return "\n".join(f"{name:>14}  {text}" for name, text in lines)


def draw_overview(folder: str | Path, path: str | Path, overwrite: bool = False) -> Path:
    """Draw a store as PNG: clips a class, lengths, people, missing joints, sample skeletons.

    Args:
        folder: The store.
        path: The ``.png`` to write.
        overwrite: Replace an existing file.

    Raises:
        FileFormatError: The folder is no store, or damaged.
        OutputExistsError: ``path`` exists and ``overwrite`` is false.
        SkelactError: ``path`` does not end in ``.png``.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if Path(path).suffix.lower() != ".png":
        raise SkelactError(f"expected a .png file to draw to, got {path}")
    store = Store(folder)
    figure = Figure(figsize=(15, 9), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3)
    counts = store.header.counts
    figure.suptitle(f"{store.header.name}: {counts['clips']} clips, {counts['tracks']} tracks, "
                    f"layout {store.header.layout.name}, {store.header.dims}-D")
    _draw_classes(axes[0, 0], store)
    _draw_lengths(axes[0, 1], store)
    _draw_subjects(axes[0, 2], store)
    _draw_missing(axes[1, 0], store)
    for axis, share in zip(axes[1, 1:], (0.25, 0.75), strict=True):
        _draw_skeleton(axis, store, int(share * (len(store) - 1)))
    with atomic_write(path, overwrite) as temporary:
        figure.savefig(temporary, dpi=100)
    return Path(path)


def missing_rates(store: Store) -> np.ndarray:
    """``[N]`` share of all frames of tracks in which a joint is missing; NaN without frames."""
    joints = store.arrays.joints
    missing = np.zeros(store.header.layout.num_joints, np.int64)
    for start in range(0, len(joints), _BLOCK):
        missing += np.isnan(joints[start : start + _BLOCK, :, 0]).sum(axis=0)
    return missing / len(joints) if len(joints) else np.full(len(missing), np.nan)


def class_counts(store: Store) -> np.ndarray:
    """``[K]`` labelled clips of each class; annotations where clips carry no labels."""
    labels = store.arrays.labels
    if (labels < 0).all():
        labels = store.annotation_labels()
    return np.bincount(labels[labels >= 0], minlength=len(store.header.classes))


def split_sizes(store: Store, columns: dict) -> Iterator[tuple[str, dict[str, int]]]:
    """Protocols of a store, each with the clips of its parts."""
    for name in protocols(store.header.name, columns):
        if name in GENERAL and name != "drawn":
            continue
        try:
            yield name, {part: len(select_rows(columns, f"{name}/{part}",
                                               dataset=store.header.name))
                         for part in ("train", "val", "test")}
        except SkelactError:
            continue  # the clips do not say what this protocol needs


def _made(store: Store) -> Iterator[tuple[str, str]]:
    header = store.header
    profile = f", profile {header.profile}" if header.profile else ""
    yield "made from", f"{header.format or 'recordings'}{profile}, by skelact " \
                       f"{header.skelact_version}"


def _clips(store: Store) -> Iterator[tuple[str, str]]:
    counts, people = store.header.counts, np.diff(store.arrays.clip_offsets)
    yield "clips", f"{counts['clips']} with {counts['tracks']} tracks of {counts['frames']} frames"
    if len(people):
        yield "people a clip", f"{people.min()} to {people.max()}, mean {people.mean():.2f}"
    if counts["annotations"]:
        yield "annotations", f"{counts['annotations']} labelled parts of " \
                             f"{store.annotated().sum()} clips"


def _people(store: Store, columns: dict) -> Iterator[tuple[str, str]]:
    for name in ("subject", "camera", "setup"):
        known = np.unique(columns[name][columns[name] >= 0])
        if len(known):
            yield f"{name}s", f"{len(known)}: {_shorten(known)}"


def _times(store: Store) -> Iterator[tuple[str, str]]:
    frames, fps = store.arrays.num_frames, store.arrays.fps
    if len(frames):
        low, middle, high = np.percentile(frames, [0, 50, 100]).astype(int)
        yield "frames", f"{low} to {high}, median {middle}; {(frames / fps).sum() / 60:.1f} minutes"
        rates = ", ".join(f"{rate:g}" for rate in np.unique(fps.round(3))[:_SHOWN])
        assumed = " (assumed, the source states none)" if store.header.fps_assumed else ""
        yield "fps", rates + assumed


def _missing(store: Store) -> Iterator[tuple[str, str]]:
    rates = missing_rates(store)
    if not np.isfinite(rates).all() or not rates.any():
        yield "missing joints", "none"
        return
    order = [i for i in np.argsort(-rates, kind="stable") if rates[i] > 0]
    worst = ", ".join(f"{store.header.layout.joints[i]} {rates[i]:.2%}" for i in order[:_SHOWN])
    more = ", ..." if len(order) > _SHOWN else ""
    yield "missing joints", f"{rates.mean():.2%} of all; {worst}{more}"


def _classes(store: Store) -> Iterator[tuple[str, str]]:
    counts = class_counts(store)
    yield "classes", str(len(counts))
    for i, (name, count) in enumerate(zip(store.header.classes, counts, strict=True)):
        yield str(i), f"{name}  {count}"


def _splits(store: Store, columns: dict) -> Iterator[tuple[str, str]]:
    for name, sizes in split_sizes(store, columns):
        yield "split", f"{name}: " + ", ".join(f"{part} {n}" for part, n in sizes.items())
    for name, count in store.header.splits.items():
        yield "official list", f"{name}: {count}"


def _shorten(numbers: np.ndarray) -> str:
    words = [str(n) for n in numbers]
    return ", ".join(words if len(words) <= 2 * _SHOWN else [*words[:_SHOWN], "...", words[-1]])


def _draw_classes(axis, store: Store) -> None:
    counts = class_counts(store)
    axis.barh(np.arange(len(counts)), counts, color=_BLUE)
    axis.invert_yaxis()
    if len(counts) <= 60:
        axis.set_yticks(np.arange(len(counts)), store.header.classes,
                        fontsize=9 if len(counts) <= 20 else 5)
    else:
        axis.set_ylabel("class")
    axis.set_title("clips a class" if (store.arrays.labels >= 0).any() else "annotations a class")


def _draw_lengths(axis, store: Store) -> None:
    axis.hist(store.arrays.num_frames, bins=50, color=_BLUE)
    axis.set(title="length of the clips", xlabel="frames", ylabel="clips")


def _draw_subjects(axis, store: Store) -> None:
    columns = store.columns()
    for name in ("subject", "camera", "setup"):
        if (columns[name] >= 0).any():
            numbers, counts = np.unique(columns[name], return_counts=True)
            axis.bar(np.arange(len(numbers)), counts, color=_BLUE)
            if len(numbers) <= 40:
                axis.set_xticks(np.arange(len(numbers)), [n if n >= 0 else "?" for n in numbers],
                                fontsize=8)
            axis.set(title=f"clips a {name}", xlabel=name)
            return
    people = np.bincount(np.diff(store.arrays.clip_offsets))
    axis.bar(np.arange(len(people)), people, color=_BLUE)
    axis.set(title="people a clip (subjects are not known)", xlabel="people", ylabel="clips")


def _draw_missing(axis, store: Store) -> None:
    rates = np.nan_to_num(missing_rates(store))
    names = store.header.layout.joints
    axis.barh(np.arange(len(names)), 100 * rates, color=_ORANGE)
    axis.invert_yaxis()
    axis.set_yticks(np.arange(len(names)), names, fontsize=8 if len(names) <= 33 else 3)
    axis.set_xlim(0, max(1.0, 105 * rates.max()))
    axis.set(title="missing joints", xlabel="% of frames")


def _draw_skeleton(axis, store: Store, row: int) -> None:
    """The middle frame of a clip, seen from the front: blue the person's own left."""
    recording, layout = store.recording(row), store.header.layout
    frame = recording.num_frames // 2
    for track in recording.tracks:
        if not len(track):
            continue
        nearest = int(np.abs(track.frame_index - frame).argmin())
        joints = track.joints[:, :2, nearest]
        for bone in layout.bones:
            sides = {layout.joints[i].split("_")[0] for i in bone}
            colour = _BLUE if "left" in sides else _ORANGE if "right" in sides else _GREY
            axis.plot(*joints[list(bone)].T, color=colour, linewidth=2)
    axis.set_aspect("equal", adjustable="datalim")
    if store.header.dims == 2:
        axis.invert_yaxis()
    label = recording.labels.get("label") or "untrimmed"
    axis.set_title(f"{recording.labels['clip_id']}: {label}, frame {frame}", fontsize=10)
