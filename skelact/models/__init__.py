"""Networks: one a file, one function each."""

from skelact.models.aa_gcn import aagcn
from skelact.models.ctr_gcn import ctrgcn
from skelact.models.dg_stgcn import dgstgcn
from skelact.models.joint_lstm import lstm
from skelact.models.joint_transformer import transformer
from skelact.models.ms_g3d import msg3d
from skelact.models.st_gcn import stgcn
from skelact.models.st_gcn_pp import stgcnpp

__all__ = ["aagcn", "ctrgcn", "dgstgcn", "lstm", "msg3d", "stgcn", "stgcnpp", "transformer"]
