"""Which clips train, which select the model, and which are tested only at the end.

A split is named ``all``, ``<part>`` or ``<protocol>/<part>`` with the parts ``train``, ``val`` and
``test``, which never overlap. ``val`` is held out of train, by subject where a set has subjects, so
that the test split need not be looked at before the end. See `protocols` for what there is.
"""

import csv
import logging
import re
from collections.abc import Mapping

import numpy as np

from skelact.datasets.held_out import hold_out, number_column
from skelact.datasets.protocols import (
    EXEMPLARS,
    GENERAL,
    NOVEL_ACTIONS,
    PROTOCOLS,
    Lists,
    OneShot,
    Protocol,
    Rule,
    listed_protocols,
)
from skelact.datasets.readers.ntu_names import ntu_numbers
from skelact.errors import ChoiceError, FileFormatError, SkelactError

VAL_SHARE = 0.1
"""Of the training clips, about."""
TEST_SHARE = 0.2
"""Of all clips, where no protocol says who is tested."""
_PARTS = ("train", "val", "test")
logger = logging.getLogger("skelact")


def protocols(dataset: str = "", columns: Mapping | None = None) -> dict[str, str]:
    """What a data set can be divided by: name -> what it is, the default protocol first.

    Args:
        dataset: Its official name (``"ntu60"``, ``"ucf101"``, ...); any other is custom data.
        columns: As for `select_rows`; adds the protocols that the clips' own lists give.
    """
    known = PROTOCOLS.get(dataset, {})
    found = listed_protocols(_list_names(columns)) if columns is not None else {}
    named = known | found | known  # what is known of the set comes first and counts
    return {name: protocol.what for name, protocol in named.items()} | GENERAL


def select_rows(columns: Mapping, split: str, *, dataset: str = "", seed: int = 0) -> np.ndarray:
    """The clips of a split.

    Args:
        columns: What is known of the L clips: ``clip_id`` ``[L]`` str; ``label`` ``[L]`` int, -1
            for none; ``subject``, ``camera``, ``setup`` ``[L]`` int, -1 for unknown (each may be
            left out); ``splits``, L collections of str: the official lists that name the clip;
            ``source`` ``[L]`` str (may be left out): the video that a clip was cut from. Clips of
            one video stay together where parts are drawn without subjects.
        split: ``"all"``; ``"train"``, ``"val"`` or ``"test"`` of the data set's first protocol;
            ``"<protocol>/<part>"`` as `protocols` lists them (``"xview/test"``,
            ``"loso-3/train"``, ``"kfold5-1/val"``, ``"oneshot/exemplars"``,
            ``"my_split.csv/train"``); or the name of an official list (``"train1"``,
            ``"lists/val"``).
        dataset: Official name of the data set; any other is custom data. Custom data without
            lists is divided as ``drawn`` says.
        seed: Of the clips held out for ``val``. Test splits never depend on it.

    Returns:
        ``[K]`` int64 rows, rising.

    Raises:
        ChoiceError: There is no such split; the message lists those that exist.
        SkelactError: The clips do not say what the protocol needs, a clip stands in two parts,
            or no clip is in the split.
        FileFormatError: A CSV of clip_id and split is missing, malformed or of other clips.
    """
    mask = _select(_with_names(columns, dataset), split, dataset, seed)
    if not mask.any():
        raise SkelactError(f"no clip is in the split {split!r} of {_called(dataset)}; to be held "
                           "back by chance, a class needs four videos (one tests, one validates) "
                           "or the set two subjects (or say the split of every clip); "
                           f"there are: {', '.join(protocols(dataset, columns))}")
    return np.flatnonzero(mask)


def _select(columns: Mapping, split: str, dataset: str, seed: int) -> np.ndarray:
    """``[L]`` bool."""
    lists = _list_names(columns)
    if split == "all":
        return np.ones(len(columns["clip_id"]), bool)
    if split in lists and split not in _PARTS:
        return _in_lists(columns, {split})
    name, _, part = split.rpartition("/")
    if name == "lists":
        if part not in lists:
            raise ChoiceError(f"expected an official list out of {', '.join(sorted(lists))}; got "
                              f"{part!r}" if lists else f"the clips of {_called(dataset)} stand "
                              f"on no official list; got {split!r}")
        return _in_lists(columns, {part})
    if not name and part not in _PARTS:
        raise _unknown(split, dataset, columns)
    name = name or _default_protocol(columns, dataset)
    parts = _find_parts(columns, name, dataset, split)
    _check_disjoint(columns, parts, name)
    if part in ("train", "val") and "val" not in parts:
        parts["val"] = hold_out(columns, parts["train"], VAL_SHARE, seed)
        parts["train"] = parts["train"] & ~parts["val"]
    if part not in parts:
        listed = ", ".join(dict.fromkeys([*parts, "val"]))
        raise ChoiceError(f"expected a part of {name} out of {listed}; got {part!r}")
    return parts[part]


