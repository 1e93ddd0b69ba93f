"""Leave one data set out: train on all but one, test on the one."""

from collections.abc import Sequence
from pathlib import Path

from skelact.config import TrainConfig
from skelact.errors import SkelactError
from skelact.experiments.cross_domain import open_together, run_pairs
from skelact.experiments.matrix import Matrix
from skelact.experiments.options import Options


def run_leave_one_out(
    folders: Sequence[str | Path], output: str | Path, config: TrainConfig,
    options: Options = Options(),  # noqa: B008 - frozen
    overwrite: bool = False, resume: bool = False,
) -> Matrix:
    """Train on all data sets but one, on the classes that the one has and any other; test on it.

    Args:
        folders: Two stores or more.
        output: The folder to write; see `skelact.experiments.cross_domain`.
        config: Settings of every run.
        options: How data sets are made comparable, and what is measured.
        overwrite: Begin anew.
        resume: Go on.

    Raises:
        SkelactError: Fewer than two data sets; or see `run_cross_domain`.
    """
    domains = open_together(folders, options)
    if len(domains) < 2:
        raise SkelactError(f"expected two data sets or more to leave one out of, got "
                           f"{len(domains)}")
    pairs = [([domain for domain in domains if domain is not target], target)
             for target in domains]
    return run_pairs(pairs, output, config, options, overwrite, resume)
