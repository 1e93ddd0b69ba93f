"""Draws the pictures of docs/drawing.md (docs/images/drawing_*) with skelact itself.

    python docs/drawing_figures.py

The 2-D ones show the pose files that ship with skelact; the one in 3-D is a made-up walker.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from skelact import Graph, PoseTrack, Recording, load_model, load_recording
from skelact.cli.examples import EXAMPLES
from skelact.models.attribution import integrated_gradients
from skelact.recognition.windows import cut_windows
from skelact.visualization.animate import animate, plot_skeleton, save
from skelact.visualization.attribution import plot_attribution
from skelact.visualization.graph_figure import plot_spatiotemporal_graph
from skelact.visualization.rest_pose import rest_pose
from skelact.visualization.trails import plot_trails

IMAGES = Path(__file__).parent / "images"
RECORDINGS = {example.name: load_recording(example.file) for example in EXAMPLES}


def main() -> None:
    """Draw and write all of them."""
    draw_skeletons()
    draw_graph()
    draw_attribution()
    people = RECORDINGS["three_people_exercise"]
    save(animate(first(people, 40), trails=8, fps=10, longest=360),
         IMAGES / "drawing_trails.gif", overwrite=True)
    save(animate(walker(), trails=15, fps=12.5, longest=320), IMAGES / "drawing_3d.gif",
         overwrite=True)


def draw_skeletons() -> None:
    """Several people, a trail, a scene with depth."""
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    people, trail = figure.add_subplot(1, 3, 1), figure.add_subplot(1, 3, 2)
    for ax in (people, trail):
        ax.invert_yaxis()
    recording = RECORDINGS["three_people_exercise"]
    for person in recording.joints()[..., 60]:
        plot_skeleton(person, recording.layout, people)
    squats = RECORDINGS["squats"]
    plot_trails(squats.joints()[0], squats.layout, trail, frame=20, length=8)
    deep = figure.add_subplot(1, 3, 3, projection="3d")
    plot_skeleton(walker().tracks[0].joints[..., 8], "ntu25", deep, dims=3)
    for ax, title in ((people, "plot_skeleton, three times"), (trail, "plot_trails"),
                      (deep, "plot_skeleton(dims=3)")):
        ax.set_title(title, fontsize=10)
        ax.tick_params(labelsize=7)
    figure.savefig(IMAGES / "drawing_skeletons.png", dpi=90)


def draw_graph() -> None:
    """The graph of a squat in space and time."""
    squats = RECORDINGS["squats"]
    figure, _ = plot_spatiotemporal_graph(Graph("coco17"), 5, squats.joints()[0, ..., 12:29])
    figure.savefig(IMAGES / "drawing_graph.png", dpi=80)


def draw_attribution() -> None:
    """What speaks for a squat."""
    model = load_model()
    _, windows = next(cut_windows(RECORDINGS["squats"], model.layout, model.clip, step=1.0))
    clips = windows.clips[1:2]
    attribution = integrated_gradients(model.network, clips)
    figure, _ = plot_attribution(clips[0, 0], attribution[0, 0], model.layout)
    figure.savefig(IMAGES / "drawing_attribution.png", dpi=80, bbox_inches="tight")


def first(recording: Recording, frames: int) -> Recording:
    """Its first frames."""
    tracks = [replace(track, joints=track.joints[..., :frames], boxes=None,
                      frame_index=track.frame_index[:frames]) for track in recording]
    return replace(recording, tracks=tracks, timestamps=recording.timestamps[:frames])


def walker(frames: int = 60) -> Recording:
    """One person who walks to and fro, arms and legs against each other; metres, y up."""
    graph = Graph("ntu25")
    flat = rest_pose(graph.layout) * 1.7
    time = np.arange(frames) / 25
    phase = 2 * np.pi * time * 25 / frames * 4
    joints = np.zeros((25, 3, frames))
    joints[:, 0], joints[:, 1] = -flat[:, :1], 1.0 - flat[:, 1:]
    for name, length in (("elbow", 0.12), ("wrist", 0.24), ("hand", 0.28), ("hand_tip", 0.33),
                         ("thumb", 0.28), ("knee", -0.16), ("ankle", -0.3), ("foot", -0.34)):
        for side, sign in (("left", 1), ("right", -1)):
            joints[graph.layout.index(f"{side}_{name}"), 2] += sign * length * np.sin(phase)
    joints[:, 2] += 3 + 0.6 * np.cos(phase / 4)
    joints[:, 0] += 0.6 * np.sin(phase / 4)
    return Recording((PoseTrack(1, joints, np.arange(frames)),), time, "ntu25", dims=3)


if __name__ == "__main__":
    main()