def _find_parts(columns: Mapping, name: str, dataset: str, split: str) -> dict[str, np.ndarray]:
    """Part -> ``[L]`` bool, of the protocol of that name."""
    if name.endswith(".csv"):
        return _list_parts({"splits": _read_lists(name, columns)}, Lists(
            name, frozenset({"train"}), frozenset({"test"}), frozenset({"val"})), name)
    if loso := re.fullmatch(r"loso-(\d+)", name):
        return _leave_one_out(columns, int(loso[1]))
    if kfold := re.fullmatch(r"kfold(\d+)-(\d+)", name):
        return _fold(columns, int(kfold[1]), int(kfold[2]))
    if name == "drawn":
        test = hold_out(columns, np.ones(len(columns["clip_id"]), bool), TEST_SHARE, seed=0)
        return {"train": ~test, "test": test}
    protocol = _protocol(columns, name, dataset, split)
    if isinstance(protocol, Rule):
        return _rule_parts(columns, protocol, name, dataset)
    if isinstance(protocol, OneShot):
        return _one_shot_parts(columns)
    return _list_parts(columns, protocol, name)


def _protocol(columns: Mapping, name: str, dataset: str, split: str) -> Protocol:
    """The fact about the data set; its clips' own lists where they say no more than those."""
    known, listed = PROTOCOLS.get(dataset, {}), listed_protocols(_list_names(columns))
    protocol = known.get(name) or listed.get(name)
    if protocol is None:
        raise _unknown(split, dataset, columns)
    if (isinstance(protocol, Rule) and name in listed
            and (number_column(columns, protocol.column) < 0).all()):
        return listed[name]
    return protocol


def _rule_parts(columns: Mapping, rule: Rule, name: str, dataset: str) -> dict[str, np.ndarray]:
    numbers = _known_numbers(columns, rule.column, f"{name} of {dataset}")
    parts = {part: np.isin(numbers, sorted(which))
             for part, which in (("train", rule.train), ("test", rule.test))}
    foreign = ~(parts["train"] | parts["test"])
    if foreign.any():
        raise SkelactError(f"clip {columns['clip_id'][foreign.argmax()]} has {rule.column} "
                           f"{numbers[foreign.argmax()]}, which {dataset} does not have; check "
                           "the name of the data set")
    if rule.among in _list_names(columns):
        used = _in_lists(columns, {rule.among})
        parts = {part: mask & used for part, mask in parts.items()}
    return parts


def _one_shot_parts(columns: Mapping) -> dict[str, np.ndarray]:
    actions = _known_numbers(columns, "action", "oneshot")
    novel = np.isin(actions, sorted(NOVEL_ACTIONS))
    exemplars = np.isin(np.asarray(columns["clip_id"]).astype(str), sorted(EXEMPLARS))
    return {"train": ~novel, "test": novel & ~exemplars, "exemplars": exemplars,
            "auxiliary": ~novel}


def _list_parts(columns: Mapping, lists: Lists, name: str) -> dict[str, np.ndarray]:
    parts = {part: _in_lists(columns, getattr(lists, part)) for part in _PARTS}
    if not (parts["train"].any() or parts["test"].any()):
        wanted = ", ".join(sorted(lists.train | lists.test))
        raise SkelactError(f"the protocol {name} needs the official lists {wanted}; no clip "
                           "stands on them")
    return {part: mask for part, mask in parts.items() if part != "val" or mask.any()}


def _leave_one_out(columns: Mapping, subject: int) -> dict[str, np.ndarray]:
    subjects = _known_numbers(columns, "subject", "leave one subject out")
    test = subjects == subject
    if not test.any():
        listed = ", ".join(map(str, np.unique(subjects)))
        raise ChoiceError(f"expected loso-<subject> with a subject out of {listed}; got "
                          f"loso-{subject}")
    return {"train": ~test, "test": test}


def _fold(columns: Mapping, folds: int, fold: int) -> dict[str, np.ndarray]:
    subjects = _known_numbers(columns, "subject", "k folds by subject")
    names, counts = np.unique(subjects, return_counts=True)
    if not 2 <= folds <= len(names) or not 1 <= fold <= folds:
        raise ChoiceError(f"expected kfold<k>-<i> with 2 <= k <= {len(names)} (subjects) and "
                          f"1 <= i <= k; got kfold{folds}-{fold}")
    sizes, mine = np.zeros(folds, np.int64), []
    for i in np.argsort(-counts, kind="stable"):  # the largest first, into the emptiest fold
        into = int(sizes.argmin())
        sizes[into] += counts[i]
        if into == fold - 1:
            mine.append(names[i])
    test = np.isin(subjects, mine)
    return {"train": ~test, "test": test}


