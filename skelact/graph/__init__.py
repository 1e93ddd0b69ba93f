"""Skeleton layouts and the partitioned graph."""

from skelact.graph.graph import Graph
from skelact.graph.layouts import Layout, builtin_layouts, get_layout

__all__ = ["Graph", "Layout", "builtin_layouts", "get_layout"]
