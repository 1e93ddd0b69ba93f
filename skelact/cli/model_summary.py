"""``skelact models list`` and ``skelact models show``: what networks consist of and cost."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skelact.cli.parser import CommandParser
    from skelact.models.checkpoint import ActionModel
    from skelact.models.classifier import SkeletonClassifier

_SIZES = {"layout": "ntu25", "classes": 60, "frames": 100, "people": 2}
"""What is assumed of a network that is named, by option."""


def run_list(arguments: list[str]) -> int:
    """Run the command; see ``skelact models list --help``."""
    options = _list_parser().parse_args(arguments)

    from skelact.models.checkpoint import NETWORKS
    from skelact.models.summary import summarise

    print(f"{_say_conditions(options)}, published widths\n")
    rows = []
    for name, build in NETWORKS.items():
        summary = summarise(build(options.layout, options.classes), options.frames, options.people)
        rows.append((name, f"{summary.parameters / 1e6:.2f} M",
                     f"{summary.multiply_adds / 1e9:.2f} G", _say_field(summary.receptive_field),
                     build.__doc__.split("\n")[0].rstrip(".").replace("``", "")))
    _print_table(("network", "parameters", "multiply-adds", "sees frames", ""), rows,
                 right=(1, 2, 3))
    print("\n`skelact models show NAME` lists the layers, `skelact train ... --network.name NAME` "
          "trains one.")
    return 0


def run_show(arguments: list[str]) -> int:
    """Run the command; see ``skelact models show --help``."""
    options = _show_parser().parse_args(arguments)

    from skelact.models.summary import summarise

    network, facts = _open(options)
    summary = summarise(network, options.frames, options.people)
    for fact in facts:
        print(fact)
    rows = [(layer.name, layer.kind, " x ".join(map(str, layer.output_shape)),
             f"{layer.parameters:,}", f"{layer.multiply_adds / 1e6:,.1f} M")
            for layer in summary.layers]
    rows.append(("in all", "", "", f"{summary.parameters:,}",
                 f"{summary.multiply_adds / 1e6:,.1f} M"))
    print()
    _print_table(("layer", "kind", "output [M, N, C, T]", "parameters", "multiply-adds"), rows,
                 right=(3, 4))
    print(f"\na frame of the last layer sees {_say_field(summary.receptive_field)} frames")
    return 0


def _open(options) -> "tuple[SkeletonClassifier, list[str]]":
    """The network of a name or a file, and what is to be said of it first."""
    from skelact.errors import ChoiceError
    from skelact.models.checkpoint import NETWORKS, load_model

    if options.model in NETWORKS:
        for name, value in _SIZES.items():
            if getattr(options, name) is None:
                setattr(options, name, value)
        build = NETWORKS[options.model]
        facts = [build.__doc__.split("\n")[0], _say_conditions(options)]
        return build(options.layout, options.classes), facts
    if options.model and not Path(options.model).exists():
        raise ChoiceError(f"expected a checkpoint or one of {', '.join(NETWORKS)}; got "
                          f"{options.model!r}, and no file has this name")
    if (options.layout, options.classes) != (None, None):
        raise ChoiceError("--layout and --classes are for a network that is named; a checkpoint "
                          "has its own")
    model = load_model(options.model)
    options.frames = model.clip.frames if options.frames is None else options.frames
    options.people = model.clip.people if options.people is None else options.people
    return model.network, [*_describe(model), f"multiply-adds of one clip of {options.people} x "
                           f"{options.frames} frames"]


def _describe(model: "ActionModel") -> list[str]:
    clip, arguments = model.clip, model.architecture["arguments"]
    given = ", ".join(f"{name}={value}" for name, value in arguments.items())
    return [
        f"{model.name}: {model.architecture['name']}({given}) on {model.layout.name}",
        f"{len(model.classes)} classes: {', '.join(model.classes)}",
        f"clips of {clip.frames} frames, {clip.dims}-D, stream {clip.stream}, {clip.normalise} "
        f"normalisation; threshold {model.threshold:g}"
        + (", rejects what is none of its classes" if model.rejects else ""),
    ] + [f"trained on {model.data['name']}"] * ("name" in model.data)


def _say_conditions(options) -> str:
    return (f"{options.layout}, {options.classes} classes; multiply-adds of one clip of "
            f"{options.people} x {options.frames} frames")


def _say_field(frames: int | None) -> str:
    return "all" if frames is None else str(frames)


def _print_table(
    titles: Iterable[str], rows: list[tuple[str, ...]], right: tuple[int, ...]
) -> None:
    lines = [tuple(titles), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.rjust(width) if column in right else cell.ljust(width)
                 for column, (cell, width) in enumerate(zip(line, widths, strict=True)))
        print("  ".join(cells).rstrip())


def _list_parser() -> "CommandParser":
    from skelact.cli.parser import CommandParser

    parser = CommandParser("models list", "List the networks that `skelact train` knows: "
                           "parameters, multiply-adds, and how many frames the last layer sees.")
    _add_sizes(parser, **_SIZES)
    return parser


def _show_parser() -> "CommandParser":
    from skelact.cli.parser import CommandParser

    parser = CommandParser("models show", "Show a network or a trained model layer by layer.")
    parser.add_argument("model", nargs="?", metavar="NAME|CKPT",
                        help="a network of `skelact models list`, or a checkpoint (default: the "
                        "model that ships with skelact)")
    _add_sizes(parser)
    return parser


def _add_sizes(parser: "CommandParser", **defaults: str | int) -> None:
    parser.add_argument("--layout", metavar="NAME",
                        help="the skeleton of a network that is named (default: ntu25)")
    parser.add_argument("--classes", type=int, metavar="N",
                        help="its number of classes (default: 60)")
    parser.add_argument("--frames", type=int, metavar="T",
                        help="frames of the clip whose cost is counted (default: those of the "
                        "checkpoint's clips, or 100)")
    parser.add_argument("--people", type=int, metavar="M",
                        help="people in it, all of them present (default: the checkpoint's, or 2)")
    parser.set_defaults(**defaults)
