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
# # 4. Does it travel? Cross-domain matrix and robustness curves
#
# The reason to use skeletons is that they carry over: other people, other cameras, other sensors. That has to be
# measured. Two questions here:
#
# 1. Trained on one data set, what is a network worth on **another**?
# 2. What is left when the joints get **worse**?
#
# The three data sets below are made up by [motions.py](motions.py): one world, seen by three sensors. Between real
# data sets the gaps are larger; [docs/results.md](../docs/results.md) has those figures.

# %%
import os
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image, display
from motions import ACTIONS, capture, film

from skelact import PoseTrack
from skelact.datasets.store import StoreWriter

# %matplotlib inline
plt.rcParams["figure.dpi"] = 70
warnings.simplefilter("ignore")  # those of libraries about themselves
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.chdir(tempfile.mkdtemp())  # all files go here

# %% [markdown]
# ## Three sensors
#
# | data set | skeleton | joints are | people |
# |---|---|---|---|
# | `mocap` | `kinect20` | metres, **z up**, 30 fps, precise | 0 to 5 |
# | `depth` | `utd20` | **millimetres**, y up, **x mirrored**, 15 fps, noisy | 20 to 25 |
# | `webcam` | `coco17` | **2-D pixels**, 25 fps | 40 to 45 |
#
# Every one does the same five actions; nobody is in two of them. Such differences are the rule among public data
# sets, and mostly nobody writes them down.


# %%
def change(recording, matrix):
    """A 3-D recording in other axes."""
    (track,) = recording.tracks
    joints = np.einsum("dc,nct->ndt", matrix, track.joints)
    return replace(recording, tracks=(PoseTrack(1, joints, track.frame_index),))


def see_mocap(*what):
    return change(capture(*what, layout="kinect20", noise=0.005, fps=30),
                  [[1, 0, 0], [0, 0, -1], [0, 1, 0]])


def see_depth(*what):
    return change(capture(*what, layout="utd20", noise=0.02, fps=15), np.diag([-1000, 1000, 1000]))


def see_webcam(*what):
    return film(capture(*what, layout="coco17", noise=0.01, fps=25))


for name, first, see in (("mocap", 0, see_mocap), ("depth", 20, see_depth),
                         ("webcam", 40, see_webcam)):
    with StoreWriter(f"{name}.store") as writer:
        for person in range(first, first + 6):
            for action in ACTIONS:
                for take in range(2):
                    writer.add(see(action, person, take))
        writer.finish(name)

# %% [markdown]
# One joint in numbers, as each data set has it. Could you tell that this is the same height of a head?

# %%
for name, see, joint in (("mocap", see_mocap, "head"), ("depth", see_depth, "head"),
                         ("webcam", see_webcam, "nose")):
    clip = see("wave", 3, 0)
    print(f"{name:7} {joint}: {clip.tracks[0].joints[clip.layout.index(joint), :, 0].round(2)}")

# %% [markdown]
# ## The matrix
#
# One command trains on each source and tests on each target (a small network and few epochs, so that it ends
# within the minute; the preset of the command is larger). Before, it brings each pair together: the classes and the joints
# that both have, the same units and axes, 3-D seen as 2-D where the other side is 2-D.

# %%
# !skelact cross-domain --train mocap.store webcam.store --test mocap.store webcam.store depth.store -o travel --seeds 1 --protocol drawn --optim.epochs 6 --optim.repeat 2 --optim.batch_size 4 --optim.lr 0.002 --optim.warmup_epochs 1 --network.base_channels 8 --clip.frames 24 --device cpu --workers 0 2>&1 | grep -v epoch

# %%
display(Image("travel/matrix.png", width=620))

# %% [markdown]
# Look at the small print: *drop* is what is lost against the test people of the source, and the interval says what other
# people might have shown. On the diagonal a single person tests: such a figure proves nothing.
#
# ## How they were brought together
#
# Axes are not guessed. They follow from anatomy: heads are above feet, elbows and knees bend one way, an upper arm
# of an adult measures 29 cm. Read the report of one pair. Look for *to do*: what the command changed, and
# whether it found the three traps of the table above.

# %%
report = Path("travel/pairs/mocap--depth.txt").read_text()
print(report)
assert "MIRRORED" in report
assert "millimetres to metres" in report
assert "turn +z to +y" in report

# %% [markdown]
# What if nobody had looked? The network of `mocap` once more, on `depth` as it comes:

# %%
# !skelact cross-domain --model travel/runs/mocap--mocap/seed0/model.pt --test depth.store --no-harmonise -o naive --device cpu 2>&1 | grep "|"

# %% [markdown]
# ## What is left when joints get worse
#
# `skelact robustness` damages the clips in twenty ways, each at a few strengths, and draws what is left. Here five of
# them. The network was trained on `mocap`, seen from random sides; the clips are those of `webcam`, all new to it.

# %%
# !skelact robustness travel/runs/mocap--webcam/seed0/model.pt --data webcam.store --split all -o robustness --corruptions joint_jitter,missing_joints,missing_arm,frame_rate,detector_noise --device cpu --workers 0 2>&1 | grep -v tests

# %%
display(Image("robustness/robustness.png", width=760))

# %% [markdown]
# Look at the shapes. A curve that falls at once names a weakness; training with such damage (`--recipe robust`,
# or `--augment.jitter` and others alone) wins a part of it back: [docs/results.md](../docs/results.md). *Relative mCA* sums it up: the share
# of the accuracy that is kept on average.
#
# ## Try it
#
# - `--adapt batch_norm,coral,entropy` fits a network to the target without its labels. Does it help here?
# - Train with `--augment.jitter 0.1` and measure again.
# - Your own recordings as the target: the next notebook makes a store of videos.
# - All options: [docs/evaluation.md](../docs/evaluation.md), [docs/harmonisation.md](../docs/harmonisation.md).
# - Next: [5, your own videos](5_your_own_videos.ipynb).
