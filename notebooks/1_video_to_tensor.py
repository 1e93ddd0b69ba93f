# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: -all
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1. From video to `[N, 3, T]`
#
# A video is millions of pixels; what a body does fits into a small tensor: N joints, 3 channels, T frames.
# This notebook makes one from pixels, opens it, draws it and lets it move.
#
# Everything runs on a CPU, without a network, on material that ships with the installed packages.

# %%
import os
import tempfile
import warnings
from pathlib import Path

os.environ["SKELACT_OFFLINE"] = "1"  # download nothing

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image, display
from matplotlib.figure import Figure

import skelact
from skelact import extract, load_recording, save_recording
from skelact.cli.photo_pan import find_photo, render_pan
from skelact.pose.estimators.mediapipe import MediaPipeEstimator
from skelact.transforms.remap import plan_remap, remap
from skelact.visualization.animate import animate, save
from skelact.visualization.contact_sheet import contact_sheet
from skelact.visualization.trails import plot_trails

# %matplotlib inline
plt.rcParams["figure.dpi"] = 70
warnings.simplefilter("ignore")  # those of libraries about themselves
work = Path(tempfile.mkdtemp())  # all files go here


def dark_axes(width, height):
    """Axes that fill a small dark picture (inches), so that its film is small too."""
    ax = Figure((width, height), dpi=70, facecolor="#181a20").add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    return ax


def play(animation, name):
    """Show an animation as a GIF; calling it a PNG makes GitHub show it, and browsers do not mind."""
    save(animation, work / name, progress=False)
    display(Image((work / name).read_bytes(), format="png"))


# %% [markdown]
# ## Pixels to joints
#
# The video: a photo that comes with `ultralytics` (or `matplotlib`), and a camera that moves over it.
# Use your own instead: `video = "my.mp4"`.

# %%
video = render_pan(find_photo(), work / "pan.mp4")
seen = extract(video, MediaPipeEstimator())

# %% [markdown]
# `extract` decoded the video, found a person in every frame and followed them. MediaPipe's model is inside
# its wheel and follows one person; with YOLO weights, `extract(video, "yolo")` follows everybody.
#
# Look at the colours: a person's own left is blue, the right orange. The person grows because the camera comes
# nearer. (The photo is not ours to show here; `contact_sheet(..., video=video)` draws on the pixels.)

# %%
contact_sheet(seen, work / "pan.png", columns=5, rows=1)
display(Image((work / "pan.png").read_bytes(), width=560))

# %% [markdown]
# ## The tensor
#
# A `Recording` has tracks, one a person. A track has `joints [N, 3, T]`: x and y in pixels (y points down) and
# the confidence of the estimator, over the T frames in which the person was seen.

# %%
track = seen.tracks[0]
print("joints", track.joints.shape, track.joints.dtype)
print("frames", track.frame_index[:5], "... of", seen.num_frames)
nose = seen.layout.index("nose")
for frame in (0, 40, 74):
    x, y, confidence = track.joints[nose, :, frame]
    print(f"frame {frame:2}: the nose is at x={x:.0f}, y={y:.0f}, confidence {confidence:.2f}")
assert track.joints.shape == (33, 3, 75)

# %% [markdown]
# ## A recording with an action in it
#
# The photo stands still. Five recordings of moving people ship with skelact, as joints without pixels
# ([where they come from](../skelact/cli/demo_data/CREDITS.md)). Here is one, with 17 joints instead of 33:
# the **layout** says which.

# %%
demo = Path(skelact.__file__).parent / "cli" / "demo_data"
squats = load_recording(demo / "squats.npz")
print(f"{len(squats.tracks)} person, {squats.num_frames} frames, {squats.duration} s, "
      f"{squats.dims}-D, layout {squats.layout.name}:")
print(", ".join(squats.layout.joints))

# %%
play(animate(squats, trails=5, ax=dark_axes(2.2, 3.6)), "squats.gif")

# %% [markdown]
# One joint is a curve over time. Look at the hips: down (larger y) and up again, once a squat. Counting
# squats is counting peaks.

# %%
body = squats.tracks[0]
times = squats.track_times(body)
height = body.joints[[squats.layout.index(f"{side}_hip") for side in ("left", "right")], 1].mean(axis=0)

fig, ax = plt.subplots(figsize=(8, 2.8), layout="constrained")
ax.plot(times, height)
ax.invert_yaxis()
ax.set(xlabel="seconds", ylabel="y of the hips, pixels", title="three squats")

low = height > (height.min() + height.max()) / 2
count = int((np.diff(low.astype(int)) == 1).sum())
print(count, "squats begun")
assert count == 3

# %% [markdown]
# The path of hands and feet through two seconds of it:

# %%
fig, ax = plt.subplots(figsize=(3, 4.5), layout="constrained")
ax.invert_yaxis()  # y points down in an image
_ = plot_trails(body.joints, squats.layout, ax=ax, frame=16, length=10)

# %% [markdown]
# ## Several people, who come and go
#
# `recording.joints()` puts everybody into one dense array `[M, N, 3, T]`. Who is absent is **NaN**, never 0:
# zero is a place in the image. Look at the picture: one person leaves, nobody is there, another comes.

# %%
table = load_recording(demo / "people_come_and_go.npz")
everyone = table.joints()
present = ~np.isnan(everyone[:, :, 0]).all(axis=1)  # [M, T]
print("[M, N, 3, T] =", everyone.shape)

fig, ax = plt.subplots(figsize=(8, 1.4), layout="constrained")
ax.imshow(present, aspect="auto", cmap="Blues", vmax=1.5, interpolation="nearest",
          extent=(table.timestamps[0], table.timestamps[-1], 1.5, -0.5))
ax.set(yticks=[0, 1], yticklabels=[f"track {person.track_id}" for person in table], xlabel="seconds")
assert not (present[0] & present[1]).any()

# %%
gymnasts = load_recording(demo / "three_people_exercise.npz")
play(animate(gymnasts, fps=5, ax=dark_axes(4.6, 3)), "gymnasts.gif")

# %% [markdown]
# ## The file
#
# `skelact pose video.mp4` writes the same thing to `video.npz`. Plain numpy reads it: the tracks stand one
# after another, so an absent person takes no room.

# %%
save_recording(gymnasts, work / "gymnasts.npz")
with np.load(work / "gymnasts.npz") as file:
    for name in ("joints", "track_offsets", "track_ids", "timestamps", "image_size"):
        print(f"{name:14} {file[name].dtype!s:8} {file[name].shape}")
again = load_recording(work / "gymnasts.npz")
assert np.array_equal(again.joints(), gymnasts.joints(), equal_nan=True)  # nothing is lost

# %% [markdown]
# ## Other skeletons
#
# Every estimator and every sensor has joints of its own. `remap` goes through their names; the plan says what
# is copied, what is derived from other joints, and what stays missing.

# %%
print(plan_remap("coco17", "kinect20"))
print("neck of the first frame:", remap(squats, "kinect20").tracks[0].joints[2, :, 0])

# %% [markdown]
# ## Try it
#
# - Film yourself doing five squats and count them with the cell above.
# - `skelact show video.npz -o people.html` writes a page that plays a recording; open it in a browser.
# - Next: [2, the graph and the layer](2_graph_and_layer.ipynb).
