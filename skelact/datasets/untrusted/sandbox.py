"""Hostile files are read in a child process with little memory and little time.

A reading function runs in a fresh interpreter and yields ``(facts, arrays)``: plain JSON values
and numpy arrays. They come over a pipe, one clip at a time, as JSON and raw bytes that this side
checks before it makes an array; nothing is unpickled. Whatever happens to the child (out of
memory, out of time, crash) becomes one `FileFormatError` that names the file.

The limits: address space and processor seconds on Linux, processor seconds only on macOS and the
BSDs, and everywhere the seconds that this side waits for the next clip. Where the platform knows
no memory limit, a warning says so once.
"""

import json
import logging
import math
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from skelact.errors import FileFormatError

Message = tuple[dict, dict[str, np.ndarray]]
"""What a reading function yields, and what arrives: JSON values, and arrays by name."""

MEMORY = 2 * 2**30
"""Bytes that reading may take, beside three times the size of the file."""
SECONDS = 60.0
"""Seconds that reading may take, beside one for every 5 MB of the file."""
_DTYPES = {"|b1", *(f"<{kind}{size}" for kind in "iu" for size in (2, 4, 8)), "|i1", "|u1",
           "<f2", "<f4", "<f8"}
_MAX_FACTS = 2**28
_LAST_WORDS = 2**24
_START = ("import json, sys; request = json.loads(sys.argv[1]); sys.path[:] = request['path']; "
          "from skelact.datasets.untrusted.sandbox import serve; serve(request)")
_log = logging.getLogger(__name__)
_warned: set[str] = set()


def read_in_child(
    function: Callable[..., Iterator[Message]], path: str | Path, *, memory: float | None = None,
    seconds: float | None = None, **options
) -> Iterator[Message]:
    """Run ``function(path, **options)`` in a child process and give what it yields.

    Args:
        function: Defined at the top of an importable module, which should import little: its
            imports are most of the time that the child takes to start (0.2 s).
        path: The file or folder to read.
        memory: Bytes that it may take; by default `MEMORY` and three times the file.
        seconds: Processor seconds in all, and seconds to wait for each clip; by default
            `SECONDS` and one more for every 5 MB of the file.
        options: Further arguments; plain JSON values.

    Raises:
        FileFormatError: The function raised one (its message follows the file's name), or the
            child died, ran out of memory or time, or sent something else than it should.
    """
    if function.__module__ == "__main__":
        raise ValueError(f"{function.__name__} must stand in a module that the child can import")
    size = _size(Path(path))
    memory = MEMORY + 3 * size if memory is None else memory
    seconds = SECONDS + size / 5e6 if seconds is None else seconds
    _warn_where_unlimited()
    request = {"path": [str(Path(__file__).parents[2]), *filter(None, sys.path)],
               "module": function.__module__, "function": function.__name__, "file": str(path),
               "options": options, "memory": int(memory + size), "seconds": math.ceil(seconds)}
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _START, json.dumps(request)], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | _ONE_THREAD,
        bufsize=2**17)
    patience = _Patience(child, seconds)
    try:
        while True:
            with patience:
                message = _receive(child.stdout, memory)
            if message is None:
                return
            yield message
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from None
    except EOFError:
        raise FileFormatError(f"{path}: {_obituary(child, patience, memory)}") from None
    finally:
        patience.stop()
        child.kill()
        child.stdout.close()
        child.wait()


_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class _Patience:
    """Kills the child when this side has waited for it too long (inside the ``with``)."""

    def __init__(self, child: subprocess.Popen, seconds: float):
        self.lost = False
        self._child, self._seconds = child, seconds
        self._since, self._done = None, threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(self, *_) -> None:
        self._since = None

    def stop(self) -> None:
        self._done.set()

    def _watch(self) -> None:
        while not self._done.wait(min(0.5, self._seconds / 4)):
            since = self._since
            if since is not None and time.monotonic() - since > self._seconds:
                self.lost = True
                self._child.kill()
                return


