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
# # 5. Your own videos: from a folder to a recogniser
#
# Videos in a folder, a table of labels, three commands, and a new video is named: who does what, when.
#
# So that this notebook runs anywhere, it draws its videos ([puppet.py](puppet.py)): coloured figures
# before a wall, moved by [motions.py](motions.py). They are pixels like any others to the pose estimator, which was
# trained on photos of people. At the end, the recogniser meets real people. With films of your own, start at
# *Three commands*.

# %%
import csv
import json
import os
import sys
import tempfile
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image, display
from puppet import FPS, write_video

from skelact import Recognizer, load_recording
from skelact.cli.examples import EXAMPLES
from skelact.pose.video import VideoReader
from skelact.visualization.pictures import write_gif

# %matplotlib inline
plt.rcParams["figure.dpi"] = 70
warnings.simplefilter("ignore")  # those of libraries about themselves
os.environ["SKELACT_OFFLINE"] = "1"  # download nothing
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.chdir(tempfile.mkdtemp())  # all files go here

# %% [markdown]
# ## The folder
#
# ```
# gym/labels.csv              file,label,subject
# gym/videos/ada_squat.mp4
# gym/videos/ada_wave.mp4     ...
# ```
#
# Only `file` and `label` are needed, but give the `subject` if you can: then nobody is in both the training and
# the test part. (Folders `gym/squat/*.mp4`, one a class, work without a table.)

# %%
actions = ("jumping_jack", "squat", "wave")
people = {"ada": 11, "ben": 12, "cleo": 13, "dan": 14, "eva": 15}

os.makedirs("gym/videos")
with open("gym/labels.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(("file", "label", "subject"))
    for name, number in people.items():
        for action in actions:
            write_video(Path(f"gym/videos/{name}_{action}.mp4"), [action], number)
            table.writerow((f"{name}_{action}.mp4", action, name))


def read_frames(video, every=1):
    """Frames [H, W, 3] of a video."""
    return [frame.image for frame in VideoReader(video) if frame.index % every == 0]


rows = [np.concatenate(read_frames(f"gym/videos/{name}_{action}.mp4", 5), axis=1)
        for name, action in zip(("ada", "cleo", "eva"), actions, strict=True)]
fig, ax = plt.subplots(figsize=(10, 8), layout="constrained")
ax.imshow(np.concatenate(rows))
ax.set_axis_off()

# %% [markdown]
# ## Three commands
#
# **First: the people.** Every video is decoded, its person found and followed. A pose file a video stays
# beside the store, so a second run goes on where the first one stopped. (`| cat` keeps progress bars out of here.)

# %%
# !skelact data prepare gym --from-videos gym -o gym.store --estimator mediapipe 2>&1 | cat

# %% [markdown]
# **Second: train.** Classes and division come from the store. `--clip.layout coco17` takes 17 of MediaPipe's 33 joints,
# those that other estimators find as well. The other options make it quick: for a handful of clips a small
# network is enough. For your own films leave them out.

# %%
# !skelact train gym.store -o run --clip.layout coco17 --network.base_channels 16 --clip.frames 32 --test_clips 1 --optim.epochs 12 --optim.repeat 6 --optim.min_steps 0 --optim.batch_size 8 --device cpu --workers 0 2>&1 | grep -v "epoch [2-9] "

# %% [markdown]
# **Third: recognise.** A new video of somebody new, who does one thing after another. Nothing tells the model
# where one ends.

# %%
shown = ("squat", "wave")
seconds = 6  # of each
_ = write_video(Path("new.mp4"), shown, person=31, seconds=seconds)

# %%
# !skelact recognize new.mp4 --model run/model.pt -o new.json --overlay overlay.mp4 --estimator mediapipe 2>&1 | cat

# %% [markdown]
# Look at the label above the head:

# %%
write_gif(read_frames("overlay.mp4", 3), Path("overlay.gif"), 3 / FPS)
display(Image(Path("overlay.gif").read_bytes(), format="png"))  # GitHub shows GIFs that are called PNG

# %% [markdown]
# `new.json` holds the segments of everybody in seconds, and the scores over time. Compare with what was really
# shown. Where do the borders lie, and why not exactly at the cuts? (The model looks at windows of 2.5 and 5 s. Near a
# cut they see both sides; what is shown for 3 or 4 s between two other actions is lost altogether.)

# %%
(person,) = json.loads(Path("new.json").read_text())["tracks"]
fig, ax = plt.subplots(figsize=(9, 2), layout="constrained")
colours = dict(zip(actions, plt.colormaps["Set2"].colors, strict=False))
for number, action in enumerate(shown):
    ax.barh(1, seconds, left=number * seconds, color=colours[action], edgecolor="white")
    ax.text((number + 0.5) * seconds, 1, action, ha="center", va="center")
for part in person["segments"]:
    ax.barh(0, part["end"] - part["start"], left=part["start"], color=colours[part["label"]],
            edgecolor="white")
    ax.text((part["start"] + part["end"]) / 2, 0, part["label"], ha="center", va="center")
ax.set(yticks=[0, 1], yticklabels=["recognised", "shown"], xlabel="seconds")

right = sum(max(0, min(part["end"], (number + 1) * seconds) - max(part["start"], number * seconds))
            for part in person["segments"] for number, action in enumerate(shown)
            if part["label"] == action)
print(f"{right:.1f} of {len(shown) * seconds:.1f} seconds are named right")
assert right > 0.5 * len(shown) * seconds

# %% [markdown]
# ## Real people
#
# The model has only seen drawn figures, followed by MediaPipe. Here are real people, followed by YOLO: other bodies,
# other cameras, another estimator. Look at what it gets right, and at what it is sure of and should not be.

# %%
recognizer = Recognizer("run/model.pt")  # what the command does, in Python
for example in EXAMPLES[:3]:
    (real,) = recognizer.recognize(load_recording(example.file)).tracks
    said = ", ".join(f"{part.label} {part.start:.1f}-{part.end:.1f} s ({part.score:.2f})"
                     for part in real.segments)
    print(f"{example.shows}: {said}")

# %% [markdown]
# A model of three actions has only three answers. Somebody who bows is none of them, so every answer is wrong: it must
# learn to say nothing, with recordings of other things as `--background`
# ([docs/training.md](../docs/training.md)).
#
# ## Try it
#
# - Show three actions of 4 s each. What becomes of the middle one, and what does `--step 0.2` change?
# - Film three friends, five times each action, and start at *Three commands*.
# - `skelact data review gym.store` shows every clip; drop the bad ones.
# - Next: [6, what the network looks at](6_attribution.ipynb).
