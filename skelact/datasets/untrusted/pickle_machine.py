"""The operations of a pickle that lay out plain data; see `plain_pickle`."""

import codecs
import struct

from skelact.datasets.untrusted.pickled_arrays import (
    PickledArray,
    PickledDtype,
    PickledName,
    call,
    kind_of,
)
from skelact.errors import FileFormatError

_REFUSED = {
    "i": "INST", "o": "OBJ", "\x81": "NEWOBJ", "\x92": "NEWOBJ_EX", "P": "PERSID",
    "Q": "BINPERSID", "\x82": "EXT1", "\x83": "EXT2", "\x84": "EXT4", "\x97": "NEXT_BUFFER",
    "\x98": "READONLY_BUFFER", "\x8f": "EMPTY_SET", "\x90": "ADDITEMS", "\x91": "FROZENSET",
}


class Machine:
    """Reads operations from ``data`` at ``at``; ``start`` is where the current one began."""

    def __init__(self, data: memoryview):
        self.data, self.at, self.start = data, 0, 0
        self.stack, self.marked, self.memo = [], [], {}

    def run(self):
        """The value that the operations lay out."""
        data, steps = self.data, _STEPS
        while True:
            self.start = self.at
            code = data[self.at]
            self.at += 1
            if code == 0x2E:  # STOP
                break
            step = steps.get(code)
            if step is None:
                raise FileFormatError(_unknown(code))
            step(self)
        value = self.stack.pop()
        if self.stack or self.marked:
            raise FileFormatError("the pickle ends with values left over (file damaged)")
        if type(value) is PickledArray:
            raise FileFormatError("the pickle ends with an array without contents")
        return value

    def take(self, count: int) -> memoryview:
        """The next ``count`` bytes."""
        end = self.at + count
        if end > len(self.data):
            raise FileFormatError(f"expected {count} more bytes, got {len(self.data) - self.at} "
                                  "(file truncated or damaged)")
        part = self.data[self.at : end]
        self.at = end
        return part

    def number(self, size: int) -> int:
        """A length or index: ``size`` bytes, little endian."""
        return int.from_bytes(self.take(size), "little")

    def line(self, limit: int = 2**24) -> bytes:
        """The bytes up to the next line end, as the text protocol 0 writes them."""
        for size in (256, limit):
            part = bytes(self.data[self.at : self.at + size])
            if (end := part.find(b"\n")) >= 0:
                self.at += end + 1
                return part[:end]
        raise FileFormatError("a line does not end (file damaged)")

    def pop_marked(self) -> list:
        """What was pushed since the last mark."""
        items, self.stack = self.stack, self.marked.pop()
        return items


def _unknown(code: int) -> str:
    name = _REFUSED.get(chr(code))
    if name is None:
        return f"0x{code:02x} is no pickle operation (damaged, or no pickle)"
    return f"the operation {name} makes objects; only plain data is read"


def _push(value):
    return lambda machine: machine.stack.append(value)


def _push_number(layout: str):
    form = struct.Struct(layout)

    def step(machine: Machine) -> None:
        machine.stack.append(form.unpack(machine.take(form.size))[0])
    return step


def _push_text(length_bytes: int, encoding: str):
    def step(machine: Machine) -> None:
        machine.stack.append(str(machine.take(machine.number(length_bytes)), encoding))
    return step


def _push_bytes(length_bytes: int):
    def step(machine: Machine) -> None:
        machine.stack.append(machine.take(machine.number(length_bytes)))
    return step


def _put(index_bytes: int):
    def step(machine: Machine) -> None:
        machine.memo[machine.number(index_bytes)] = machine.stack[-1]
    return step


def _get(index_bytes: int):
    def step(machine: Machine) -> None:
        _recall(machine, machine.number(index_bytes))
    return step


def _recall(machine: Machine, index: int) -> None:
    if index not in machine.memo:
        raise FileFormatError(f"value {index} is used before it is given (file damaged)")
    value = machine.memo[index]
    if type(value) is PickledArray and value.value is not None:
        value = value.value
    machine.stack.append(value)


def _memoize(machine: Machine) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


def _short_long(length_bytes: int):
    def step(machine: Machine) -> None:
        size = machine.number(length_bytes)
        if size > 16:
            raise FileFormatError(f"expected a number of at most 16 bytes, got {size}")
        machine.stack.append(int.from_bytes(machine.take(size), "little", signed=True))
    return step


def _int_line(machine: Machine) -> None:
    text = machine.line(64)
    known = {b"00": False, b"01": True}
    machine.stack.append(known[text] if text in known else int(text.rstrip(b"L")))


def _float_line(machine: Machine) -> None:
    machine.stack.append(float(machine.line(64)))


def _string_line(machine: Machine) -> None:
    text = machine.line()
    if len(text) < 2 or text[:1] not in b"'\"" or text[-1:] != text[:1]:
        raise FileFormatError("a text lacks its quotes (file damaged)")
    machine.stack.append(codecs.escape_decode(text[1:-1])[0].decode("latin-1"))


