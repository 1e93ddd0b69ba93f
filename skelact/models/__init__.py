"""Networks: one a file, one function each."""

from skelact.models.st_gcn import stgcn
from skelact.models.st_gcn_pp import stgcnpp

__all__ = ["stgcn", "stgcnpp"]
