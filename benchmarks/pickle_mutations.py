"""Damage pickles at random, load known attacks, and count what the readers make of them.

The pickles are small ones in the shapes of pyskl's and st-gcn's files, in several protocols.
Bytes are flipped, overwritten, cut, inserted, doubled and taken from other pickles. One child
process works through the cases and is started again where it dies; this process turns what comes
into recordings, as reading does. An audit hook in the child reports every event by which code
could run (exec, import, open for writing, os.system, subprocess, ...).

    python benchmarks/pickle_mutations.py --cases 100000
    python benchmarks/pickle_mutations.py --cases 5000 --baseline   (numpy's names in Python's own)
    python benchmarks/pickle_mutations.py --gadgets
"""

import argparse
import codecs
import io
import pickle
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.datasets.readers.pyskl import to_recording
from skelact.datasets.untrusted.plain_pickle import parse_pickle
from skelact.datasets.untrusted.pyskl_annotations import clips_of, read_annotations
from skelact.datasets.untrusted.sandbox import Message, read_in_child
from skelact.datasets.untrusted.stgcn_labels import labels_of
from skelact.errors import FileFormatError, SkelactError

MEMORY, SECONDS = 2**30, 30.0
_EVENTS = ("exec", "compile", "import", "open", "os.", "subprocess.", "socket.", "ctypes.",
           "pickle.", "marshal.", "shutil.", "code.__new__", "function.__new__")


KEYPOINTS = {"abc": {"keypoint": np.random.default_rng(0).uniform(0.5, 200, (12, 17, 3))}}
"""What lies in the ``kpfiles`` of the Kinetics sample."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000, help="damaged pickles to read")
    parser.add_argument("--seed", type=int, default=0, help="number of the first case")
    parser.add_argument("--baseline", action="store_true",
                        help="read with Python's own unpickler, limited to numpy's names")
    parser.add_argument("--gadgets", action="store_true",
                        help="load known attacks instead: with pickle.loads, then with ours")
    options = parser.parse_args()
    print(f"python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}")
    if options.gadgets:
        raise SystemExit(try_gadgets())
    start = time.perf_counter()
    outcomes = campaign(options.seed, options.cases, options.baseline)
    for outcome, count in outcomes.most_common():
        print(f"{count:8d}  {outcome}")
    seconds = time.perf_counter() - start
    print(f"{options.cases} cases in {seconds:.0f} s ({options.cases / seconds:.0f} a second)")
    raise SystemExit(any(outcome.startswith("BUG") for outcome in outcomes))


def campaign(first: int, cases: int, baseline: bool = False) -> Counter:
    """Outcomes of so many damaged pickles."""
    import pickle_mutations  # by its name, because the child cannot import __main__

    outcomes, case, last = Counter(), first, first + cases
    function = pickle_mutations.attempt_baseline if baseline else pickle_mutations.attempt_cases
    while case < last:
        messages = read_in_child(function, __file__, memory=MEMORY, seconds=SECONDS + cases / 100,
                                 first=case, last=last)
        try:
            for facts, arrays in messages:
                outcome = facts.get("outcome") or receive(facts, arrays)
                if outcome:
                    outcomes[outcome] += 1
                for event in facts.get("events", ()):
                    outcomes[f"BUG: event {event} (seed {facts['case']})"] += 1
                case = facts["case"] + bool(facts.get("outcome"))
        except FileFormatError as error:
            outcomes[f"the child died: {str(error).split(': ', 1)[1][:90]}"] += 1
            case += 1
    return outcomes


def receive(facts: dict, arrays: dict[str, np.ndarray]) -> str:
    """Make the recording of a clip, as `read_pyskl` does; says what it found."""
    if "clip_id" not in facts:
        return ""
    try:
        recording = to_recording(facts, arrays, None, None, None)
        recording.joints()
    except SkelactError:
        return "- clips refused as recordings"
    except Exception as error:
        return f"BUG: {type(error).__name__}: {error} (seed {facts['case']})"
    return "- clips read as recordings"


def attempt_cases(path: str, first: int, last: int) -> Iterator[Message]:
    """Read damaged pickles; this runs in the child."""
    originals, events = samples(), []
    for content in originals:  # what Python imports at first use, such as codecs, is no event
        parse_pickle(content)
    for codec in ("utf-8", "utf-32-le", "utf-32-be", "latin-1", "raw-unicode-escape"):
        codecs.lookup(codec)
    sys.addaudithook(lambda event, details: is_action(event, details) and events.append(event))
    for case in range(first, last):
        content = damage(originals, case)
        events.clear()
        try:
            tree = parse_pickle(content)
            if type(tree) is tuple:
                labels_of(tree)
            else:
                for facts, arrays in clips_of(tree, lambda name: KEYPOINTS):
                    yield facts | {"case": case}, arrays
            outcome = "file read"
        except FileFormatError:
            outcome = "file refused"
        except Exception as error:
            outcome = f"BUG: {type(error).__name__}: {error} (seed {case})"
        yield {"case": case, "outcome": outcome, "events": sorted(set(events))}, {}


def is_action(event: str, details: tuple) -> bool:
    """Whether an audit event is one by which code could run or a file change."""
    return event.startswith(_EVENTS) and not (event == "open" and details[1] in ("r", "rb"))


def attempt_baseline(path: str, first: int, last: int) -> Iterator[Message]:
    """The same with Python's unpickler and an allow-list of numpy's names."""
    originals = samples()
    for case in range(first, last):
        yield {"case": case - 1}, {}  # should this case end the process
        try:
            NumpyOnly(io.BytesIO(damage(originals, case))).load()
            outcome = "file read"
        except Exception as error:
            outcome = f"file refused ({type(error).__name__})"
        yield {"case": case, "outcome": outcome}, {}


class NumpyOnly(pickle.Unpickler):
    """What is usually advised: only numpy's names are looked up."""

    def find_class(self, module: str, name: str):
        """Numpy's own function of that name, or an error."""
        if (module.split(".")[0], name) not in {
                ("numpy", "ndarray"), ("numpy", "dtype"), ("numpy", "_reconstruct"),
                ("numpy", "scalar"), ("numpy", "_frombuffer"), ("_codecs", "encode")}:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def samples() -> list[bytes]:
    """Pickles as people have them, only smaller, so that damage often hits the structure."""
    random = np.random.default_rng(0)

    def clip(i: int, joints: int, channels: int) -> dict:
        facts = {"frame_dir": f"S001C001P001R001A{i + 1:03}", "label": i, "total_frames": 2,
                 "keypoint": random.random((1, 2, joints, channels)).astype(np.float16)}
        if channels == 2:
            facts |= {"img_shape": (1080, 1920), "original_shape": (1080, 1920),
                      "keypoint_score": random.random((1, 2, joints)).astype(np.float16)}
        return facts

    three = [clip(i, 25, 3) for i in range(3)]
    two = [clip(i, 17, 2) for i in range(3)]
    lists = {"xsub_train": [three[0]["frame_dir"]], "xsub_val": [c["frame_dir"] for c in three[1:]]}
    with_numpy = [c | {"label": np.int64(c["label"]), "keypoint": np.asfortranarray(c["keypoint"])}
                  for c in two]
    kinetics = [{"frame_dir": "abc", "label": 1, "total_frames": 12, "img_shape": (240, 320),
                 "raw_file": "part_0.pkl", "frame_inds": np.arange(12, dtype=np.int16),
                 "box_score": np.ones(12, np.float16), "valid": {0.5: 12}}]
    labels = ([f"S001C001P001R001A{i:03}.skeleton" for i in range(20)], list(range(20)))
    dumps = [pickle.dumps({"split": lists, "annotations": three}, p) for p in (2, 3, 4, 5)]
    dumps += [pickle.dumps({"split": lists, "annotations": two}, p) for p in (0, 4, 5)]
    dumps += [pickle.dumps(with_numpy, p) for p in (2, 4, 5)]
    dumps += [pickle.dumps(kinetics, p) for p in (2, 4)]
    return dumps + [pickle.dumps(labels, p) for p in (0, 2, 4)]


