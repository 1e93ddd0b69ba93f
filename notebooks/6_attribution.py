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
# # 6. What the network looks at: attribution
#
# A network says "squat, 75 %". Which joints, in which frames, made it say so? Attribution splits a score into
# one term for every joint and frame. It is a way to find out that a model is right for the wrong reason.
#
# The model here is the one that ships with skelact; the recording, three squats, does too.

# %%
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

import skelact
from skelact import load_model, load_recording
from skelact.models.attribution import class_activation, integrated_gradients
from skelact.recognition.windows import cut_windows
from skelact.visualization.attribution import plot_attribution

torch.manual_seed(0)
# %matplotlib inline
plt.rcParams["figure.dpi"] = 70
warnings.simplefilter("ignore")  # those of libraries about themselves

# %% [markdown]
# ## A clip and its scores
#
# A recording is cut into windows of 2.5 s, each brought into the form that the network was trained on:
# `[M, N, C, T]`, centred and scaled by the body. We take one window.

# %%
model = load_model()
demo = Path(skelact.__file__).parent / "cli" / "demo_data"
((track, windows),) = cut_windows(load_recording(demo / "squats.npz"), model.layout, model.clip, 0.5)
clips = windows.clips[4:5]  # [B=1, M, N, C, T]
print("seconds", windows.spans[4], " [B, M, N, C, T] =", tuple(clips.shape))

squat = model.classes.index("squat")
chances = model.probabilities(clips)[0]
for index in np.argsort(-chances)[:4]:
    print(f"{model.classes[index]:15} {chances[index]:.2f}")

# %% [markdown]
# ## Which motion matters?
#
# *Integrated gradients* walks in small steps from a **baseline** to the clip and adds up what every joint
# contributes on the way. The baseline is the question that is asked. Here: the same person, holding the mean
# pose. So what lights up is **motion** that speaks for the class (red) or against it (blue).

# %%
still = clips.mean(dim=4, keepdim=True)
attribution = integrated_gradients(model.network, clips, squat, baseline=still)  # [B, M, N, T]
fig, ax = plot_attribution(clips[0, 0], attribution[0, 0], model.layout)
fig

# %% [markdown]
# Look at the dark red patch: the moment when the body has come up to its full height. Head, shoulders and hips carry
# it, which move the most; the ankles, which stand still, say nothing.
#
# The terms are no mere colours. They **add up** to the score of the clip less that of the baseline:

# %%
with torch.no_grad():
    gain = (model.network(clips) - model.network(still.expand_as(clips)))[0, squat].item()
total = attribution.sum().item()
print(f"score gained by moving: {gain:.3f}; sum of all terms: {total:.3f}")
assert abs(total - gain) <= 0.02 * attribution.abs().sum().item()

# %% [markdown]
# ## Is it true? Freeze those joints
#
# A picture convinces easily. A test: hold joints still at their mean, those with the largest terms first, and
# ask the network again. If the attribution is right, the probability must fall faster than with joints in
# random order.

# %%
by_joint = attribution[0, 0].sum(dim=1)  # [N]
order = by_joint.argsort(descending=True)


@torch.no_grad()
def freeze(joints):
    """Probability of a squat when some joints do not move."""
    frozen = clips.clone()
    frozen[:, :, joints] = still[:, :, joints].expand_as(frozen[:, :, joints])
    return model.probabilities(frozen)[0, squat]


steps = range(len(order) + 1)
largest = [freeze(order[:count]) for count in steps]
drawn = [torch.randperm(len(order)) for _ in range(8)]
chance = [np.mean([freeze(one[:count]) for one in drawn]) for count in steps]

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.2), layout="constrained")
left.barh([model.layout.joints[joint].replace("_", " ") for joint in order], by_joint[order])
left.invert_yaxis()
left.set(xlabel="added to the score", title="joints")
right.plot(steps, largest, marker="o", label="largest terms first")
right.plot(steps, chance, marker=".", color="0.5", label="random order, mean of 8")
right.set(xlabel="joints frozen", ylabel="probability of a squat", title="freezing")
right.legend()
assert np.mean(largest) < np.mean(chance)

# %% [markdown]
# ## Another question, another answer
#
# With nobody at all as the baseline (zeros), **pose** counts too, not only motion. Look at the ankles: they never
# move, but now they have a say. And the half risen body before the red patch speaks against a squat.

# %%
from_nobody = integrated_gradients(model.network, clips, squat)
fig, ax = plot_attribution(clips[0, 0], from_nobody[0, 0], model.layout)
fig

# %% [markdown]
# And the class that came second: what speaks for a clean and jerk? Red and blue are not just the other way
# round; every class has its own evidence.

# %%
rival = model.classes.index("clean_and_jerk")
other = integrated_gradients(model.network, clips, rival, baseline=still)
fig, ax = plot_attribution(clips[0, 0], other[0, 0], model.layout)
fig

# %% [markdown]
# ## Quick and coarse
#
# *Class activation* needs one pass instead of 32 with gradients. It says where in the last layer the score
# arises; each place there has seen most of the body over many frames, so the picture is smeared.

# %%
coarse = class_activation(model.network, clips, squat)
fig, axes = plt.subplots(1, 2, figsize=(11, 3), sharey=True, layout="constrained")
for ax, values, name in zip(axes, (attribution, coarse),
                            ("integrated gradients", "class activation"), strict=True):
    limit = values.abs().max()
    ax.imshow(values[0, 0], aspect="auto", cmap="RdBu_r", vmin=-limit, vmax=limit)
    ax.set(title=name, xlabel="frame")
_ = axes[0].set_yticks(range(13), [name.replace("_", " ") for name in model.layout.joints], fontsize=8)

# %% [markdown]
# ## What it cannot tell
#
# - It explains this network on this clip, not squats.
# - Another baseline is another question; say which one you asked.
# - Neighbouring joints move together. Which of them the network happened to use is a matter of its seed.
#
# ## Try it
#
# - `skelact` files of your own: `load_recording("video.npz")` after `skelact pose video.mp4`.
# - Freeze the legs only. Is the model right for the right reason?
# - Next: [7, streaming](7_streaming.ipynb).
