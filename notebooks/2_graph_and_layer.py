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
# # 2. The partitioned graph, and what an ST-GCN layer computes
#
# A convolution on images multiplies every neighbour of a pixel by a weight of its own: left, right,
# above, below. The joints of a body have no left and right neighbour in that sense, only bones. ST-GCN
# therefore sorts the neighbours of a joint into a few **subsets** and gives every subset a weight.
#
# Below, one layer is computed by hand, loop by loop, and compared with `skelact.STGCN`.

# %%
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

import skelact
from skelact import STGCN, Graph, load_recording
from skelact.graph.partition import hop_distance
from skelact.visualization.graph_figure import plot_partition, plot_spatiotemporal_graph

torch.manual_seed(0)
# %matplotlib inline
plt.rcParams["figure.dpi"] = 70
warnings.simplefilter("ignore")  # those of libraries about themselves

# %% [markdown]
# ## A skeleton is a graph
#
# A `Layout` names the joints and says which joint each one hangs on. Look at the list: a bone joins a
# joint to its parent; the root of the tree, here the nose, is the **centre**.

# %%
graph = Graph("coco17", partition="spatial")
layout = graph.layout
for joint, parent in zip(layout.joints, layout.parents, strict=True):
    print(f"{joint:15} hangs on {layout.joints[parent]}")

# %% [markdown]
# ## Three subsets
#
# In the *spatial* partition, a neighbour of a joint is either the joint itself (**root**), or as far from
# the centre or farther (**centrifugal**), or nearer to it (**centripetal**). Look at the colours: seen
# from the left hip, towards the head is another colour than towards the feet. The ring marks the centre.

# %%
demo = Path(skelact.__file__).parent / "cli" / "demo_data"  # five pose files that ship with skelact
recording = load_recording(demo / "squats.npz")
plot_partition(graph, joint="left_hip")[0]

# %% [markdown]
# The graph becomes numbers: `adjacency[k, source, target]`. The columns are normalised, so that a joint
# with many neighbours does not get larger values than one with few. Look at the three matrices: on
# the diagonal the root, and the other two are nearly transposes of each other.

# %%
names = ("0: root", "1: centrifugal", "2: centripetal")
fig, axes = plt.subplots(1, 3, figsize=(11, 3.7), layout="constrained")
for ax, matrix, name in zip(axes, graph.adjacency, names, strict=True):
    ax.imshow(matrix, cmap="Blues", vmin=0, vmax=0.6)
    ax.set(title=name, xlabel="target joint", ylabel="source joint")

print("A has the axes [K, source, target]:", graph.adjacency.shape)
assert np.allclose(graph.adjacency.sum(axis=(0, 1)), 1)  # a column sums to 1 over all subsets

# %% [markdown]
# One joint, spelled out. Who speaks to the left hip, in which subset, how loudly?

# %%
hip = layout.joints.index("left_hip")
distance = hop_distance(layout)[:, layout.joints.index("nose")]  # bones between joint and centre
for k, source in zip(*np.nonzero(graph.adjacency[:, :, hip]), strict=True):
    print(f"{names[k]:15} {layout.joints[source]:14} weight {graph.adjacency[k, source, hip]:.3f}"
          f"   ({distance[source]:.0f} bones from the centre; the hip: {distance[hip]:.0f})")

# %% [markdown]
# ## Space and time
#
# Bones join the joints of a frame; a joint is also joined to itself in the next and the previous frame.
# That is the spatiotemporal graph of the ST-GCN paper. A layer walks one bone along the body and four
# frames along time.

# %%
plot_spatiotemporal_graph(graph, frames=4, joints=recording.tracks[0].joints[:, :, :9])[0]

# %% [markdown]
# The same graph as lists of edges, in the form of PyTorch Geometric:

# %%
print(graph.to_pyg(frames=4))

# %% [markdown]
# ## The layer by hand
#
# $$y = \mathrm{relu}\big(\;\mathrm{bn}_2(\mathrm{temporal}(\mathrm{relu}(\mathrm{bn}_1(\mathrm{graph}(x)))))
# + \mathrm{residual}(x)\big)$$
#
# We take a small layer (3 channels in, 4 out, 5 frames under the kernel) in double precision, with batch
# norms that have already learned something, and real joints as input.

# %%
layer = STGCN(3, 4, graph, kernel_size=5).double().eval()
for module in layer.modules():  # as after some training: nothing at its initial value
    if isinstance(module, torch.nn.BatchNorm2d):
        module.running_mean.normal_()
        module.running_var.uniform_(0.5, 2)
        torch.nn.init.normal_(module.weight)
        torch.nn.init.normal_(module.bias)
torch.nn.init.uniform_(layer.graph_conv.edge_importance, 0.5, 1.5)

x = torch.from_numpy(recording.tracks[0].joints[:, :, :20]).double()
x[:, :2] /= x[:, :2].max()  # pixels to 0..1
print(layer)
print("x has the axes [N, C, T]:", tuple(x.shape))

