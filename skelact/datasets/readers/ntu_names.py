"""What the names of NTU RGB+D samples say: ``SsssCcccPpppRrrrAaaa``."""

import re
from collections.abc import Sequence

from skelact.datasets.readers.ntu_classes import NTU120_CLASSES

_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})")
_FIELDS = ("setup", "camera", "subject", "repetition", "action")


def ntu_numbers(name: str) -> dict[str, int]:
    """Setup, camera, subject, repetition and action (from 1), if a name begins as those of NTU."""
    found = _NAME.match(name)
    return dict(zip(_FIELDS, map(int, found.groups()), strict=True)) if found else {}


def ntu_facts(clip_id: str) -> dict[str, int]:
    """The same as labels of a recording: without the action, which is its class."""
    return {name: number for name, number in ntu_numbers(clip_id).items() if name != "action"}


def is_ntu_name(name: str) -> bool:
    """Whether ``name`` is that of a sample, such as ``S001C002P003R002A013``."""
    return (_NAME.fullmatch(name) is not None
            and 1 <= ntu_numbers(name)["action"] <= len(NTU120_CLASSES))


def known_names(clip_id: str, number: int) -> Sequence[str] | None:
    """The class names of NTU where a clip is named as there and its class is the one it names."""
    action = ntu_numbers(clip_id).get("action")
    return NTU120_CLASSES if action == number + 1 <= len(NTU120_CLASSES) else None
