"""Networks: one a file, one function each."""

from skelact.models.st_gcn import stgcn

__all__ = ["stgcn"]
