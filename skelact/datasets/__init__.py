"""Labelled skeleton data sets."""

from typing import TYPE_CHECKING

__all__ = ["Dataset", "load_dataset"]

if TYPE_CHECKING:
    from skelact.datasets.dataset import Dataset, load_dataset


def __getattr__(name: str):
    if name not in __all__:  # only these need torch; reading data does not
        raise AttributeError(f"module 'skelact.datasets' has no attribute {name!r}")
    from skelact.datasets import dataset

    return getattr(dataset, name)