def _default_protocol(columns: Mapping, dataset: str) -> str:
    if dataset in PROTOCOLS:
        if PROTOCOLS[dataset]:
            return next(iter(PROTOCOLS[dataset]))
        raise ChoiceError(f"{dataset} has no fixed train and test; take loso-<subject>/<part> or "
                          "kfold<k>-<i>/<part>, the part one of train, val, test")
    listed = listed_protocols(_list_names(columns))
    if "official" in listed or len(listed) == 1:
        return "official" if "official" in listed else next(iter(listed))
    if listed:
        raise ChoiceError(f"the clips carry several protocols; say which, such as "
                          f"{next(iter(listed))}/train, out of {', '.join(listed)}")
    return "drawn"


def _read_lists(path: str, columns: Mapping) -> list[tuple[str, ...]]:
    """The part of every clip by a table of clip_id and split; clips it does not name have none."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            if not {"clip_id", "split"} <= set(table.fieldnames or ()):
                raise FileFormatError(f"{path}: expected the columns clip_id and split, got "
                                      f"{', '.join(table.fieldnames or ()) or 'nothing'}")
            named: dict[str, str] = {}
            for row in table:
                if row["split"] not in _PARTS or row["clip_id"] in named:
                    raise FileFormatError(
                        f"{path}, line {table.line_num}: expected a clip_id not named before and "
                        f"a split out of {', '.join(_PARTS)}; got {row['clip_id']}, "
                        f"{row['split']}")
                named[row["clip_id"]] = row["split"]
    except (OSError, UnicodeError, csv.Error) as error:
        raise FileFormatError(f"{path} is no readable CSV of clip_id and split: {error}") from error
    absent = named.keys() - set(map(str, columns["clip_id"]))
    if len(absent) == len(named):
        raise FileFormatError(f"{path} names none of the clips of this data set (such as "
                              f"{columns['clip_id'][0]})")
    if absent:
        logger.warning("%s: %d of %d clips are not in the data set, such as %s", path, len(absent),
                       len(named), min(absent))
    return [(named[clip],) if clip in named else () for clip in map(str, columns["clip_id"])]


def _with_names(columns: Mapping, dataset: str) -> Mapping:
    """NTU RGB+D says in the names of its clips what the columns may not know."""
    if not dataset.startswith("ntu"):
        return columns
    numbers = [ntu_numbers(str(clip)) for clip in columns["clip_id"]]
    filled = dict(columns)
    for name in ("setup", "camera", "subject", "action"):
        named = np.array([clip.get(name, -1) for clip in numbers], np.int64)
        known = number_column(columns, name)
        filled[name] = np.where(known < 0, named, known)
    return filled


def _known_numbers(columns: Mapping, column: str, what: str) -> np.ndarray:
    numbers = number_column(columns, column)
    if (numbers < 0).any():
        first = columns["clip_id"][int((numbers < 0).argmax())]
        raise SkelactError(f"{what} needs the {column} of every clip; {(numbers < 0).sum():,} of "
                           f"{len(numbers):,} have none, such as {first}")
    return numbers


def _list_names(columns: Mapping) -> set[str]:
    return set().union(*map(set, set(map(tuple, columns.get("splits", ())))))


def _in_lists(columns: Mapping, names: set[str] | frozenset[str]) -> np.ndarray:
    return np.array([not names.isdisjoint(lists) for lists in columns["splits"]], bool)


def _check_disjoint(columns: Mapping, parts: dict[str, np.ndarray], name: str) -> None:
    shared = sum(parts[part].astype(int) for part in _PARTS if part in parts) > 1
    if shared.any():
        first = columns["clip_id"][int(shared.argmax())]
        raise SkelactError(f"{shared.sum():,} clips stand in several parts of {name}, such as "
                           f"{first}; a clip may be in one")


def _called(dataset: str) -> str:
    return dataset or "this data set"


def _unknown(split: str, dataset: str, columns: Mapping) -> ChoiceError:
    listed = ", ".join(protocols(dataset, columns))
    return ChoiceError(f"expected a split of {_called(dataset)}: all, train, val, test, or "
                       f"<protocol>/<part> with a protocol out of {listed}; got {split!r}")
