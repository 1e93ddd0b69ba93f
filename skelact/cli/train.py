"""``skelact train``: train a recognizer on a labelled data set."""


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact train --help``."""
    from jsonargparse import ArgumentParser

    from skelact.config import TrainConfig, find_preset, presets

    parser = ArgumentParser(
        prog="skelact train",
        description="Train a recognizer on a labelled data set. Every value of a preset can be "
        "overridden: --optim.lr 0.05",
    )
    parser.add_argument("preset", help=f"{', '.join(presets())} or a YAML file of values")
    parser.add_argument("-o", "--output", default="runs/latest", help="run folder (%(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier run there")
    parser.add_argument("--config", action="config", help="a further YAML file of values")
    parser.add_class_arguments(TrainConfig, as_group=False)
    if arguments and not arguments[0].startswith("-"):
        arguments = [arguments[0], "--config", str(find_preset(arguments[0])), *arguments[1:]]
    options = parser.parse_args(arguments)
    settings = parser.instantiate_classes(options)

    from skelact.training.loop import train

    fields = {name: settings[name] for name in TrainConfig.__dataclass_fields__}
    model = train(TrainConfig(**fields), settings.output, settings.overwrite)
    for name, value in model.metrics.items():
        print(f"{name:>24}  {value:.4f}" if isinstance(value, float) else f"{name:>24}  {value}")
    print(f"\nwrote {settings.output}/model.pt; next: skelact recognize VIDEO --model "
          f"{settings.output}/model.pt")
    return 0
