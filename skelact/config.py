"""Settings as frozen dataclasses; a field's docstring is its ``--help``.

The values of a data set or a recipe stand in the YAML files of ``configs/``; see
`skelact.presets`.
"""

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from skelact.checks import check_choice
from skelact.errors import ChoiceError
from skelact.pixel_config import RgbConfig

NetworkName = Literal[
    "stgcn", "stgcnpp", "dgstgcn", "ctrgcn", "aagcn", "msg3d", "lstm", "transformer"
]
StreamName = Literal["joint", "bone", "joint_motion", "bone_motion"]
STREAMS: tuple[str, ...] = get_args(StreamName)
"""What a network may look at; `skelact.transforms.streams` takes it from joints."""
NormaliseName = Literal["auto", "body", "canonical", "canonical_z", "spine", "image", "image_half",
                        "image_corner", "none"]
BY_IMAGE = ("image", "image_half", "image_corner")
"""Those of `ClipConfig.normalise` that need the size of the image."""


@dataclass(frozen=True)
class ClipConfig:
    """The form in which joints enter the network; a checkpoint carries it."""

    layout: str = "auto"
    """The skeleton of the network; auto for that of the data."""
    dims: int = 0
    """2 (x, y, confidence; 3-D data is looked at from one side), 3 (x, y, z), or 0 for what the
    data has."""
    people: int = 1
    """Person slots of a clip; absent people are skipped."""
    frames: int = 64
    """Frames of a clip."""
    sampling: Literal["resize", "uniform", "pad"] = "resize"
    """How a clip comes to this number of frames: its time resized, a frame out of each of so many
    equal parts, or its first frames and then zeros."""
    normalise: NormaliseName = "body"
    """body: centred and scaled by the box of the first person; canonical (3-D): the first person
    upright, shoulders along x; image (2-D): pixels to [-1, 1]; auto: canonical for 3-D, image
    for 2-D where the image size is known, else body. For published weights: canonical_z (3-D), as
    2s-AGCN and pyskl turn people, upright along z; spine (3-D): only moved, the first person's
    spine to the origin; image_half: pixels to [-0.5, 0.5]; image_corner: to [0, 1]; none."""
    stream: StreamName = "joint"
    """What the network looks at."""
    bones: Literal["layout", "pyskl"] = "layout"
    """Bones of the bone streams: those of the layout, or pyskl's, with 0 for missing joints."""
    confidence: bool = True
    """Whether the network sees the confidence of 2-D joints, or x and y only."""
    min_confidence: float = 0.1
    """Joints found with less confidence count as missing (2-D)."""
    window: float = 2.5
    """Seconds of one window when an untrimmed recording is recognized."""

    def __post_init__(self) -> None:
        check_choice(self.dims, (0, 2, 3), "dims")
        check_choice(self.sampling, ("resize", "uniform", "pad"), "sampling")
        check_choice(self.normalise, get_args(NormaliseName), "normalise")
        check_choice(self.stream, STREAMS, "stream")
        check_choice(self.bones, ("layout", "pyskl"), "bones")
        _check_range(self, ("frames",), 2)
        _check_range(self, ("people",), 1)
        _check_range(self, ("min_confidence",), 0, 1)
        _check_range(self, ("window",), 0.1)

    @property
    def channels(self) -> int:
        """C of a clip whose ``dims`` are settled."""
        return 3 if self.dims == 3 or self.confidence else 2


@dataclass(frozen=True)
class NetworkConfig:
    """The network and its sizes."""

    name: NetworkName = "stgcn"
    """Which network of `skelact.models`."""
    base_channels: int = 0
    """Width of the first layers; 0 for the published one."""
    partition: str = ""
    """Partition of the graph; empty for the network's own."""
    dropout: float = 0.0
    """Share of features zeroed in training."""
    absent: Literal["skip", "zeros"] = "skip"
    """Skip absent people, or convolve zeros for them as published code does."""
    freeze_layers: int = 0
    """The input norm and the first so many layers keep their weights (fine-tuning)."""
    freeze_norm: bool = False
    """Keep the statistics of all batch norms."""

    def __post_init__(self) -> None:
        check_choice(self.absent, ("skip", "zeros"), "absent")
        _check_range(self, ("base_channels",), 0)
        _check_range(self, ("freeze_layers",), 0)
        _check_range(self, ("dropout",), 0, 0.99)


