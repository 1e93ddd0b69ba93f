"""``skelact models convert``: models of weights that others published."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skelact.cli.parser import CommandParser
    from skelact.models.checkpoint import ActionModel


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact models convert --help``."""
    parser = _parser()
    options = parser.parse_args(arguments)

    from skelact.models.checkpoint import save_model
    from skelact.models.published import read_published
    from skelact.models.published.conversion import (
        convert_published,
        find_publisher,
        published_clip,
    )
    from skelact.output import check_writable

    check_writable(options.output, options.overwrite)
    classes = _find_classes(options.classes) if options.classes else ()
    reading = read_published(options.file)
    publisher = find_publisher(options.file, reading)
    clip = published_clip(publisher, reading.arguments["in_channels"], options.layout,
                          options.clip.dims)
    # what the command line says of the clip stands over what was published
    parser.set_defaults({f"clip.{name}": value for name, value in asdict(clip).items()
                         if name != "layout"})
    said = parser.instantiate_classes(parser.parse_args(arguments)).clip
    normalise = clip.normalise if said.normalise == "auto" else said.normalise
    clip = replace(said, layout=clip.layout, dims=clip.dims, normalise=normalise)
    model = convert_published(options.file, reading, clip, classes, options.threshold,
                              **{"absent": options.absent} | _read_arguments(options.network))
    print(f"{options.file}: {_describe(model, publisher)}")
    for sentence in _assumptions(model, publisher, named=bool(classes)):
        print(f"assumed: {sentence}")
    save_model(model, options.output, options.overwrite)
    print(f"-> {options.output}; next: skelact recognize VIDEO --model {options.output}")
    return 0


def _read_arguments(words: list[str]) -> dict:
    """Arguments of the network's function out of ``NAME=VALUE``, the values as in YAML.

    Raises:
        SkelactError: A word is of another form.
    """
    import yaml

    from skelact.errors import SkelactError

    arguments = {}
    for word in words:
        name, equals, value = word.partition("=")
        try:
            arguments[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            equals = ""
        if not (name and equals and value):
            raise SkelactError(f"expected --network NAME=VALUE, such as kernel_size=9 or "
                               f"rows=[[1,1],[2,2]]; got {word!r}")
    return arguments


def _find_classes(word: str) -> list[str]:
    """Class names: of a list that is known, of a file, or separated by commas.

    Raises:
        SkelactError: It is none of them, or the file is no text.
    """
    from skelact.datasets.readers.ntu_classes import NTU120_CLASSES
    from skelact.errors import SkelactError
    from skelact.models.published.class_names import HAND_GESTURES

    known = {"ntu60": NTU120_CLASSES[:60], "ntu120": NTU120_CLASSES, "hand-gestures": HAND_GESTURES}
    if word in known:
        return list(known[word])
    if Path(word).is_file():
        try:
            lines = Path(word).read_text("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise SkelactError(f"expected {word} as a text file of class names, one a line; it is "
                               "no text") from error
        return [line.strip() for line in lines if line.strip()]
    if "," not in word:
        raise SkelactError(f"expected --classes as a file of names, one a line, as names separated "
                           f"by commas, or one of {', '.join(known)}; got {word!r}")
    return [name.strip() for name in word.split(",")]


def _describe(model: "ActionModel", publisher: str) -> str:
    """What was recognised, in a few lines."""
    name, arguments = model.architecture["name"], model.architecture["arguments"]
    size = sum(parameter.numel() for parameter in model.network.parameters())
    classes = ", ".join(model.classes[:3]) + ", ..." * (len(model.classes) > 3)
    return "\n".join([
        f"{name} as {publisher} published it, {size:,} parameters",
        f"network: {_list(arguments)}",
        f"classes: {len(model.classes)} ({classes})",
        f"clip: {_list(asdict(model.clip))}",
    ])


def _list(settings: dict) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items() if value != "")


def _assumptions(model: "ActionModel", publisher: str, named: bool) -> list[str]:
    """What the weights do not say, a sentence each."""
    clip = model.clip
    sentences = [
        *model.training["assumptions"],
        f"clips are as {publisher} makes them of {clip.dims}-D {clip.layout} (--clip.* override)",
        f"it looks at the stream {clip.stream} (--clip.stream)",
    ]
    if "motion" in clip.stream:
        sentences.append("motion is taken between frames of the clip, not of the recording")
    if not named:
        sentences.append("the classes have no names (--classes)")
    if not model.threshold:
        sentences.append("whatever it sees gets a name (--threshold)")
    return sentences


def _parser() -> "CommandParser":
    from jsonargparse import set_parsing_settings

    from skelact.cli.parser import CommandParser
    from skelact.config import ClipConfig

    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    parser = CommandParser(
        "models convert",
        "Make a model that `skelact recognize` takes of weights that others published (st-gcn, "
        "pyskl, CTR-GCN). Says what it recognised and what the weights do not say; the form of a "
        "clip is that of the publisher unless --clip.* say otherwise.",
    )
    add = parser.add_argument
    add("file", metavar="FILE", help="a .pt or .pth of tensors")
    add("--layout", required=True, metavar="LAYOUT", help="the skeleton that it was trained on, a "
        "name such as ntu25 or a .yaml file")
    add("-o", "--output", required=True, metavar="MODEL.pt", help="the checkpoint to write")
    add("--classes", metavar="FILE", help="class names: a file, one a line; or separated by "
        "commas; or ntu60, ntu120, hand-gestures (default: class_0, class_1, ...)")
    add("--threshold", type=float, default=0.0, help="least probability that names an action "
        "(default: %(default)s)")
    add("--network", action="append", default=[], metavar="NAME=VALUE", help="an argument of the "
        "network, in place of what was inferred or assumed; may be given again")
    add("--absent", choices=["zeros", "skip"], default="zeros", help="convolve zeros for absent "
        "people, as published, or skip them (default: %(default)s)")
    add("--overwrite", action="store_true", help="replace an existing file")
    parser.add_class_arguments(ClipConfig, "clip", skip={"layout"})
    return parser
