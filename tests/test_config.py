"""Settings: what may be said, and that all of it is explained."""

from dataclasses import fields
from pathlib import Path

import pytest

from skelact.config import (
    AugmentConfig,
    ClipConfig,
    NetworkConfig,
    OptimConfig,
    TrainConfig,
)
from skelact.errors import ChoiceError

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(("kind", "name", "bad"), [
    (OptimConfig, "lr", (0.0, -1.0, float("nan"), float("inf"))),
    (OptimConfig, "epochs", (0,)),
    (OptimConfig, "batch_size", (0,)),
    (OptimConfig, "momentum", (-0.1, 0.0, 1.0)),
    (OptimConfig, "label_smoothing", (-0.1, 1.0)),
    (OptimConfig, "ema", (-0.1, 1.0)),
    (OptimConfig, "accumulate", (0, 65)),
    (OptimConfig, "repeat", (0,)),
    (OptimConfig, "optimizer", ("adam",)),
    (OptimConfig, "schedule", ("linear", "step")),
    (OptimConfig, "milestones", ([3.0],)),
    (OptimConfig, "class_weights", ("some",)),
    (OptimConfig, "body_lr", (-1.0, float("inf"))),
    (AugmentConfig, "crop", (0.0, 1.1)),
    (AugmentConfig, "max_frame_step", (1,)),
    (AugmentConfig, "flip", (-0.1, 1.1, float("nan"))),
    (AugmentConfig, "scale", (1.0,)),
    (AugmentConfig, "others", (-1.0, float("inf"))),
    (AugmentConfig, "mixup", (-1.0, float("nan"))),
    (AugmentConfig, "speed", (1.0,)),
    (ClipConfig, "frames", (0, 1)),
    (ClipConfig, "people", (0,)),
    (ClipConfig, "dims", (1, 4)),
    (ClipConfig, "sampling", ("all",)),
    (ClipConfig, "normalise", ("no",)),
    (ClipConfig, "stream", ("bones",)),
    (ClipConfig, "min_confidence", (2.0,)),
    (ClipConfig, "window", (0.0,)),
    (NetworkConfig, "dropout", (1.0,)),
    (NetworkConfig, "base_channels", (-1,)),
    (NetworkConfig, "absent", ("ignore",)),
    (NetworkConfig, "freeze_layers", (-1,)),
    (TrainConfig, "seed", (-1,)),
    (TrainConfig, "workers", (-1,)),
    (TrainConfig, "save_steps", (0,)),
    (TrainConfig, "test_clips", (0,)),
    (TrainConfig, "precision", ("fp8",)),
    (TrainConfig, "background", ("folder",)),
])
def test_values_out_of_range_are_refused_by_name(kind, name, bad):
    for value in bad:
        with pytest.raises(ChoiceError, match=name):
            kind(**{name: value})


def test_what_does_not_go_together_is_refused():
    for fields_ in ({"retrain": True}, {"background": ["others.store"]},
                    {"optim": OptimConfig(patience=3)}):
        with pytest.raises(ChoiceError, match="validation part; pass --validate true"):
            TrainConfig(validate=False, **fields_)
    assert OptimConfig(momentum=0.0, nesterov=False).momentum == 0
    assert OptimConfig(optimizer="adamw", momentum=0.0).momentum == 0
    assert OptimConfig(schedule="step", milestones=[3.0]).milestones == [3.0]


def test_every_setting_is_documented():
    source = (ROOT / "skelact" / "config.py").read_text().splitlines()
    for kind in (OptimConfig, AugmentConfig, ClipConfig, NetworkConfig, TrainConfig):
        for field in fields(kind):
            line = next(i for i, text in enumerate(source)
                        if text.startswith(f"    {field.name}: "))
            assert source[line + 1].startswith('    """'), field.name