# %% [markdown]
# **Step 1, graph convolution.** For every subset $k$: each source is multiplied by the weight $W_k$
# of the subset and by the edge to the target (adjacency times a learned *edge importance*). The target adds
# up what it gets.
#
# $$z_{\mathrm{target}} = \sum_k \sum_{\mathrm{source}} A_k[\mathrm{source}, \mathrm{target}]\;
# E_k[\mathrm{source}, \mathrm{target}]\;(W_k\, x_{\mathrm{source}} + b_k)$$

# %%
conv = layer.graph_conv
adjacency = conv.adjacency * conv.edge_importance  # [K, source, target]
z = torch.zeros(17, 4, 20, dtype=torch.float64)
for k in range(graph.num_partitions):
    for source in range(17):
        message = conv.weight[k] @ x[source] + conv.bias[k][:, None]  # [4, T]
        for target in range(17):
            z[target] += adjacency[k, source, target] * message

with torch.no_grad():
    error = (z - conv(x[None])[0]).abs().max()
print(f"largest difference: {error:.1e}")
assert error < 1e-6

# %% [markdown]
# skelact does it in another order: it first adds up the sources, then multiplies by the weights. That is
# the same sum (look at the formula: $W_k$ does not depend on the source) and needs fewer products. As one line:

# %%
in_one = torch.einsum("kst,koc,scf->tof", adjacency, conv.weight, x)
in_one += (adjacency.sum(dim=1).T @ conv.bias)[:, :, None]
assert torch.allclose(in_one, z, atol=1e-10)

# %% [markdown]
# **Step 2, batch norm and relu.** In evaluation a norm is a fixed scale and shift for every channel.


# %%
def normalise(values, norm):
    """[N, C, T] values by the running statistics of a batch norm."""
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (values - norm.running_mean[:, None]) * scale[:, None] + norm.bias[:, None]


first_norm, _, temporal, second_norm, _ = layer.temporal
h = normalise(z, first_norm).clamp(min=0)

# %% [markdown]
# **Step 3, temporal convolution.** Every joint is convolved along its own time: 5 frames, two before and
# two after, zeros where the clip has ended. All joints share the weights.

# %%
padded = torch.nn.functional.pad(h, (2, 2))
u = torch.zeros_like(h)
for t in range(20):
    for step in range(5):
        weight = temporal.weight[:, :, step, 0]  # [C_out, C_in]
        u[:, :, t] += padded[:, :, t + step] @ weight.T
    u[:, :, t] += temporal.bias
u = normalise(u, second_norm)

# %% [markdown]
# **Step 4, residual.** The input is added. It has 3 channels and the output 4, so it first goes through a
# product of its own and a norm.

# %%
product, norm = layer.shortcut
shortcut = torch.einsum("oc,ncf->nof", product.weight[:, :, 0, 0], x) + product.bias[:, None]
y = (u + normalise(shortcut, norm)).clamp(min=0)

with torch.no_grad():
    error = (y - layer(x)).abs().max()
print(f"by hand against the layer, largest difference: {error:.1e}")
assert error < 1e-6

# %% [markdown]
# That is the whole layer. A network is ten of them, one after another, then the mean over joints and
# frames, and one product that gives a score for each class.
#
# ## How far does a layer see?
#
# Change one joint in one frame and look where the output changes. With every layer the change spreads by
# one bone and four frames (kernel 9). Look at the last picture: after four layers 9 of 17 joints, and 33 frames
# (1.3 seconds at 25 frames a second), depend on that one value. ST-GCN has ten layers.

# %%
layers = [STGCN(1, 1, graph, residual=False, edge_importance=False) for _ in range(4)]
signal = torch.zeros(17, 1, 61)
signal[layout.joints.index("left_wrist"), 0, 30] = 1
fig, axes = plt.subplots(1, 4, figsize=(13, 3.6), sharey=True, layout="constrained")
for count, (ax, one) in enumerate(zip(axes, layers, strict=True), start=1):
    torch.nn.init.ones_(one.graph_conv.weight)  # all weights 1 and no bias: nothing can cancel
    torch.nn.init.zeros_(one.graph_conv.bias)
    torch.nn.init.ones_(one.temporal[2].weight)
    torch.nn.init.zeros_(one.temporal[2].bias)
    with torch.no_grad():
        signal = one.eval()(signal)
    reached = signal[:, 0] > 0
    ax.imshow(reached, aspect="auto", cmap="Blues", vmax=1.5)
    ax.set(title=f"{count} layer{'s' * (count > 1)}: {int(reached.any(dim=1).sum())} joints, "
           f"{int(reached.any(dim=0).sum())} frames", xlabel="frame")
axes[0].set_yticks(range(17), [name.replace("_", " ") for name in layout.joints], fontsize=8)
assert reached.any(dim=0).sum() == 4 * 8 + 1

# %% [markdown]
# ## Try it
#
# - `Graph("coco17", partition="distance")` has two subsets, `"uniform"` has one. What can a layer no longer
#   tell apart?
# - `max_hop=2` lets a layer reach two bones far. How many subsets are there now?
# - Next: [3, training](3_train.ipynb).
