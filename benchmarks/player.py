"""How large the page of the player is, how fast it opens and how smoothly it draws.

    python benchmarks/player.py [--minutes 10] [--people 5] [--fps 30] [--watch 10]

Writes pages of made-up people who move with the noise of a detector (`tests/crowds.py`), opens them
in headless Chromium that draws without a GPU, plays each, and prints sizes, seconds and pictures a
second. Exits with 1 where a page is above 15 MB or plays below 50 pictures a second.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from crowds import crowd, named

from skelact.pose.video import VideoWriter
from skelact.visualization.player import LARGEST, write_player

SMOOTH = 50
"""Pictures a second."""

CASES = (
    ("2-D, coco17", {}, False),
    ("2-D, coco17, over a video", {}, True),
    ("3-D, ntu25", {"dims": 3, "layout": "ntu25"}, False),
)

WATCH = """seconds => new Promise((done) => {
    const gaps = [];
    const before = skelact.stage.draws;
    const began = performance.now();
    let last = began;
    const tick = (now) => {
        gaps.push(now - last);
        last = now;
        if (now - began < 1000 * seconds) return requestAnimationFrame(tick);
        gaps.sort((a, b) => a - b);
        done({pictures: 1000 * (skelact.stage.draws - before) / (now - began),
              p99: gaps[Math.floor(0.99 * gaps.length)]});
    };
    requestAnimationFrame(tick);
})"""

SCRIPTING = """count => { const began = performance.now();
    for (let i = 0; i < count; i++) skelact.stage.draw(skelact.time + i / 50);
    return (performance.now() - began) / count; }"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--people", type=int, default=5)
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--watch", type=float, default=10.0, help="seconds to play each page")
    options = parser.parse_args()

    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        parser.error("no Chromium is installed")
    failed = False
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program,
                                              args=["--no-sandbox", "--disable-gpu"])
        print(f"Chromium {chromium.version}, headless, --disable-gpu, window 1280 x 900; "
              f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {options.minutes:g} minutes "
              f"at {options.fps:g} frames a second, {options.people} people")
        print(f"{'':28}{'page MB':>9}{'write s':>9}{'open s':>8}{'pictures/s':>12}"
              f"{'p99 gap ms':>12}{'script ms':>11}")
        for name, fields, with_video in CASES:
            row = measure(chromium, Path(folder), options, fields, with_video)
            size, pictures = row[0], row[3]
            failed |= size > LARGEST / 1e6 or pictures < SMOOTH
            print(f"{name:28}{size:9.2f}{row[1]:9.1f}{row[2]:8.2f}{pictures:12.1f}{row[4]:12.1f}"
                  f"{row[5]:11.2f}", flush=True)
        chromium.close()
    return int(failed)


def measure(chromium, folder: Path, options, fields: dict, with_video: bool) -> tuple:
    """Page MB, seconds to write and to open, pictures a second, gap and script milliseconds."""
    recording = crowd(60 * options.minutes, options.fps, options.people, **fields)
    video = make_video(folder / "crowd.mp4", options.watch + 5) if with_video else None
    began = time.perf_counter()
    page = write_player(recording, folder / "page.html", video, named(recording), overwrite=True)
    writing = time.perf_counter() - began
    tab = chromium.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    began = time.perf_counter()
    tab.goto(page.path.as_uri())
    while not tab.evaluate("Boolean(window.skelact)"):
        tab.wait_for_timeout(5)
    opening = time.perf_counter() - began
    tab.evaluate("skelact.play()")
    tab.wait_for_timeout(1000)
    seen = tab.evaluate(WATCH, options.watch)
    tab.evaluate("skelact.pause()")
    scripting = tab.evaluate(SCRIPTING, 500)
    tab.close()
    return page.size / 1e6, writing, opening, seen["pictures"], seen["p99"], scripting


def make_video(path: Path, seconds: float) -> Path:
    """A moving pattern, 1280 x 720 at 30 frames a second."""
    x, y = np.meshgrid(np.arange(1280), np.arange(720))
    with VideoWriter(path, 30.0, (1280, 720), overwrite=True) as writer:
        for i in range(round(30 * seconds)):
            grey = 127 + 60 * np.sin((x + 4 * i) / 40) + 60 * np.sin((y + i) / 30)
            writer.write(np.repeat(grey[..., None].astype(np.uint8), 3, axis=2))
    return path


if __name__ == "__main__":
    sys.exit(main())
