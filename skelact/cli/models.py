"""``skelact models``: the networks, and trained models for use elsewhere."""

from typing import TYPE_CHECKING

from skelact.cli.actions import run_action

if TYPE_CHECKING:
    from skelact.cli.parser import CommandParser


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact models --help``."""
    return run_action("models", {
        "list": ("list the networks with their sizes", _list),
        "show": ("show a network or a trained model layer by layer", _show),
        "convert": ("make a model of weights that others published", _convert),
        "export": ("write a model as ONNX, or for torch.export, checked against torch", _export),
    }, arguments)


def _list(arguments: list[str]) -> int:
    from skelact.cli.model_summary import run_list

    return run_list(arguments)


def _show(arguments: list[str]) -> int:
    from skelact.cli.model_summary import run_show

    return run_show(arguments)


def _convert(arguments: list[str]) -> int:
    from skelact.cli.model_convert import run

    return run(arguments)


def _export(arguments: list[str]) -> int:
    options = _export_parser().parse_args(arguments)

    from skelact.models.checkpoint import load_model
    from skelact.models.export import export_model
    from skelact.output import check_writable

    check_writable(options.output, options.overwrite)  # before the model is read, not after
    model = load_model(options.checkpoint)
    difference = export_model(model, options.output, options.overwrite)
    classes, joints = len(model.classes), model.layout.num_joints
    print(f"clips [B, M, {joints}, {model.network.in_channels}, T] -> scores [B, "
          f"{classes + model.rejects}], probabilities [B, {classes}]; differs from torch by at "
          f"most {difference:.0e}")
    if model.pixels is not None:
        print("the skeleton network alone: what looks at pixels is not exported")
    print(f"-> {options.output}")
    return 0


def _export_parser() -> "CommandParser":
    from skelact.cli.parser import CommandParser

    parser = CommandParser(
        "models export",
        "Write a model for another runtime. The input is clips [B, M, N, C, T] with any batch, "
        "people and frames, in the form that the file's metadata names (classes, joints, frames, "
        "normalisation, stream, threshold); the outputs are scores and probabilities. The file "
        "is run and compared with torch before it is kept.",
    )
    parser.add_argument("checkpoint", nargs="?", metavar="CKPT",
                        help="a model that `skelact train` wrote (default: the one that ships "
                        "with skelact)")
    parser.add_argument("-o", "--output", required=True, metavar="FILE",
                        help=".onnx (needs skelact[export]), or .pt2 for torch.export")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    return parser
