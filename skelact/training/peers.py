"""What processes of one run say to each other beside gradients: who is there, and who is lost.

Everything goes through the store at which torchrun lets them meet. It is kept by torchrun itself,
so that it outlives a process that dies.
"""

import os
import signal
import socket
import threading
import time
from datetime import timedelta
from pathlib import Path

from torch.distributed import DistError, Store, TCPStore

from skelact.errors import one_line

_PATIENCE = 3.0
"""Seconds in which a process that has lost contact, too, says so."""


def introduce(store: Store, rank: int) -> None:
    """Say where this process runs, so that others can tell whether it still does."""
    store.set(f"process/{rank}", f"{socket.gethostname()} {os.getpid()}")


def is_about_contact(error: RuntimeError) -> bool:
    """Whether another process could not be reached, in a step that all take together."""
    # gloo has no type of error of its own, only the names of its source files
    return isinstance(error, DistError) or "gloo" in str(error)


def explain_loss(store: Store, rank: int, size: int, error: RuntimeError) -> str:
    """Which process of how many is lost, in one line, as the one of this rank sees it.

    Called when nothing is left but to say it and end: torchrun's request to end is ignored from
    now on, since it mostly comes before the line.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    lost = " and ".join(map(str, _find_lost(store, rank, size))) or "some"
    return (f"process {lost} of {size} (counted from 0) died or does not answer "
            f"({_cause(error)}); its own message, if it had one, stands above, without one it "
            "may have been killed for its memory; --resume goes on from the last checkpoint")


def _cause(error: RuntimeError) -> str:
    """What the transport says, without its source file, addresses and advice."""
    words = one_line(error)
    known = ("Connection reset by peer", "Connection closed by peer", "Timed out", "Broken pipe")
    return next((cause for cause in known if cause in words), words)


def _find_lost(store: Store, rank: int, size: int) -> list[int]:
    """Ranks that died on this machine, else those that have not lost contact, too, by now."""
    silent, end = list(range(size)), time.monotonic() + _PATIENCE
    try:
        store.set(f"lost/{rank}", "")
        while time.monotonic() < end:
            silent = [other for other in silent if not store.check([f"lost/{other}"])]
            dead = [other for other in silent if _is_dead(store, other)]
            if dead or len(silent) < 2:
                return dead or silent
            time.sleep(0.05)
    except RuntimeError:
        return []  # who kept the store is gone
    return silent


def _is_dead(store: Store, rank: int) -> bool:
    """The process ran on this machine and is gone, or a zombie; only Linux tells."""
    host, pid = store.get(f"process/{rank}").decode().split()
    if host != socket.gethostname() or not Path("/proc/self/stat").is_file():
        return False
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return status.rpartition(")")[2].split()[0] in "ZX"


def is_first_to_say(message: str) -> bool:
    """Whether no other process that torchrun started has asked this about the same message.

    What is wrong in every process is said once. Where the processes cannot ask each other, each
    is the first.
    """
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return True
    try:
        store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]),
                         is_master=False, timeout=timedelta(seconds=5))
        return store.add(f"skelact/said/{message}", 1) == 1
    except (KeyError, ValueError, RuntimeError):
        return True