def _unicode_line(machine: Machine) -> None:
    text = machine.line().decode("raw-unicode-escape")
    text.encode("utf-8")  # refuses half characters, which no file or table can hold
    machine.stack.append(text)


def _mark(machine: Machine) -> None:
    machine.marked.append(machine.stack)
    machine.stack = []


def _pop(machine: Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.pop_marked()


def _tuple(size: int):
    def step(machine: Machine) -> None:
        if len(machine.stack) < size:
            raise IndexError
        items = tuple(machine.stack[-size:])
        del machine.stack[-size:]
        machine.stack.append(items)
    return step


def _marked_tuple(machine: Machine) -> None:
    items = machine.pop_marked()
    machine.stack.append(tuple(items))


def _marked_list(machine: Machine) -> None:
    items = machine.pop_marked()
    machine.stack.append(items)


def _marked_dict(machine: Machine) -> None:
    items = machine.pop_marked()
    machine.stack.append({})
    _set_pairs(machine, items)


def _append(machine: Machine) -> None:
    value = machine.stack.pop()
    _extend(machine, [value])


def _extend(machine: Machine, items: list) -> None:
    target = machine.stack[-1]
    if type(target) is not list:
        raise FileFormatError(f"expected a list to add to, got {kind_of(target)}")
    target.extend(items)


def _set_item(machine: Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    _set_pairs(machine, [key, value])


def _set_pairs(machine: Machine, items: list) -> None:
    target = machine.stack[-1]
    if type(target) is not dict or len(items) % 2:
        raise FileFormatError(f"expected a dict and pairs, got {kind_of(target)} and {len(items)}")
    for key in items[::2]:  # the hash of anything nested may run deep enough to crash Python
        if type(key) not in (str, int, float):
            raise FileFormatError(f"expected text or a number as a key, got {kind_of(key)}")
    target.update(zip(items[::2], items[1::2], strict=True))


def _global_line(machine: Machine) -> None:
    module, name = (str(machine.line(4096), "utf-8") for _ in range(2))
    machine.stack.append(PickledName(module, name))


def _stack_global(machine: Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    if type(name) is not str or type(module) is not str:
        raise FileFormatError("expected the name of a Python object as text")
    machine.stack.append(PickledName(module, name))


def _reduce(machine: Machine) -> None:
    arguments, name = machine.stack.pop(), machine.stack.pop()
    if type(name) is not PickledName or type(arguments) is not tuple:
        raise FileFormatError(f"expected a name to call, got {kind_of(name)}")
    machine.stack.append(call(name.word, arguments))


def _build(machine: Machine) -> None:
    """The second half of a type or an array."""
    state, target = machine.stack.pop(), machine.stack.pop()
    if type(target) not in (PickledArray, PickledDtype) or type(state) is not tuple:
        raise FileFormatError(f"expected an array to fill, got {kind_of(target)}")
    machine.stack.append(target.fill(state))


_STEPS = {ord(code): step for code, step in {
    "\x80": lambda m: m.take(1), "\x95": lambda m: m.take(8),  # PROTO, FRAME
    "N": _push(None), "\x88": _push(True), "\x89": _push(False),
    "I": _int_line, "L": _int_line, "F": _float_line, "S": _string_line, "V": _unicode_line,
    "K": _push_number("<B"), "M": _push_number("<H"), "J": _push_number("<i"),
    "G": _push_number(">d"), "\x8a": _short_long(1), "\x8b": _short_long(4),
    "X": _push_text(4, "utf-8"), "\x8c": _push_text(1, "utf-8"), "\x8d": _push_text(8, "utf-8"),
    "U": _push_text(1, "latin-1"), "T": _push_text(4, "latin-1"),
    "B": _push_bytes(4), "C": _push_bytes(1), "\x8e": _push_bytes(8), "\x96": _push_bytes(8),
    "(": _mark, "0": _pop, "1": lambda m: m.pop_marked(),
    "2": lambda m: m.stack.append(m.stack[-1]),
    "]": lambda m: m.stack.append([]), "}": lambda m: m.stack.append({}),
    ")": _push(()), "\x85": _tuple(1), "\x86": _tuple(2), "\x87": _tuple(3),
    "t": _marked_tuple, "l": _marked_list, "d": _marked_dict,
    "a": _append, "e": lambda m: _extend(m, m.pop_marked()),
    "s": _set_item, "u": lambda m: _set_pairs(m, m.pop_marked()),
    "p": lambda m: m.memo.__setitem__(int(m.line(32)), m.stack[-1]), "q": _put(1), "r": _put(4),
    "g": lambda m: _recall(m, int(m.line(32))), "h": _get(1), "j": _get(4), "\x94": _memoize,
    "c": _global_line, "\x93": _stack_global, "R": _reduce, "b": _build,
}.items()}
