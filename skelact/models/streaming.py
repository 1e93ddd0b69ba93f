"""Networks that are given one frame at a time and score all there was so far.

`streaming` gives a network's weights a form in which every frame is convolved once; its scores are
those of `unpadded`, the same weights on the whole clip without frames of zeros around it.
"""

import copy
import hashlib

import torch
from torch import Tensor, nn

from skelact.checks import check_shape
from skelact.errors import ChoiceError, ShapeError
from skelact.models.classifier import SkeletonClassifier, check_slots
from skelact.models.unpadded import find_extents, frames_of_layers, list_layers
from skelact.nn.frame_buffer import FrameBuffer
from skelact.nn.product import affine
from skelact.nn.running_mean import RunningMean
from skelact.nn.streaming import stream

_NEVER = -1
"""When somebody was last seen who was not."""


def streaming(network: SkeletonClassifier, window: int | None = None) -> "StreamingClassifier":
    """A trained network that is given one frame at a time; see `StreamingClassifier`.

    Args:
        network: ST-GCN, ST-GCN++ or CTR-GCN of any layout, width and strides. Its weights are
            copied as they are now, in the form they have in eval mode.
        window: How many frames back the scores look; None for all. Where a clip of so many frames
            would leave some out at its end (a strided layer may), fewer are taken: the property
            ``window`` has the number.

    Raises:
        ChoiceError: A layer cannot take one frame at a time, or ``window`` is shorter than the
            receptive field.
    """
    return StreamingClassifier(network, window)


