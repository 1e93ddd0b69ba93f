"""Clips kept back by chance: by subject where there are subjects, else the same of every class."""

from collections.abc import Mapping

import numpy as np

from skelact.datasets.whole_videos import find_videos


def hold_out(columns: Mapping, among: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Clips to keep back: whole subjects, or (without subjects) the same share of every class.

    With one subject, or clips whose subject is unknown, there is no whole subject to keep back.

    Args:
        columns: As for `select_rows`.
        among: ``[L]`` bool, the clips to choose from.
        share: About which part of them.
        seed: Of the choice; it does not depend on the order of the clips.

    Returns:
        ``[L]`` bool.
    """
    rows = np.flatnonzero(among)
    subjects = number_column(columns, "subject")[rows]
    draw = np.random.default_rng(seed)
    if (subjects >= 0).all() and len(np.unique(subjects)) > 1:
        chosen = np.isin(subjects, _draw_subjects(subjects, share, draw))
    else:
        chosen = _draw_of_each_class(columns, rows, share, draw)
    held = np.zeros(len(among), bool)
    held[rows[chosen]] = True
    return held


def _draw_subjects(subjects: np.ndarray, share: float, draw: np.random.Generator) -> list[int]:
    """Subjects in random order, each taken if that brings the number of clips nearer."""
    names, counts = np.unique(subjects, return_counts=True)
    wanted, order = share * len(subjects), draw.permutation(len(names))
    chosen, total = [], 0
    for i in order:
        if abs(total + counts[i] - wanted) < abs(total - wanted):
            chosen.append(int(names[i]))
            total += counts[i]
    # Where every subject is more than twice the share, one is still kept back.
    return chosen or [int(names[order[np.argmin(np.abs(counts[order] - wanted))]])]


def _draw_of_each_class(
    columns: Mapping, rows: np.ndarray, share: float, draw: np.random.Generator
) -> np.ndarray:
    """``[len(rows)]`` bool; of a class of three or more videos at least one is taken.

    The clips of a video are taken together, and those of any other source. Fewer than three of
    these are files that hold a whole data set: there every clip is for itself.
    """
    units = np.asarray(columns["clip_id"])[rows].astype(str)
    if "source" in columns:
        sources = np.asarray(columns["source"])[rows].astype(str)
        if len(np.unique(sources)) >= 3:
            units = np.where(sources == "", units, sources)
        videos = find_videos(sources)
        units = np.where(videos == "", units, videos)
    _, first, unit = np.unique(units, return_index=True, return_inverse=True)
    labels = number_column(columns, "label")[rows]
    mixed = np.zeros(len(first), bool)
    mixed[unit[labels != labels[first][unit]]] = True
    classes = np.unique(np.where(mixed, -1, labels[first]), return_inverse=True)[1]
    order = np.lexsort((draw.random(len(first)), classes))
    counts = np.bincount(classes)
    rank = np.empty(len(first), np.int64)
    rank[order] = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    wanted = np.rint(share * counts)
    wanted = np.where(counts >= 3, np.maximum(wanted, 1), wanted)
    return (rank < wanted[classes])[unit]


def number_column(columns: Mapping, name: str) -> np.ndarray:
    """``[L]`` int64, -1 where unknown; all of it where there is no such column."""
    absent = np.full(len(columns["clip_id"]), -1, np.int64)
    return np.asarray(columns.get(name, absent)).astype(np.int64)
