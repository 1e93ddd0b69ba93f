"""Skeleton-based action recognition: video to who does what, when.

Joints are ``[..., N, C, T]`` everywhere: joints, channels, frames. Public names load on first
use, so ``import skelact`` stays quick and has no side effect.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from skelact.version import __version__

_HOMES = {
    "Graph": "skelact.graph.graph",
    "Layout": "skelact.graph.layouts",
    "PoseTrack": "skelact.pose.recording",
    "Recording": "skelact.pose.recording",
    "STGCN": "skelact.nn.stgcn",
    "SkelactError": "skelact.errors",
    "Recognizer": "skelact.recognition.recognizer",
    "extract": "skelact.pose.extract",
    "load_model": "skelact.models.checkpoint",
    "load_recording": "skelact.pose.files",
    "remap": "skelact.transforms.remap",
    "save_recording": "skelact.pose.files",
}

__all__ = [
    "STGCN",
    "Graph",
    "Layout",
    "PoseTrack",
    "Recognizer",
    "Recording",
    "SkelactError",
    "__version__",
    "extract",
    "load_model",
    "load_recording",
    "remap",
    "save_recording",
]

if TYPE_CHECKING:
    from skelact.errors import SkelactError
    from skelact.graph.graph import Graph
    from skelact.graph.layouts import Layout
    from skelact.models.checkpoint import load_model
    from skelact.nn.stgcn import STGCN
    from skelact.pose.extract import extract
    from skelact.pose.files import load_recording, save_recording
    from skelact.pose.recording import PoseTrack, Recording
    from skelact.recognition.recognizer import Recognizer
    from skelact.transforms.remap import remap


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'skelact' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
