"""Arrow columns that grow on disk: a table of any length is written in a fixed amount of memory.

Every column appends raw values to a scratch file. When the table is complete, the files are mapped
and written as one record batch, so that a reader maps each column as one array.
"""

import io
import mmap
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

_PIECE = 8 << 20
"""Bytes written before the pages that they were read from are given back."""


class Spool:
    """One array on disk that grows at its end.

    Args:
        path: The scratch file.
        dtype: Of the values.
    """

    def __init__(self, path: Path, dtype: type):
        self.dtype = np.dtype(dtype)
        self._path, self._map = path, None
        self._file = open(path, "wb", buffering=1 << 16)  # noqa: SIM115, closed by map()

    def append(self, values) -> None:
        """Add values, flattened in C order."""
        self._file.write(np.ascontiguousarray(values, self.dtype).data)

    def map(self) -> np.ndarray:
        """All values ``[n]``, memory-mapped; nothing can be added any more."""
        self.close()
        if not self._path.stat().st_size:
            return np.empty(0, self.dtype)
        with open(self._path, "rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return np.frombuffer(self._map, self.dtype)

    def release(self) -> None:
        """Give the pages read so far back to the system, where it lets us."""
        if self._map is not None and hasattr(self._map, "madvise"):
            self._map.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Close the scratch file."""
        self._file.close()


class NumberColumn:
    """A number, or so many numbers, in each row.

    Args:
        path: The scratch file.
        dtype: Of the values.
        null: What the raw buffer holds where a row is None; without it None is refused.
        width: Numbers a row.
    """

    def __init__(self, path: Path, dtype: type, null: float | None = None, width: int = 1):
        self._null, self._width, self._values = null, width, Spool(path, dtype)
        self.spools = (self._values,)

    def append(self, value) -> None:
        """Add a row."""
        self._values.append((self._null,) * self._width if value is None else value)

    def finish(self) -> pa.Array:
        """The column, null where None was added."""
        values = self._values.map()
        rows = len(values) // self._width
        validity = None
        if self._null is not None:
            validity = _bitmap((values != self._null).reshape(rows, self._width)[:, 0])
        if self._width == 1:
            return _plain(values, validity)
        type_ = pa.list_(pa.from_numpy_dtype(values.dtype), self._width)
        return pa.Array.from_buffers(type_, rows, [validity], children=[_plain(values)])


class TextColumn:
    """Strings, one a row.

    Args:
        path: The scratch file.
    """

    def __init__(self, path: Path):
        self._bytes = Spool(path.with_suffix(".bytes"), np.uint8)
        self._ends = _Offsets(path.with_suffix(".ends"))
        self.spools = (self._bytes, self._ends)

    def append(self, value: str) -> None:
        """Add a row."""
        encoded = value.encode("utf-8")
        self._bytes.append(np.frombuffer(encoded, np.uint8))
        self._ends.advance(len(encoded))

    def finish(self) -> pa.Array:
        """The column."""
        ends, text = self._ends.map(), self._bytes.map()
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(text)]
        return pa.Array.from_buffers(pa.large_utf8(), len(ends) - 1, buffers)


class ChoiceColumn:
    """A name or None in each row, out of few; stored as int64 indices (-1 for None).

    Args:
        path: The scratch file.
        names: Shared by the columns that draw from the same names; in order of appearance.
    """

    def __init__(self, path: Path, names: dict[str, int]):
        self._names, self._rows = names, Spool(path, np.int64)
        self.spools = (self._rows,)

    def append(self, name: str | None) -> None:
        """Add a row."""
        row = -1 if name is None else self._names.setdefault(name, len(self._names))
        self._rows.append(row)

    def finish(self, order: Sequence[str] | None = None) -> pa.Array:
        """The column as an Arrow dictionary.

        Args:
            order: All names, as their indices shall be; by default in order of appearance.
        """
        order = list(self._names if order is None else order)
        where = {name: i for i, name in enumerate(order)}
        lookup = np.array([where[name] for name in self._names] + [-1], np.int64)
        rows = lookup[self._rows.map()]  # -1 finds the last entry
        type_ = pa.dictionary(pa.int64(), pa.large_utf8())
        buffers = [_bitmap(rows >= 0), pa.py_buffer(rows)]
        names = pa.array(order, pa.large_utf8())
        return pa.DictionaryArray.from_buffers(type_, len(rows), buffers, names)


class ListColumn:
    """A list of numbers, or of fixed-size rows of numbers, in each row; or None.

    Args:
        path: The scratch file.
        dtype: Of the numbers.
        width: Numbers an item; 0 for plain numbers.
    """

    def __init__(self, path: Path, dtype: type, width: int = 0):
        self._width = width
        self._values = Spool(path.with_suffix(".values"), dtype)
        self._ends = _Offsets(path.with_suffix(".ends"))
        self._present = Spool(path.with_suffix(".present"), np.bool_)
        self.spools = (self._values, self._ends, self._present)

    def append(self, items: np.ndarray | None) -> None:
        """Add a row: ``[n]``, or ``[n, width]``, or None."""
        if items is not None and len(items):
            self._values.append(items)
        self._ends.advance(0 if items is None else len(items))
        self._present.append(items is not None)

    def finish(self) -> pa.Array:
        """The column."""
        values = self._values.map()
        child = _plain(values)
        if self._width:
            child = pa.FixedSizeListArray.from_arrays(child, self._width)
        ends, present = self._ends.map(), self._present.map()
        validity = None if present.all() else _bitmap(present)
        return pa.Array.from_buffers(pa.large_list(child.type), len(ends) - 1,
                                     [validity, pa.py_buffer(ends)], children=[child])


class ChoiceListColumn:
    """Any number of names in each row, out of few.

    Args:
        path: The scratch file.
    """

    def __init__(self, path: Path):
        self._choices = ChoiceColumn(path, {})
        self._ends = _Offsets(path.with_suffix(".ends"))
        self.spools = (*self._choices.spools, self._ends)

    def append(self, names: Sequence[str]) -> None:
        """Add a row."""
        for name in names:
            self._choices.append(name)
        self._ends.advance(len(names))

    def finish(self) -> pa.Array:
        """The column."""
        ends, child = self._ends.map(), self._choices.finish()
        return pa.Array.from_buffers(pa.large_list(child.type), len(ends) - 1,
                                     [None, pa.py_buffer(ends)], children=[child])


Column = NumberColumn | TextColumn | ChoiceColumn | ListColumn | ChoiceListColumn


def write_table(
    path: Path, columns: Mapping[str, pa.Array], spools: Iterable[Spool]
) -> None:
    """Write columns of one length as an Arrow IPC file of a single record batch.

    Args:
        path: The file to write.
        columns: Names and finished columns.
        spools: What the columns are mapped from; their pages are given back on the way.
    """
    batch = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
    with (_ReleasingFile(path, list(spools)) as sink,
          pa.ipc.new_file(pa.PythonFile(sink, "w"), batch.schema) as writer):
        writer.write_batch(batch)
        writer.close()
        os.fsync(sink.fileno())


class _Offsets(Spool):
    """Where each row ends: 0, then a running total."""

    def __init__(self, path: Path):
        super().__init__(path, np.int64)
        self._total = 0
        self.append(0)

    def advance(self, length: int) -> None:
        self._total += length
        self.append(self._total)


class _ReleasingFile(io.FileIO):
    """A file whose writes do not leave the mapped pages they come from in memory."""

    def __init__(self, path: Path, spools: list[Spool]):
        super().__init__(path, "w")
        self._spools = spools

    def write(self, data) -> int:
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view):
            done += super().write(view[done : done + _PIECE])
            if len(view) > _PIECE:
                for spool in self._spools:
                    spool.release()
        return done


def _plain(values: np.ndarray, validity: pa.Buffer | None = None) -> pa.Array:
    type_ = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(type_, len(values), [validity, pa.py_buffer(values)])


def _bitmap(valid: np.ndarray) -> pa.Buffer | None:
    return None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