class StreamingClassifier:
    """Scores action classes after every frame.

    Frame t, counted from 0, is answered with the scores of ``unpadded(network)`` on a clip: all
    frames 0 ... t; with a window, the frames from ``window - 1`` before the last answer of the last
    layer up to t. They are equal up to rounding. The last layer answers every ``stride``-th frame;
    between its answers the scores stay, unless somebody enters.

    CTR-GCN is another case: for clips, it refines its topology by the mean over all of a clip, and
    what comes cannot be known. Here, as in `unpadded` with the same ``window``, that mean is over
    the frames so far; the mean of the features over the window is then that of
    ``unpadded(network, window)`` on all frames, over its last answers.

    Persons keep their slot m of M. Who counts is what the network says of clips: a person whose
    every value is 0 in all the frames of the clip is absent and skipped; a frame of zeros is
    convolved as such while the person is in the clip. (A network with ``absent="zeros"`` counts
    everybody.) So who enters is taken in as somebody who was 0 before, and who has left counts
    until the last frame in which they were seen leaves the window; without a window, until
    ``reset(person)``. Nobody is convolved before they enter, nor once no frame in which they were
    seen is left under a kernel: the layers' answers to zeros are known.

    Args:
        network: See `streaming`.
        window: See `streaming`.

    Attributes:
        receptive_field: Frames that one answer of the last layer depends on.
        stride: Frames from one answer of the last layer to the next.
        window: How many frames back the scores look; None for all.
    """

    def __init__(self, network: SkeletonClassifier, window: int | None = None):
        if window is not None and not isinstance(window, int):
            raise ChoiceError(f"expected window as a number of frames or None, got {window!r}")
        self.layout = network.layout
        *before, (self.receptive_field, self.stride) = find_extents(network)
        frames = frames_of_layers(network, window)
        layers = [stream(layer, last) for layer, last
                  in zip(list_layers(network), frames, strict=True)]
        answers = window and (window - self.receptive_field) // self.stride + 1
        self.window = answers and self.receptive_field + (answers - 1) * self.stride
        self._memory = 1 + sum((layer.memory - 1) * step for layer, (_, step)
                               in zip(layers, before, strict=True))
        self._absent_count = network.absent == "zeros"
        self._slots = network.input_norm.slots
        self._head = copy.deepcopy(network.head).requires_grad_(False)
        shape = (-1, self.layout.num_joints, network.in_channels)
        self._scale, self._shift = (value.view(shape).to(self._head.weight)
                                    for value in affine(network.input_norm))
        self._layers = nn.ModuleList(layers)
        self._mean = RunningMean(answers)
        self._memories = {name: module for name, module in self._layers.named_modules()
                          if isinstance(module, FrameBuffer | RunningMean)}
        self._print = _fingerprint([self._scale, self._shift, *self._layers.state_dict().values(),
                                    *self._head.state_dict().values()])
        with torch.no_grad():
            self._rest = self._convolve(self._shift)  # [1 or slots, D]: features of zeros
            self._mean.push(self._rest)
        self.reset()

    @property
    def delay(self) -> int:
        """Frames without scores before the first frame with scores."""
        return self.receptive_field - 1

    @torch.no_grad()
    def step(self, frame: Tensor) -> Tensor | None:
        """Take one frame.

        Args:
            frame: ``[M, N, C]``, 0 where a joint or person is missing; M is that of the first
                frame.

        Returns:
            ``[num_classes]`` scores before softmax; None for the first ``delay`` frames.

        Raises:
            ShapeError: Other axes than those, or more persons than the network has slots.
            ChoiceError: A value is NaN or infinite; it would stay in the scores for ever.
        """
        frame = self._check(torch.as_tensor(frame))
        if not self._time:
            self._open(len(frame))
        for slot, seen in enumerate((frame != 0).flatten(1).any(dim=1).tolist()):
            if seen:
                self._seen[slot] = self._time
        self._take([slot for slot, seen in enumerate(self._seen)
                    if seen != _NEVER and self._time - seen < self._memory])
        self._time += 1
        people = torch.addcmul(self._own_shift, frame[self._rows], self._own_scale)
        features = self._convolve(people)
        if features is not None:
            self._mean.push(self._everyone.index_copy(0, self._rows, features))
        return self._score()

    def reset(self, person: int | None = None) -> None:
        """Forget everything; or one person, as if all values of their frames so far had been 0.

        Args:
            person: The slot, to be given to somebody else; None to begin a new stream.

        Raises:
            ChoiceError: There is no such slot.
        """
        if person is None:
            self._time, self._seen, self._taken = 0, [], []
            for memory in [self._mean, *self._memories.values()]:
                memory.clear()
            return
        people = len(self._seen)
        if not 0 <= person < people:
            slots = f"in 0..{people - 1}" if people else "of a frame that was fed; none was yet"
            raise ChoiceError(f"expected the slot of a person {slots}, got {person}")
        self._seen[person] = _NEVER
        self._take([slot for slot in self._taken if slot != person])
        rows = torch.arange(people, device=self._rest.device)
        rows[person] = people + person % len(self._rest)
        self._mean.take(rows)

    def state(self) -> dict[str, Tensor]:
        """Copies of what it remembers of the stream; ``torch.save`` can write them."""
        state = {"network": self._print,
                 "time": torch.tensor(self._time),
                 "seen": torch.tensor(self._seen, dtype=torch.long),
                 "taken": torch.tensor(self._taken, dtype=torch.long)}
        for name, memory in {"mean": self._mean, **self._memories}.items():
            state |= {f"{name}.{key}": value for key, value in memory.state().items()}
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on where `state` was taken, to the last bit.

        Args:
            state: From a stream of the same network and window.

        Raises:
            ShapeError: It is of another network, other weights or another window.
        """
        own = {name: value.shape[1:] for name, value in self.state().items()}
        if own != {name: value.shape[1:] for name, value in state.items()}:
            raise ShapeError(f"expected the state of a stream of the same network with window "
                             f"{self.window}, got one whose tensors have other names or shapes")
        if not torch.equal(state["network"], self._print):
            raise ShapeError("expected the state of a stream of the same network, got one of other "
                             "weights")
        self.reset()
        self._time = int(state["time"])
        self._open(len(state["seen"]))
        self._seen = state["seen"].tolist()
        self._select(state["taken"].tolist())
        for name, memory in {"mean": self._mean, **self._memories}.items():
            memory.restore({key: state[f"{name}.{key}"] for key in memory.state()})

    def _check(self, frame: Tensor) -> Tensor:
        """The frame in our arithmetic."""
        name = f"frame for layout {self.layout.name!r}"
        check_shape(frame, ("M", *self._scale.shape[1:]), name)
        if self._time and len(frame) != len(self._seen):
            raise ShapeError(f"expected a {name} with {len(self._seen)} persons, as the first one "
                             f"had, got {len(frame)}; 0 stands for who is absent, reset() begins "
                             f"anew")
        if self._slots:
            check_slots(len(frame), self._slots)
        if not frame.isfinite().all():
            raise ChoiceError("expected finite values, 0 where a joint is missing, got NaN or "
                              "infinity")
        return frame.to(self._scale)

    def _open(self, people: int) -> None:
        """Slots for so many people, and nobody in them."""
        self._seen = [_NEVER] * people
        slots = torch.arange(people, device=self._rest.device) % len(self._rest)
        self._everyone = self._rest[slots]  # [M, D]: the features of zeros in every slot
        self._mean.take(slots)
        self._select([])

    def _take(self, slots: list[int]) -> None:
        """Convolve the people in these slots from now on."""
        if slots == self._taken:
            return
        rows = [self._taken.index(slot) if slot in self._taken
                else len(self._taken) + slot % len(self._rest) for slot in slots]
        rows = torch.tensor(rows, dtype=torch.long, device=self._rest.device)
        for memory in self._memories.values():
            memory.take(rows)
        self._select(slots)

    def _select(self, slots: list[int]) -> None:
        """Note who is convolved, and what their input is normalised by."""
        self._taken = slots
        self._rows = torch.tensor(slots, dtype=torch.long, device=self._rest.device)
        norms = self._rows % len(self._scale)
        self._own_scale, self._own_shift = self._scale[norms], self._shift[norms]

    def _convolve(self, people: Tensor) -> Tensor | None:
        """``[P, N, C]`` to features ``[P, D]``; None where a layer has no answer."""
        for layer in self._layers:
            people = layer(people)
            if people is None:
                return None
        return people.mean(dim=1)

    def _score(self) -> Tensor | None:
        """Scores of those who are in the clip."""
        answers, kept = self._mean.count, self._mean.last
        if not answers:
            return None
        first = 0 if kept is None else max(self.stride * (answers - kept), 0)
        present = [slot for slot, seen in enumerate(self._seen)
                   if self._absent_count or seen >= first]
        features = self._mean.mean()[present].sum(dim=0) / max(len(present), 1)
        return self._head(features)


def _fingerprint(values: list[Tensor]) -> Tensor:
    """``[32]`` bytes that tell these numbers from others."""
    digest = hashlib.sha256()
    for value in values:
        digest.update(value.detach().cpu().double().numpy().tobytes())
    return torch.tensor(list(digest.digest()), dtype=torch.uint8)
