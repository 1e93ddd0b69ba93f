"""Where and with what a run was made; nothing about who made it."""

import os
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

import skelact
from skelact.version import __version__


def describe_environment() -> dict:
    """Versions, machine and command line, as plain values.

    Host and user names are left out; paths stand there only as the user typed them.
    """
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": _command(),
        "skelact": __version__,
        "commit": find_commit(Path(skelact.__file__).parents[1]),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "cuda": torch.version.cuda,
        "numpy": np.__version__,
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu_name(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "processes": int(os.environ.get("WORLD_SIZE", 1)),  # torchrun sets it
    }


def find_commit(folder: str | Path) -> str | None:
    """The git commit of a checkout, with ``+changes`` if files differ from it; else None."""
    if not (Path(folder) / ".git").exists():  # an installed package, maybe in another's checkout
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    changes = commit and _git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}+changes" if changes else commit


def _git(folder: str | Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "--no-optional-locks", "-C", str(folder), *words],
                              capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _command() -> str:
    """The command line without the folder that the program lies in."""
    program = Path(sys.argv[0]).name
    return shlex.join(["skelact" if program == "__main__.py" else program, *sys.argv[1:]])


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines()
             if line.startswith("model name")] if info.is_file() else []
    return names[0] if names else platform.processor()
