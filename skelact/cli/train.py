"""``skelact train``: train a recognizer on a labelled data set."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skelact.cli.parser import CommandParser
    from skelact.config import TrainConfig


@dataclass(frozen=True)
class Order:
    """What the words of the command line ask for.

    Args:
        config: The settings.
        output: The run folder.
        overwrite: Remove an earlier run there.
        resume: Go on with one.
        seeds: How many runs, each with another seed.
        streams: The streams of each, fused; empty for the one that the settings name.
        fusion: Weight of each stream; empty for the usual.
    """

    config: "TrainConfig"
    output: str
    overwrite: bool = False
    resume: bool = False
    seeds: int = 1
    streams: tuple[str, ...] = ()
    fusion: tuple[float, ...] = ()


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact train --help``."""
    order = parse(arguments)
    if order.seeds > 1 or order.streams:
        return _train_many(order)

    from skelact.training.distributed import is_main_process
    from skelact.training.loop import train

    model = train(order.config, order.output, order.overwrite, order.resume)
    if is_main_process():
        for name, value in model.metrics.items():
            shown = f"{value:.4f}" if isinstance(value, float) else value
            print(f"{name:>24}  {shown}")
        print(f"\nwrote {order.output}/model.pt and report.md; next: "
              f"skelact recognize VIDEO --model {order.output}/model.pt")
    return 0


def _train_many(order: Order) -> int:
    from skelact.training.campaign import train_many
    from skelact.training.distributed import is_main_process

    summary = train_many(order.config, order.output, order.seeds,
                         order.streams, order.fusion or None, overwrite=order.overwrite,
                         resume=order.resume)
    if is_main_process():
        print(summary)
        print(f"\nwrote {order.output}/report.md and summary.json")
    return 0


def parse(arguments: list[str]) -> Order:
    """What the words of the command line ask for.

    The preset is read first, wherever it stands, then the recipe; every other word overrides them.

    Raises:
        ChoiceError: No such preset or recipe, or a value that a setting does not allow.
        SystemExit: A word that the command does not know, or a value of another kind.
    """
    from skelact.config import TrainConfig
    from skelact.presets import find_preset, find_recipe

    parser = _parser()
    # one store a --background: jsonargparse appends where an option ends in +
    words = [word.replace("--background", "--background+", 1)
             if word.partition("=")[0] == "--background" else word for word in arguments]
    probe = parser.parse_args([word for word in words if not word.startswith("--print_config")])
    preset, store = find_preset(probe.preset)
    files = [preset, *([find_recipe(probe.recipe)] if probe.recipe else [])]
    before = [word for file in files for word in ("--config", str(file))]
    settings = parser.instantiate_classes(parser.parse_args(
        [*before, *(["--data", store] if store else []), *words]))
    fields = {name: settings[name] for name in TrainConfig.__dataclass_fields__}
    streams, weights = _streams(settings)
    return Order(TrainConfig(**fields), settings.output or f"runs/{Path(probe.preset).stem}",
                 settings.overwrite, settings.resume, settings.seeds, streams, weights)


def _streams(settings) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The streams and their weights.

    Raises:
        ChoiceError: An unknown or repeated stream, or not one weight above 0 a stream.
    """
    from skelact.checks import check_choice
    from skelact.config import STREAMS
    from skelact.errors import ChoiceError
    from skelact.evaluation.fusion import parse_weights

    streams = tuple(settings.streams.split(",")) if settings.streams else ()
    for stream in streams:
        check_choice(stream, STREAMS, "a stream")
    if len(set(streams)) < len(streams):
        raise ChoiceError(f"expected every stream once, got {settings.streams}")
    if settings.seeds < 1:
        raise ChoiceError(f"expected seeds from 1, got {settings.seeds}")
    weights = parse_weights(settings.fusion) if settings.fusion else ()
    if weights and len(weights) != len(streams):
        raise ChoiceError(f"expected one weight a stream, such as --streams joint,bone --fusion "
                          f"2:1; got {settings.fusion} for {settings.streams or 'no --streams'}")
    return streams, weights


def _parser() -> "CommandParser":
    from jsonargparse import DefaultHelpFormatter, set_parsing_settings

    from skelact.cli.parser import CommandParser
    from skelact.config import STREAMS, TrainConfig
    from skelact.presets import presets, recipes

    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    parser = CommandParser(
        "train",
        "Train a recognizer on a labelled data set. Every value of a preset can be overridden: "
        "--optim.lr 0.05",
        formatter_class=DefaultHelpFormatter,
    )
    parser.add_argument("preset", help=f"{', '.join(presets())}, a YAML file of values, or a "
                        "store that `skelact data prepare` made")
    parser.add_argument("--recipe", default="", metavar="NAME",
                        help=f"a way to train, over the preset: {', '.join(recipes())}")
    parser.add_argument("-o", "--output", default="", metavar="RUN_DIR",
                        help="run folder (default: runs/PRESET)")
    parser.add_argument("--overwrite", action="store_true", help="remove an earlier run there")
    parser.add_argument("--resume", action="store_true",
                        help="go on with an interrupted run there, to the same bits")
    parser.add_argument("--seeds", type=int, default=1, metavar="N",
                        help="train N times from --seed on; report mean and deviation")
    parser.add_argument("--streams", default="", metavar=",".join(STREAMS),
                        help="train these streams and fuse their scores")
    parser.add_argument("--fusion", default="", metavar="2:2:1:1",
                        help="weight of each stream (default: 2 for joint and bone, 1 for motion)")
    parser.add_argument("--config", action="config", help="a further YAML file of values")
    parser.add_class_arguments(TrainConfig, as_group=False)
    return parser