def _receive(pipe, memory: float) -> Message | None:
    """The next message; None at the end.

    Raises:
        EOFError: The pipe ended within or before a message.
        FileFormatError: The child reports what is wrong with the file, or is not to be trusted.
    """
    (length,) = struct.unpack("<I", _read(pipe, 4))
    if length > _MAX_FACTS:
        raise FileFormatError(f"its facts take {length} bytes; at most {_MAX_FACTS} are read")
    try:
        head = json.loads(_read(pipe, length))
        if "error" in head:
            raise FileFormatError(str(head["error"]))
        if head.get("end"):
            return None
        shapes = {name: (_check_dtype(dtype), tuple(map(_check_side, shape)))
                  for name, dtype, shape in head["arrays"]}
        facts = dict(head["facts"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"the reading process sent nonsense ({error})") from None
    total = sum(math.prod(shape) * dtype.itemsize for dtype, shape in shapes.values())
    if total > memory:
        raise FileFormatError(f"a clip takes {total} bytes; at most {int(memory)} are read")
    return facts, {name: _read_array(pipe, *rest) for name, rest in shapes.items()}


def _check_dtype(name: str) -> np.dtype:
    if name not in _DTYPES:
        raise ValueError(f"dtype {name!r}")
    return np.dtype(name)


def _check_side(side) -> int:
    if type(side) is not int or side < 0:
        raise ValueError(f"side {side!r}")
    return side


def _read(pipe, count: int) -> bytes:
    content = pipe.read(count)
    if len(content) < count:
        raise EOFError
    return content


def _read_array(pipe, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    array = np.empty(shape, dtype)
    if array.size and pipe.readinto(memoryview(array).cast("B")) < array.nbytes:
        raise EOFError
    return array


def _obituary(child: subprocess.Popen, patience: _Patience, memory: float) -> str:
    """Why the pipe ended."""
    code = child.wait()
    if patience.lost or code == -24:  # SIGXCPU
        return "reading it took too long; it is damaged, hostile or very large"
    if code == -9:
        return (f"reading it was ended from outside (out of memory? {memory / 2**30:.1f} GiB are "
                "allowed)")
    died = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"reading it crashed the process that tried ({died}); it is damaged or hostile"


def _size(path: Path) -> int:
    """Bytes of a file (of the files in a folder)."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    if not path.is_file():
        raise FileFormatError(f"no file at {path}")
    return path.stat().st_size


def _warn_where_unlimited() -> None:
    if sys.platform != "linux" and "memory" not in _warned:
        _warned.add("memory")
        _log.warning("this platform has no memory limit for processes: a hostile file may take "
                     "all memory while it is read")


def serve(request: dict) -> None:
    """The child's side: run the function under limits and write what it yields to the pipe.

    Args:
        request: As `read_in_child` made it.
    """
    pipe = os.fdopen(os.dup(1), "wb", buffering=2**17)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a stray print must not get among the messages
    module = __import__(request["module"], fromlist=[request["function"]])
    function = getattr(module, request["function"])
    try:
        _limit(request["memory"], request["seconds"])
        for facts, arrays in function(request["file"], **request["options"]):
            _send(pipe, facts, arrays)
        _send_head(pipe, {"end": True})
    except FileFormatError as error:
        _send_head(pipe, {"error": str(error)})
    except MemoryError:
        _allow_last_words()
        gibibytes = request["memory"] / 2**30
        _send_head(pipe, {"error": f"reading it takes more than {gibibytes:.1f} GiB of memory"})
    except BrokenPipeError:
        os._exit(0)  # the other side has seen enough
    except Exception as error:
        _send_head(pipe, {"error": f"it cannot be read ({type(error).__name__}: {error})"})
    pipe.flush()
    os._exit(0)  # no time for freeing a million objects one by one


def _send(pipe, facts: dict, arrays: dict[str, np.ndarray]) -> None:
    # little endian and contiguous, as the other side expects them
    plain = {name: np.asarray(array, array.dtype.newbyteorder("<"), order="C")
             for name, array in arrays.items()}
    _send_head(pipe, {"facts": facts, "arrays": [
        (name, array.dtype.str, array.shape) for name, array in plain.items()]})
    for array in plain.values():
        if array.size:
            pipe.write(memoryview(array).cast("B"))
    pipe.flush()  # what was read arrives even if the next clip ends the child


def _send_head(pipe, head: dict) -> None:
    content = json.dumps(head).encode("ascii")
    pipe.write(struct.pack("<I", len(content)) + content)


def _limit(memory: int, seconds: int) -> None:
    """Take no more memory and time than this from now on, and write no files."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit + _LAST_WORDS))


def _allow_last_words() -> None:
    """Room to report that there is no more room."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