def damage(originals: list[bytes], case: int) -> bytes:
    """One damaged pickle; the same for the same case."""
    random = np.random.default_rng(case)
    data = bytearray(originals[random.integers(len(originals))])
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        place, length = int(random.integers(len(data))), int(random.integers(1, 40))
        match random.integers(7):
            case 0:
                data[place] ^= 1 << random.integers(8)
            case 1:
                data[place] = random.integers(256)
            case 2:
                data[place : place + length] = random.bytes(min(length, len(data) - place))
            case 3:
                del data[place : place + length]
            case 4:
                data[place:place] = data[place : place + length]
            case 5:
                other = originals[random.integers(len(originals))]
                start = int(random.integers(len(other)))
                data[place:place] = other[start : start + length]
            case 6:
                del data[max(place, 1) :]
        if not data:
            break
    return bytes(data)


def try_gadgets() -> int:
    """Load every known attack: live with pickle.loads, harmless with the reader?"""
    from pickle_gadgets import bombs, code_gadgets

    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        canary, file = Path(folder) / "canary", Path(folder) / "attack.pkl"
        gadgets = code_gadgets(canary)
        live = 0
        for name, content in (gadgets | bombs()).items():
            file.write_bytes(content)
            refused, seconds = _try_reader(file)
            touched = _remove(canary)
            failures += touched or not refused
            if name in gadgets:
                subprocess.run([sys.executable, "-c", f"import pickle; pickle.load("
                                f"open({str(file)!r}, 'rb'))"], capture_output=True, check=False)
                fires = _remove(canary)
                live += fires
                name += "" if fires else " (does not fire under pickle.load here)"
            verdict = "RAN" if touched else "refused" if refused else "READ"
            print(f"{verdict:8s} {seconds:5.1f} s  {name}: {refused}")
    print(f"{len(gadgets)} code gadgets, {live} of them fire under pickle.load, and {len(bombs())} "
          f"bombs; {failures} failures")
    return failures


def _try_reader(file: Path) -> tuple[str, float]:
    """What the reader refuses for (empty if it is content), and the seconds it took."""
    start, message, clips = time.perf_counter(), "", 0
    try:
        for facts, _ in read_in_child(read_annotations, file, memory=MEMORY, seconds=SECONDS):
            message = facts.get("refused", message)
            clips += "clip_id" in facts
        message = "" if clips else message
    except FileFormatError as error:
        message = str(error).removeprefix(f"{file}: ")[:100]
    return message, time.perf_counter() - start


def _remove(canary: Path) -> bool:
    if canary.is_dir():
        canary.rmdir()
        return True
    existed = canary.exists()
    canary.unlink(missing_ok=True)
    return existed


if __name__ == "__main__":
    main()
