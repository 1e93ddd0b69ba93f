"""Keeps a foreign library's import from changing the process it is imported into.

Observed of ultralytics 8.4: it phones home, installs packages with pip, runs code from weights
files and writes a settings folder unless the environment says otherwise at import; and it changes
thread counts, print options of numpy and torch, environment variables and ``torch.save``.
"""

import contextlib
import dataclasses
import os
from collections.abc import Iterator

import numpy as np

from skelact.pose.estimators.weights import cache_folder

_QUIET = {
    "YOLO_OFFLINE": "1",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_VERBOSE": "false",
    "ULTRALYTICS_SAFE_LOAD": "1",
}


@contextlib.contextmanager
def contained() -> Iterator[None]:
    """Import and call a pose library inside; everything global is as before afterwards."""
    import cv2
    import torch

    environment = dict(os.environ)
    options = np.get_printoptions()
    torch_options = dataclasses.asdict(torch._tensor_str.PRINT_OPTS)
    save, threads, cv2_threads = torch.save, torch.get_num_threads(), cv2.getNumThreads()
    safe_globals = torch.serialization.get_safe_globals()
    os.environ.update(_QUIET)
    os.environ.setdefault("YOLO_CONFIG_DIR", str(cache_folder() / "ultralytics"))
    try:
        yield
    finally:
        _restore_environment(environment)
        np.set_printoptions(**options)
        torch.set_printoptions(**torch_options)
        torch.save = save
        torch.set_num_threads(threads)
        cv2.setNumThreads(cv2_threads)
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(safe_globals)


def _restore_environment(before: dict[str, str]) -> None:
    for name in set(os.environ) - set(before):
        del os.environ[name]
    for name, value in before.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
