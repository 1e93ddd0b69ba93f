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
# # 7. Streaming: frame by frame against the clip model
#
# A camera does not deliver clips. It delivers frames, and an answer is wanted now. One way is to keep the last
# window of frames and run the network on all of it after each frame: most of that work was done before.
# The other way is to convolve every frame **once** and remember what lies under the kernels.
#
# Both give the same scores. This notebook trains a small network in a visible loop, streams with it, and measures.

# %%
import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
import torch
from motions import ACTIONS, capture, film

from skelact.models import stgcn
from skelact.models.streaming import streaming
from skelact.models.unpadded import receptive_field, unpadded

torch.manual_seed(0)
# %matplotlib inline
plt.rcParams["figure.dpi"] = 70
warnings.simplefilter("ignore")  # those of libraries about themselves
torch.set_num_threads(1)

# %% [markdown]
# ## Nothing from the future
#
# A clip is usually centred and scaled by all of its frames; a stream does not know those to come. So here every
# frame is put in order by itself: the middle of the hips to the origin, the trunk to length 1.
#
# The people are made up ([motions.py](motions.py)): limbs turned by angles, each person with their own
# proportions and pace, seen by a camera.


# %%
def put_in_order(recording):
    """[N, 2, T] of the person in a recording, every frame by itself."""
    joints, layout = recording.tracks[0].joints[:, :2], recording.layout
    middle = {part: joints[[layout.index(f"{side}_{part}") for side in ("left", "right")]].mean(axis=0)
              for part in ("hip", "shoulder")}
    trunk = np.linalg.norm(middle["shoulder"] - middle["hip"], axis=0)
    return torch.from_numpy((joints - middle["hip"]) / trunk)


def make_clips(people):
    """[B, M=1, N, 2, T] and labels: two takes of every action of every person."""
    clips = [put_in_order(film(capture(action, person, take)))
             for person in people for take in range(2) for action in ACTIONS]
    return torch.stack(clips)[:, None], torch.arange(len(ACTIONS)).repeat(2 * len(people))


train_clips, train_labels = make_clips(range(12))
test_clips, test_labels = make_clips(range(100, 106))  # people whom the network never sees
print(tuple(train_clips.shape), tuple(test_clips.shape))

# %% [markdown]
# ## A network without zeros around its clips
#
# A temporal convolution pads the clip with frames of zeros. A stream has no such frames, so we train the network
# without them: `unpadded` answers only where its kernels are full. Four layers are enough here; look at
# the **receptive field**: the frames that one answer depends on.

# %%
network = stgcn("coco17", len(ACTIONS), in_channels=2, base_channels=16, kernel_size=9,
                rows=((1, 1), (1, 1), (2, 2), (2, 1)), edge_importance=True)
print(f"{sum(p.numel() for p in network.parameters()):,} parameters, "
      f"receptive field {receptive_field(network)} frames of 75")
learner = unpadded(network)  # a copy with the same names of weights
optimiser = torch.optim.AdamW(learner.parameters(), lr=4e-3, weight_decay=0.01)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 8e-3, total_steps=12 * 8)

losses = []
for _epoch in range(12):
    for rows in torch.randperm(len(train_clips)).chunk(8):
        clips = train_clips[rows] + 0.03 * torch.randn_like(train_clips[rows])
        loss = torch.nn.functional.cross_entropy(learner(clips), train_labels[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())

learner.eval()
with torch.no_grad():
    accuracy = (learner(test_clips).argmax(dim=1) == test_labels).float().mean().item()
network.load_state_dict(learner.state_dict())
network.eval()
fig, ax = plt.subplots(figsize=(6, 2.4), layout="constrained")
ax.plot(losses)
ax.set(xlabel="step", ylabel="loss", title=f"{accuracy:.0%} of the clips of new people are right")
assert accuracy > 0.8

# %% [markdown]
# ## Frame by frame
#
# The stream below never stops: one person waves, squats, kicks and does jumping jacks, with a cut in between. `window` says over how many of the last frames the scores are averaged.

# %%
order = ("wave", "squat", "kick", "jumping_jack")
long = torch.cat([put_in_order(film(capture(action, 104, 5))) for action in order], dim=2)
frames = long.permute(2, 0, 1)[:, None]  # T frames [M=1, N, 2]
stream = streaming(network, window=60)
print(f"no answer for the first {stream.delay} frames, a new one every {stream.stride} frames")

answers = [stream.step(frame) for frame in frames]
assert all(answer is None for answer in answers[: stream.delay])
first = stream.delay
scores = torch.stack(answers[first:]).softmax(dim=1)

fig, ax = plt.subplots(figsize=(9, 3.2), layout="constrained")
seconds = (first + np.arange(len(scores))) / 25
for name, curve in zip(ACTIONS, scores.T, strict=True):
    ax.plot(seconds, curve, label=name.replace("_", " "), linewidth=2)
for number, name in enumerate(order):
    ax.axvspan(3 * number, 3 * number + 3, color="0.93" if number % 2 else "0.98", zorder=0)
    ax.text(3 * number + 1.5, 1.05, f"shown: {name.replace('_', ' ')}", ha="center")
ax.set(xlabel="seconds", ylabel="probability", xlim=(0, 12), ylim=(0, 1.15))
_ = ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))

# %% [markdown]
# Look at the lag: after each cut the old action keeps the upper hand until about half of the window shows the
# new one. A shorter window answers sooner and is surer of less.
#
# ## The same numbers
#
# After frame t, the stream has the scores of the clip model on the last frames: `unpadded(network)` on the clip
# that ends at t. Compare them at every frame that has an answer of its own.

# %%
reference = unpadded(network)
differences = []
with torch.no_grad():
    for t in range(stream.window - 1, len(frames), stream.stride):
        clip = frames[t - stream.window + 1 : t + 1].permute(1, 2, 3, 0)[None]  # [B, M, N, C, T]
        differences.append((reference(clip)[0] - answers[t]).abs().max().item())
print(f"{len(differences)} clips, largest difference of a score: {max(differences):.1e}")
assert max(differences) < 1e-4

# %% [markdown]
# ## What it saves
#
# The clip model runs its window again for every frame; the stream runs one frame. (Time of the processor, so that a busy
# machine changes little.)

# %%
def clock(work, repeats=40):
    """Milliseconds of the processor for one call, the median."""
    spent = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return 1e3 * float(np.median(spent))


window = frames[-stream.window:].permute(1, 2, 3, 0)[None]
with torch.no_grad():
    by_clip = clock(lambda: reference(window))
by_frame = clock(lambda: stream.step(frames[-1]))
print(f"a window after every frame: {by_clip:.2f} ms; a stream: {by_frame:.2f} ms a frame")

# %% [markdown]
# ## Stop and go on
#
# A stream can be kept and brought back: what lies under its kernels is its whole memory.

# %%
one, two = streaming(network, window=60), streaming(network, window=60)
for frame in frames[:100]:
    one.step(frame)
two.restore(one.state())
assert all(torch.equal(one.step(frame), two.step(frame)) for frame in frames[100:120])
print(sum(value.numel() for value in one.state().values()), "numbers are all that it remembers")

# %% [markdown]
# ## Try it
#
# - `window=None` averages over everything so far. When is that useful?
# - A network trained with zeros around its clips (any of `skelact train`) scores a little differently without
#   them. Measure how much before you stream it.
# - [docs/models.md](../docs/models.md) says which networks can stream, and what CTR-GCN does.
