"""Published protocols as lists of clips, for formats that carry nothing else."""

import logging
from collections.abc import Mapping

from skelact.datasets.protocols import PROTOCOLS, Rule
from skelact.datasets.splits import select_rows
from skelact.errors import SkelactError

_log = logging.getLogger(__name__)


def published_lists(columns: Mapping, dataset: str) -> list[list[str]]:
    """The lists that name each clip: its own, and those that the rules of the data set make.

    The latter are called as in pyskl: ``xsub_train`` (with what `select_rows` holds out of it for
    ``val``) and ``xsub_val``, which is the test split. A protocol that the clips do not say enough
    for is left out, which is logged.

    Args:
        columns: As for `skelact.datasets.splits.select_rows`.
        dataset: Official name of the data set; other data has no rules.
    """
    lists = [list(names) for names in columns["splits"]]
    known = set().union(*lists)
    for name, protocol in PROTOCOLS.get(dataset, {}).items():
        if isinstance(protocol, Rule) and not known & {f"{name}_train", f"{name}_val"}:
            _add(lists, columns, dataset, name)
    return lists


def _add(lists: list[list[str]], columns: Mapping, dataset: str, name: str) -> None:
    rows, errors = {}, []
    for part in ("train", "val", "test"):
        try:
            rows[part] = select_rows(columns, f"{name}/{part}", dataset=dataset).tolist()
        except SkelactError as error:  # also for a part without clips
            errors.append(error)
    if not rows:
        _log.warning("the lists of %s are left out: %s", name, errors[0])
    for part, found in rows.items():
        for row in found:
            lists[row].append(f"{name}_{'val' if part == 'test' else 'train'}")
