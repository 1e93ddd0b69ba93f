"""The published protocols of data sets, as facts: who or what is trained on, who is tested."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NTU60_TRAIN = {1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38}
_NTU120_TRAIN = _NTU60_TRAIN | {
    45, 46, 47, 49, 50, *range(52, 60), 70, 74, 78, *range(80, 87), 89, *range(91, 96),
    97, 98, 100, 103,
}
NOVEL_ACTIONS = frozenset(range(1, 120, 6))
"""NTU RGB+D 120 one-shot: A1, A7, ..., A115 are the classes to be told from one example."""
EXEMPLARS = frozenset(f"S{1 if action <= 60 else 18:03}C003P008R001A{action:03}"
                      for action in NOVEL_ACTIONS)
"""NTU RGB+D 120 one-shot: the published example of each novel class."""


@dataclass(frozen=True)
class Rule:
    """Train and test told apart by one number of every clip.

    Args:
        what: The protocol in one line.
        column: ``"subject"``, ``"camera"`` or ``"setup"``.
        train: Numbers of the training clips.
        test: Numbers of the test clips.
        among: Official list to which papers restrict the protocol, where the set carries it.
    """

    what: str
    column: str
    train: frozenset[int]
    test: frozenset[int]
    among: str = ""


@dataclass(frozen=True)
class Lists:
    """Train and test as published lists of clips.

    Args:
        what: The protocol in one line.
        train: Names of the lists of training clips.
        test: Names of the lists of test clips.
        val: Names of the lists to select models by; none: held out of train.
    """

    what: str
    train: frozenset[str]
    test: frozenset[str]
    val: frozenset[str] = frozenset()


@dataclass(frozen=True)
class OneShot:
    """Novel classes to be told from one example each, after training on the others."""

    what: str


Protocol = Rule | Lists | OneShot
_LIST = re.compile(r"(?:(.+)_)?(train|val|test)(\d*)")


def _rule(what: str, column: str, train, everything, among: str = "") -> Rule:
    return Rule(what, column, frozenset(train), frozenset(everything) - frozenset(train), among)


def _numbered(count: int) -> dict[str, Lists]:
    return {f"split{i}": Lists(f"official split {i} of {count}", frozenset({f"train{i}"}),
                               frozenset({f"test{i}"})) for i in range(1, count + 1)}


def _judged_by_val(what: str) -> dict[str, Lists]:
    """The labels of the official test list are not public: papers report the validation list."""
    return {"official": Lists(f"{what}; test = the official validation list, as in papers",
                              frozenset({"train"}), frozenset({"val"}))}


PROTOCOLS: dict[str, dict[str, Protocol]] = {
    "ntu60": {
        "xsub": _rule("cross-subject: 20 subjects train, 20 test; 40,091 / 16,487 clips",
                      "subject", _NTU60_TRAIN, range(1, 41)),
        "xview": _rule("cross-view: cameras 2, 3 train, 1 tests; 37,646 / 18,932 clips",
                       "camera", (2, 3), range(1, 4)),
    },
    "ntu120": {
        "xsub": _rule("cross-subject: 53 subjects train, 53 test; 63,026 / 50,919 clips",
                      "subject", _NTU120_TRAIN, range(1, 107)),
        "xset": _rule("cross-setup: even setups train, odd test; 54,468 / 59,477 clips",
                      "setup", range(2, 33, 2), range(1, 33)),
        "oneshot": OneShot("one-shot: 100 auxiliary classes train, 20 novel ones (A1, A7, ..., "
                           "A115) are tested from one exemplar each"),
    },
    "nw_ucla": {
        "xview": _rule("cross-view: views 1, 2 train, 3 tests; 1,020 / 464 clips (95 of them "
                       "stand in both views 2 and 3)", "camera", (1, 2), (1, 2, 3)),
    },
    "utd_mhad": {
        "xsub": _rule("cross-subject: odd subjects train, even test; 431 / 430 clips",
                      "subject", (1, 3, 5, 7), range(1, 9)),
    },
    "msr_action3d": {
        "xsub": _rule("cross-subject: odd subjects train, even test, over the 557 files that "
                      "papers use", "subject", (1, 3, 5, 7, 9), range(1, 11), among="used"),
    },
    "penn_action": {
        "official": Lists("official lists; 1,258 / 1,068 clips", frozenset({"train"}),
                          frozenset({"test"})),
    },
    "pku_mmd": {
        "xview": _rule("cross-view: cameras 2 (middle), 3 (right) train, 1 (left) tests",
                       "camera", (2, 3), (1, 2, 3)),
    },
    "precog16": {},  # leave one subject out is its protocol
    "ucf101": _numbered(3),
    "hmdb51": _numbered(3),
    "kinetics400": _judged_by_val("official lists"),
    "kinetics600": _judged_by_val("official lists"),
    "kinetics700": _judged_by_val("official lists"),
    "kinetics_skeleton": _judged_by_val("official lists"),
    "something_something_v2": _judged_by_val("official lists"),
    "epic_kitchens100": _judged_by_val("official lists by video"),
    "activitynet": _judged_by_val("official subsets by video"),
    "ava": _judged_by_val("official lists by video"),
    "ava_kinetics": _judged_by_val("official lists by video"),
}
"""Data set -> protocols by name; the first is meant by plain ``train``, ``val`` and ``test``."""

GENERAL = {
    "all": "every clip",
    "loso-<subject>": "leave one subject out: that subject tests, the others train",
    "kfold<k>-<i>": "k folds by subject, as equal in clips as they can be: fold i of 1..k tests",
    "drawn": "a fifth of the subjects (of each class, where a set has no subjects) tests; the "
             "same fifth for every seed",
    "lists/<name>": "the clips of one official list, as published",
    "<file>.csv": "the lists of a table with the columns clip_id and split (train, val, test)",
}
"""What every data set offers, if its clips say what it needs."""


def listed_protocols(names: Iterable[str]) -> dict[str, Lists]:
    """The protocols that names of lists make up.

    ``train`` and ``test`` are ``official``, ``train1`` and ``test1`` are ``split1``, ``xsub_train``
    and ``xsub_val`` are ``xsub``. The val list of a cross-subject, -view or -set protocol is its
    test list, as pyskl has it.
    """
    roles: dict[str, dict[str, str]] = {}
    for listed in sorted(names):
        if match := _LIST.fullmatch(listed):
            prefix, role, number = match.groups()
            name = (prefix or ("split" if number else "official")) + number
            judged = prefix in ("xsub", "xview", "xset") and role == "val"
            roles.setdefault(name, {})["test" if judged else role] = listed
    return {name: Lists(f"lists {', '.join(of.values())}", *(
                frozenset({of[part]} if part in of else ()) for part in ("train", "test", "val")))
            for name, of in roles.items() if "train" in of}
