"""Draws the pictures of the documentation (docs/images/) with skelact itself.

    python docs/figures.py

``pipeline.png``: what becomes of a video, from joints to named actions; everything in it is
computed from the pose file of squats that ships with skelact. ``partitions.png``: how a graph
splits neighbourhoods.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from skelact import Graph, Recognizer, Recording, load_recording
from skelact.cli.examples import EXAMPLES
from skelact.models.rows import ROWS
from skelact.visualization.draw import blank, draw_people
from skelact.visualization.graph_figure import plot_partition, plot_spatiotemporal_graph

IMAGES = Path(__file__).parent / "images"
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "0.35"
SHOWN = 20
"""The frame whose picture is drawn."""


def main() -> None:
    """Draw and write all of them."""
    draw_partitions()
    draw_pipeline()


def draw_partitions() -> None:
    """The spatial partition of all joints, and of one."""
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    whole, one = figure.subplots(1, 2)
    graph = Graph("coco17", "spatial")
    plot_partition(graph, whole)
    plot_partition(graph, one, "left_elbow")
    figure.savefig(IMAGES / "partitions.png", dpi=90)


def draw_pipeline() -> None:
    """From joints to named actions."""
    recording = load_recording(EXAMPLES[0].file)
    figure = Figure(figsize=(13.5, 3.9), facecolor="white")
    panels = figure.add_gridspec(1, 5, width_ratios=(0.75, 1, 1.45, 0.9, 1.5), wspace=0.32,
                                 left=0.015, right=0.985, top=0.8, bottom=0.2).subplots()
    titles = ("people, followed", "joints  [N, 3, T]", "a graph in space and time",
              "ten ST-GCN layers", "who does what, when")
    commands = ("skelact pose", "skelact show", "Graph(\"coco17\")", "skelact train",
                "skelact recognize")
    for draw, ax, title, command in zip(
            (draw_person, draw_joints, draw_graph, draw_network, draw_actions), panels, titles,
            commands, strict=True):
        draw(recording, ax)
        centre = np.mean(ax.get_position().intervalx)
        figure.text(centre, 0.93, title, ha="center", va="center", fontsize=12.5, weight="bold")
        figure.text(centre, 0.05, command, ha="center", va="center", fontsize=10.5, color=GREY,
                    family="monospace")
    for left, right in pairwise(panels):
        start, end = left.get_position().x1, right.get_position().x0
        middle = (start + end) / 2
        figure.add_artist(FancyArrowPatch((middle - 0.013, 0.93), (middle + 0.009, 0.93),
                                          color=GREY, arrowstyle="-|>", mutation_scale=14))
    figure.savefig(IMAGES / "pipeline.png", dpi=110)


def draw_person(recording: Recording, ax: Axes) -> None:
    """The person as `skelact pose --overlay skeleton-only` draws them."""
    track = recording.tracks[0]
    box = track.boxes[:, SHOWN]
    picture = draw_people(blank(recording.image_size), track.joints[None, :, :, SHOWN],
                          recording.layout, [track.track_id], boxes=box[None])
    ax.imshow(picture, interpolation="lanczos")
    middle, reach = (box[0] + box[2]) / 2, 0.6 * (box[3] - box[1])
    ax.set(xlim=(middle - 0.56 * reach, middle + 0.56 * reach),
           ylim=((box[1] + box[3]) / 2 + reach, (box[1] + box[3]) / 2 - reach))
    ax.set_axis_off()


def draw_joints(recording: Recording, ax: Axes) -> None:
    """Heights of some joints over time, in pixels."""
    track = recording.tracks[0]
    times = recording.track_times(track)
    for joint, colour in (("nose", "0.45"), ("left_wrist", BLUE), ("right_hip", ORANGE),
                          ("right_ankle", "0.1")):
        height = track.joints[recording.layout.index(joint), 1]
        ax.plot(times, height, color=colour, lw=1.6)
        ax.text(times[-1] + 0.15, height[-1], joint.replace("_", " "), color=colour, fontsize=8.5,
                va="center")
    ax.invert_yaxis()
    ax.set(xlabel="seconds", yticks=[], xlim=(times[0], times[-1] + 3.2))
    ax.set_ylabel("height in the image", fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)


def draw_graph(recording: Recording, ax: Axes) -> None:
    """The graph over four frames of the squat."""
    track = recording.tracks[0]
    plot_spatiotemporal_graph(Graph(recording.layout), 4, track.joints[:, :, 15:27], ax)
    ax.get_legend().remove()


def draw_network(recording: Recording, ax: Axes) -> None:
    """A bar a layer, as wide as its channels."""
    frames = 64
    for row, (multiple, stride) in enumerate(ROWS):
        frames //= stride
        width = multiple / 4
        ax.add_patch(Rectangle(((1 - width) / 2, -row), width, 0.72, facecolor=BLUE,
                               alpha=0.35 + 0.05 * row))
        ax.text(0.5, 0.36 - row, f"{64 * multiple} x {frames}", ha="center", va="center",
                fontsize=8, color="white" if multiple > 1 else "black")
    ax.text(0.5, -len(ROWS) + 0.15, "channels x frames, of every joint", ha="center", fontsize=8.5,
            color=GREY, va="center")
    ax.set(xlim=(0, 1), ylim=(-len(ROWS) - 0.2, 1))
    ax.set_axis_off()


def draw_actions(recording: Recording, ax: Axes) -> None:
    """The scores of the shipped model over time, and the segments that it names."""
    recogniser = Recognizer()
    track = recogniser.recognize(recording).tracks[0]
    curves = track.curves
    for i, (label, score) in enumerate(zip(curves.labels[:3], curves.scores, strict=False)):
        colour = (BLUE, "0.4", "0.65")[i]
        ax.stairs(np.nan_to_num(score), curves.edges, color=colour, lw=1.6, baseline=None)
        ax.text(curves.edges[-1] + 0.2, (score[-1], 0.14, 0.05)[i], label.replace("_", " "),
                color=colour, fontsize=8.5, va="center")
    for segment in track.segments:
        ax.add_patch(Rectangle((segment.start, 1.1), segment.end - segment.start, 0.2,
                               facecolor=BLUE))
        if segment.end - segment.start > 2:
            ax.text((segment.start + segment.end) / 2, 1.2, segment.label, color="white",
                    ha="center", va="center", fontsize=8)
    ax.axhline(recogniser.threshold, color="0.4", lw=0.8, ls=":")
    ax.set(xlabel="seconds", ylim=(-0.02, 1.34), yticks=[0, 0.5, 1],
           xlim=(curves.edges[0], curves.edges[-1] + 4))
    ax.set_ylabel("score", fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
