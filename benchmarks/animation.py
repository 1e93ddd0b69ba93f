"""How fast animations are written: by skelact, and by matplotlib's own writers.

    python benchmarks/animation.py [--frames 90] [--people 2] [--repeats 3]

Everything is measured in one run, by the clock and in processor time (of all threads and child
processes), of which other work on the machine changes little; pictures compared are of equal
size. Where ffmpeg is not installed, the time of matplotlib's `FFMpegWriter` has a lower bound: its
drawing and grabbing of pictures, which are then thrown away instead of encoded.

"usual" is how such animations are mostly written: a `Line2D` a bone on axes with ticks.
"""

import argparse
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, FuncAnimation, PillowWriter
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from crowds import crowd

from skelact.pose.video import VideoReader
from skelact.visualization.animate import animate, save

FPS = 30.0

CASES = (
    ("2-D, coco17", {}, 0),
    ("2-D, coco17, trails", {}, 15),
    ("3-D, ntu25, trails", {"dims": 3, "layout": "ntu25"}, 15),
)


class Thrown(AbstractMovieWriter):
    """Draws and grabs pictures exactly as `FFMpegWriter` does, and encodes nothing."""

    def setup(self, fig, outfile, dpi=None):  # noqa: D102
        super().setup(fig, outfile, dpi)

    def grab_frame(self, **savefig_kwargs):  # noqa: D102
        self.fig.savefig(io.BytesIO(), format="rgba", dpi=self.dpi, **savefig_kwargs)

    def finish(self):  # noqa: D102
        pass


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--people", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(f"matplotlib {matplotlib.__version__}, {os.cpu_count()} cores, load "
          f"{os.getloadavg()[0]:.1f}; {options.frames} frames, {options.people} people; "
          f"milliseconds a frame, least of {options.repeats}")
    print(f"{'':40}{'clock':>8}{'CPU':>8}{'times: clock':>12}{'CPU':>8}")
    if not FFMpegWriter.isAvailable():
        print("no ffmpeg: matplotlib's MP4 figures are lower bounds, without the encoding")
    for name, fields, trails in CASES:
        with tempfile.TemporaryDirectory() as folder:
            compare(name, Path(folder), options, fields, trails)
    return 0


def compare(name: str, folder: Path, options, fields: dict, trails: int) -> None:
    recording = crowd(options.frames / FPS, FPS, options.people, **fields)
    film = folder / "film.mp4"
    own = animate(recording, trails=trails)
    writer = FFMpegWriter if FFMpegWriter.isAvailable() else Thrown

    def theirs(animation, path, writer):
        animation.save(path, writer=writer(fps=FPS), dpi=100)

    def ours(shown, path):
        save(shown, path, overwrite=True, progress=False)

    def least(what: str, reference, task: Callable, *arguments):
        spent = []
        for _ in range(options.repeats):
            before = time.perf_counter(), sum(os.times()[:4])
            task(*arguments)
            spent.append((time.perf_counter() - before[0], sum(os.times()[:4]) - before[1]))
        least = 1000 * np.min(spent, axis=0) / recording.num_frames
        times = "" if reference is None else "{:12.1f}{:8.1f}".format(*reference / least)
        print(f"  {what:<38}{least[0]:8.1f}{least[1]:8.1f}{times}")
        return least

    for what, shown in (("animate()", own), ("the recording", recording)):
        ours(shown, film)
        height, width = next(iter(VideoReader(film))).image.shape[:2]
        usual = the_usual_way(recording, (width / 100, height / 100))
        print(f"{name}: {what}, {width}x{height}")
        slow = least("the usual way, by matplotlib", None, theirs, usual, film, writer)
        if shown is own:
            least("the same, by matplotlib", slow, theirs, own, film, writer)
        least("the same, by save()", slow, ours, shown, film)
    gif = folder / "film.gif"
    print(f"{name}: GIF of animate()")
    slow = least("by matplotlib's PillowWriter", None, theirs, own, gif, PillowWriter)
    least("by save()", slow, ours, own, gif)


def the_usual_way(recording, size) -> FuncAnimation:
    """Every bone a line of its own, on axes with ticks that are drawn with each picture."""
    figure = Figure(figsize=size, dpi=100)
    ax = figure.add_subplot(projection="3d" if recording.dims == 3 else None)
    joints, edges = recording.joints(), recording.layout.drawn_edges
    if recording.dims == 3:
        joints = joints[:, :, [0, 2, 1]]
        ax.set(xlim=(-3, 3), ylim=(0, 6), zlim=(-1, 2))
    else:
        joints = joints[:, :, :2]
        ax.set(xlim=(0, 1280), ylim=(720, 0))
    lines = [(person, edge, ax.plot(*person[list(edge), :, 0].T, "-o")[0])
             for person in joints for edge in edges]

    def show(frame):
        for person, edge, line in lines:
            ends = person[list(edge), :, frame].T
            if recording.dims == 3:
                line.set_data_3d(*ends)
            else:
                line.set_data(*ends)

    return FuncAnimation(figure, show, recording.num_frames, interval=1000 / FPS,
                         cache_frame_data=False)


if __name__ == "__main__":
    sys.exit(main())
