"""``skelact train``: train a recognizer on a labelled data set."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skelact.cli.parser import CommandParser
    from skelact.config import TrainConfig


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact train --help``."""
    config, output, overwrite = parse(arguments)

    from skelact.training.loop import train

    model = train(config, output, overwrite)
    for name, value in model.metrics.items():
        print(f"{name:>24}  {value:.4f}" if isinstance(value, float) else f"{name:>24}  {value}")
    print(f"\nwrote {output}/model.pt; next: skelact recognize VIDEO --model {output}/model.pt")
    return 0


def parse(arguments: list[str]) -> tuple["TrainConfig", str, bool]:
    """Settings, run folder and whether to overwrite it, from the words of the command line.

    The preset is read first, wherever it stands, so that every other word overrides it.

    Raises:
        ChoiceError: No such preset, or a value that a setting does not allow.
        SystemExit: A word that the command does not know, or a value of another kind.
    """
    from skelact.config import TrainConfig, find_preset

    parser = _parser()
    # one folder a --background: jsonargparse appends where an option ends in +
    words = [word.replace("--background", "--background+", 1)
             if word.partition("=")[0] == "--background" else word for word in arguments]
    probe = [word for word in words if not word.startswith("--print_config")]
    preset = find_preset(parser.parse_args(probe).preset)
    options = parser.parse_args(["--config", str(preset), *words])
    settings = parser.instantiate_classes(options)
    fields = {name: settings[name] for name in TrainConfig.__dataclass_fields__}
    return TrainConfig(**fields), settings.output, settings.overwrite


def _parser() -> "CommandParser":
    from jsonargparse import DefaultHelpFormatter, set_parsing_settings

    from skelact.cli.parser import CommandParser
    from skelact.config import TrainConfig, presets

    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    parser = CommandParser(
        "train",
        "Train a recognizer on a labelled data set. Every value of a preset can be overridden: "
        "--optim.lr 0.05",
        formatter_class=DefaultHelpFormatter,
    )
    parser.add_argument("preset", help=f"{', '.join(presets())} or a YAML file of values")
    parser.add_argument("-o", "--output", default="runs/latest", metavar="RUN_DIR",
                        help="run folder (default: %(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier run there")
    parser.add_argument("--config", action="config", help="a further YAML file of values")
    parser.add_class_arguments(TrainConfig, as_group=False)
    return parser