@dataclass(frozen=True)
class OptimConfig:
    """How the weights are found."""

    optimizer: Literal["sgd", "adamw"] = "sgd"
    """SGD with momentum, or AdamW."""
    lr: float = 0.1
    """Highest learning rate, for a batch of `lr_batch` clips."""
    lr_batch: int = 0
    """The rate grows with `batch_size` above this number and shrinks below it; 0: it does not."""
    batch_size: int = 64
    """Labelled clips a step, of all processes together."""
    accumulate: int = 1
    """Pieces into which a process cuts its batch to save memory; the step is the same but for
    batch statistics, which are those of a piece."""
    momentum: float = 0.9
    """Momentum of SGD."""
    nesterov: bool = True
    """Nesterov's form of it."""
    weight_decay: float = 5e-4
    """L2 penalty on weights (not on biases, norms and edge importances)."""
    epochs: int = 60
    """Passes over the training clips."""
    repeat: int = 1
    """How often every clip is drawn in an epoch."""
    min_steps: int = 0
    """Least steps of an epoch: of few clips, each is drawn more often than `repeat` says."""
    warmup_epochs: float = 2.0
    """Epochs of linear warm-up."""
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    """After the warm-up: a cosine to zero, a tenth at each of `milestones`, or no change."""
    milestones: list[float] = field(default_factory=list)
    """Epochs after which the step schedule takes a tenth."""
    label_smoothing: float = 0.0
    """Share of the target spread over all classes."""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced: every class weighs the same in the loss, however many clips it has."""
    clip_norm: float = 0.0
    """Longest gradient; 0 for no limit."""
    ema: float = 0.0
    """Share of the past in a moving average of the weights, which then is the model; 0 for none."""
    patience: int = 0
    """Stop after so many epochs without a better validation; 0 for never."""
    body_lr: float = 1.0
    """The rate of everything but the head, as a share of `lr` (fine-tuning)."""

    def __post_init__(self) -> None:
        check_choice(self.optimizer, ("sgd", "adamw"), "optimizer")
        check_choice(self.schedule, ("cosine", "step", "constant"), "schedule")
        check_choice(self.class_weights, ("none", "balanced"), "class_weights")
        _check_range(self, ("batch_size", "epochs", "accumulate", "repeat"), 1)
        _check_range(self, ("lr", "lr_batch", "weight_decay", "warmup_epochs", "clip_norm",
                            "patience", "body_lr", "min_steps"), 0)
        _check_range(self, ("momentum", "label_smoothing", "ema"), 0, 0.99999)
        if not self.lr > 0:
            raise ChoiceError(f"expected lr above 0, got {self.lr}")
        if self.accumulate > self.batch_size:
            raise ChoiceError(f"expected accumulate of at most batch_size ({self.batch_size}), got "
                              f"{self.accumulate}")
        if self.nesterov and self.optimizer == "sgd" and not self.momentum:
            raise ChoiceError("nesterov needs a momentum above 0; or pass --optim.nesterov false")
        if (self.schedule == "step") != bool(self.milestones):
            raise ChoiceError(f"the step schedule needs milestones, and only it; got "
                              f"{self.schedule} with milestones {self.milestones}")


@dataclass(frozen=True)
class AugmentConfig:
    """What may happen to a training clip; by default nothing.

    Distances are in units of the normalised clip: body sizes, metres (canonical) or half images.
    """

    crop: float = 1.0
    """Shortest part of a clip that is sampled, as a share; placed at random."""
    flip: float = 0.0
    """Share of clips mirrored, left and right swapped; evaluation then averages over mirrored
    clips too. Not for actions that differ by their side."""
    rotate: float = 0.0
    """Largest rotation, degrees: in the image, or about each axis (3-D)."""
    turn: float = 0.0
    """Largest turn about the vertical, degrees (3-D): other places of the camera."""
    scale: float = 0.0
    """Largest change of size, as a share (3-D: of each axis)."""
    stretch: float = 0.0
    """Largest change of width against height, as a share (2-D)."""
    shear: float = 0.0
    """Largest slant of an axis against another (3-D)."""
    jitter: float = 0.0
    """Largest standard deviation of joint noise."""
    bias: float = 0.0
    """Largest standard deviation of a shift that each joint keeps for a whole clip: detectors,
    sensors and annotators do not agree where a joint is."""
    confidence: float = 0.0
    """Share of clips whose annotated visibility is replaced by what a detector might say (2-D)."""
    camera: float = 0.0
    """Share of clips seen by a camera that pans and zooms (2-D)."""
    swap_sides: float = 0.0
    """Share of clips whose left and right joints are exchanged without a mirror."""
    low_rate: float = 0.0
    """Share of clips that get a lower frame rate."""
    max_frame_step: int = 6
    """Coarsest frame rate: keep every n-th frame, n up to this."""
    speed: float = 0.0
    """Largest change of speed about the middle of the clip, as a share."""
    drop_joint: float = 0.0
    """Chance of every joint to be missing for a whole clip."""
    drop_part: float = 0.0
    """Share of clips that lose an arm, a leg, both legs or the head."""
    drop_span: float = 0.0
    """Share of clips that lose all joints for a short while."""
    damage: float = 0.0
    """Share of clips made worse in one of the ways that `skelact robustness` tests: noise, missing
    joints or limbs, exchanged sides, lost frames, cut ends or pictures, a tilted camera."""
    mixup: float = 0.0
    """Both parameters of the beta distribution by which clips are blended; 0 for no blending."""
    others: float = 0.4
    """Clips from `background` a labelled clip; without a background, none."""
    still: float = 0.15
    """Share of the labelled clips of which an instant is shown once more, stretched to a whole
    clip, as "no known action": holding a pose is none. Only with a background."""

    def __post_init__(self) -> None:
        shares = ("low_rate", "flip", "swap_sides", "drop_joint", "drop_part", "drop_span", "still",
                  "camera", "confidence", "damage")
        _check_range(self, shares, 0, 1)
        _check_range(self, ("crop",), 0.01, 1)
        _check_range(self, ("max_frame_step",), 2)
        _check_range(self, ("scale", "stretch", "speed"), 0, 0.99)
        _check_range(self, ("rotate", "jitter", "bias", "others", "shear", "mixup",
                            "turn"), 0)


@dataclass(frozen=True)
class TrainConfig:
    """One training run."""

    dataset: str = ""
    """Official name of the data set that a preset is for; empty for any."""
    data: str | None = None
    """The store that `skelact data prepare` made; by default NAME.store in the current folder or
    in the folder SKELACT_DATA."""
    protocol: str = ""
    """Which protocol of the store divides it into train, val and test (xsub, xview, kfold5-1, ...;
    `skelact data info` lists them); by default its first."""
    exclude: str = ""
    """A text file of clip ids, one a line, to leave out of training, validation and test."""
    validate: bool = True
    """Hold the val part back and choose the epoch by it; false: train on all of train and take the
    last epoch."""
    retrain: bool = False
    """After the epoch is chosen, train once more on all of train for so many epochs."""
    test_clips: int = 10
    """Views of each test clip whose probabilities are averaged; 1: the whole clip once."""
    background: list[str] = field(default_factory=list)
    """Stores of other data sets (UTD-MHAD, NW-UCLA), whose clips of other actions teach the
    network to say "no known action"; give it once a store, or as a list."""
    init: str | None = None
    """A checkpoint to start from: ours, or one that `load_published` reads. The head is new unless
    the classes are the same."""
    seed: int = 0
    """Seed of the weights, the order and the augmentation."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Arithmetic of the products; auto takes bf16 where it is native."""
    device: str = "auto"
    """cpu, cuda or auto."""
    compile: bool = False
    """Let torch.compile the layers: slower to start, then faster."""
    workers: int = 1
    """Threads that prepare batches ahead; the result does not depend on it."""
    save_steps: int = 200
    """Steps between the checkpoints within an epoch; each epoch ends with one as well."""
    clip: ClipConfig = field(default_factory=ClipConfig)
    """The form of a clip."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """The network."""
    optim: OptimConfig = field(default_factory=OptimConfig)
    """The optimisation."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    """The augmentation."""
    rgb: RgbConfig = field(default_factory=RgbConfig)
    """The pixels beside the skeleton, if any."""

    def __post_init__(self) -> None:
        if isinstance(self.background, str):
            raise ChoiceError(f"expected background as a list of stores, got {self.background!r}")
        check_choice(self.precision, ("auto", "fp32", "bf16", "fp16"), "precision")
        _check_range(self, ("seed", "workers"), 0)
        _check_range(self, ("save_steps", "test_clips"), 1)
        if not self.validate and (self.retrain or self.optim.patience or self.background):
            raise ChoiceError("retrain, optim.patience and background need a validation part; "
                              "pass --validate true")
        if self.augment.turn and self.clip.normalise == "canonical_z":
            raise ChoiceError("augment.turn turns about y, and clip.normalise canonical_z stands "
                              "people along z; pass --augment.turn 0")
        self._check_rgb()
        if self.network.freeze_layers and not self.init:
            raise ChoiceError("network.freeze_layers would freeze random weights; pass --init "
                              "CHECKPOINT too, or leave it out")

    def _check_rgb(self) -> None:
        """Refuse what does not go together with pixels."""
        if not self.rgb.encoder:
            return
        learned = self.rgb.tune or self.rgb.fusion == "logistic"
        if learned and not self.validate:
            raise ChoiceError("rgb.tune and rgb.fusion logistic learn from a validation part; pass "
                              "--validate true")
        if self.background and self.rgb.fusion not in ("late", "logistic"):
            raise ChoiceError("clips of a background have no pixels, and that would give them "
                              f"away; pass --rgb.fusion late instead of {self.rgb.fusion}")
        if self.augment.mixup:
            raise ChoiceError("augment.mixup blends clips, and pixels are not blended; pass "
                              "--augment.mixup 0")


def _check_range(config, names: tuple[str, ...], low: float, high: float = math.inf) -> None:
    """Refuse values outside ``low``..``high``, NaN and infinity included.

    Raises:
        ChoiceError: A value is outside.
    """
    for name in names:
        value = getattr(config, name)
        if not low <= value <= high or value == math.inf:
            limits = f"from {low}" if high == math.inf else f"in {low}..{high}"
            raise ChoiceError(f"expected {name} {limits}, got {value}")
