"""How long the review of a data set takes, how large its page is, how smoothly it plays.

    python benchmarks/review.py [--clips 2000] [--classes 60] [--frames 60] [--watch 5]
    python benchmarks/review.py --store STORE

Writes a store of made-up clips (or takes one that is there), its contact sheet, its page and a
store with corrections, opens the page in headless Chromium that draws without a GPU, and prints
seconds, sizes and pictures a second.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from crowds import crowd

from skelact.cli.store_views import draw_store, review_store
from skelact.datasets.corrections import Correction, Corrections, apply_corrections
from skelact.datasets.store import Store, StoreWriter
from skelact.pose.recording import PoseTrack, Recording

WATCH = """seconds => new Promise((done) => {
    const { seen } = skelact.gallery;
    const draws = () => [...seen].reduce((sum, { stage }) => sum + (stage?.draws ?? 0), 0);
    const [before, began] = [draws(), performance.now()];
    setTimeout(() => {
        const each = (draws() - before) / seen.size;
        done({cards: seen.size, pictures: 1000 * each / (performance.now() - began)});
    }, 1000 * seconds);
})"""

FILTER = """(() => { const began = performance.now();
    document.getElementById("show").value = "flagged";
    skelact.gallery.filter();
    return performance.now() - began; })()"""

DRAWN = "Boolean(window.skelact && [...skelact.gallery.seen].some(({ stage }) => stage))"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--classes", type=int, default=60)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--store", help="measure this one instead")
    parser.add_argument("--watch", type=float, default=5.0, help="seconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(options, Path(folder))


def measure(options, folder: Path) -> None:
    """Print every figure."""
    path = Path(options.store or folder / "store")
    if not options.store:
        took, _ = timed(lambda: make_store(path, options))
        print(f"store of {options.clips} clips made in {took}")
    store = Store(path)
    took, sheets = timed(lambda: draw_store(path, folder / "sheet.png"))
    size = sum(sheet.stat().st_size for sheet in sheets)
    print(f"contact sheet: {len(sheets)} pictures, {size / 1e6:.2f} MB, {took}")
    took, (page, findings) = timed(lambda: review_store(path, folder / "page.html"))
    print(f"page: {page.clips} of {page.total} clips, {page.size / 1e6:.2f} MB, {took}, "
          f"{len(findings)} findings")
    ids = store.columns()["clip_id"]
    drops = tuple(Correction(str(clip), drop=True) for clip in ids[::100])
    took, done = timed(lambda: apply_corrections(
        path, Corrections(store.header.fingerprint, drops), folder / "new"))
    print(f"applied: {done.dropped} of {done.before} clips dropped in {took}")
    watch(page.path, options.watch)


def make_store(path: Path, options) -> None:
    """One person who moves all the time, cut into clips that differ."""
    person = crowd(seconds=120, people=1, dims=3, layout="ntu25").tracks[0]
    index, times = np.arange(options.frames), np.arange(options.frames) / 30
    with StoreWriter(path) as writer:
        for i in range(options.clips):
            begin = 7 * i % (len(person) - options.frames)
            joints = person.joints[..., begin : begin + options.frames] + 1e-4 * i
            writer.add(Recording(
                (PoseTrack(1, joints, index),), times, "ntu25", dims=3, fps=30.0,
                labels={"clip_id": f"clip{i}", "label": f"class_{i % options.classes}",
                        "subject": i % 40}))
        writer.finish()


def watch(page: Path, seconds: float) -> None:
    """Open the page and let it play."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program,
                                             args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        began = time.perf_counter()
        tab.goto(page.as_uri())
        while not tab.evaluate(DRAWN):
            tab.wait_for_timeout(20)
        opened = time.perf_counter() - began
        tab.wait_for_timeout(1000)
        found = tab.evaluate(WATCH, seconds)
        heap = tab.evaluate("performance.memory.usedJSHeapSize / 1e6")
        took = tab.evaluate(FILTER)
        print(f"Chromium {browser.version}: first picture after {opened:.1f} s, {found['cards']} "
              f"clips play at {found['pictures']:.0f} pictures a second, {heap:.0f} MB of heap, "
              f"filter in {took:.0f} ms")
        browser.close()


def timed(act: Callable) -> tuple[str, object]:
    """How long it took by the clock and on the processor, and what came of it."""
    began, busy = time.perf_counter(), time.process_time()
    result = act()
    return (f"{time.perf_counter() - began:.1f} s ({time.process_time() - busy:.1f} s of CPU)",
            result)


if __name__ == "__main__":
    main()
