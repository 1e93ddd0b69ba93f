"""What the self-contained pages that run a script share: their frame, and how people are drawn."""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template

from skelact.graph.layouts import Layout
from skelact.visualization.colours import (
    CANVAS,
    LEFT,
    MIDDLE,
    RIGHT,
    is_bright,
    person_colour,
    side_colours,
)
from skelact.visualization.draw import FAINT, SURE
from skelact.visualization.packing import SURENESS, TICK

SUMMARY_STYLE = Path(__file__).parent / "summary.css"
DRAWING = tuple(Path(__file__).parent / "player_page" / f"{name}.js"
                for name in ("elements", "data", "view", "people", "stage"))
"""Scripts that make elements, and read and draw what `skelact.visualization.packing` packs."""

_FLOOR = (70, 74, 84)


def fill_page(template: Path, styles: Sequence[Path], scripts: Sequence[Path], facts: dict,
              media: str = "", **texts: str) -> str:
    """A page of one file that may run nothing but its own script and load nothing.

    Args:
        template: HTML with ``$policy``, ``$style``, ``$script``, ``$facts`` and names of texts.
        styles: CSS files, one after another.
        scripts: JavaScript files, run as one function.
        facts: Plain values that the script reads.
        media: Where media may come from, as the policy writes it.
        texts: HTML that stands for the further names.
    """
    style = "".join(file.read_text(encoding="utf-8") for file in styles)
    script = "\n".join(["(() => {", '"use strict";',
                        *(file.read_text(encoding="utf-8") for file in scripts), "})();"])
    seal = to_base64(hashlib.sha256(script.encode()).digest())
    policy = f"default-src 'none'; script-src 'sha256-{seal}'; style-src 'unsafe-inline'"
    policy += f"; media-src {media}" if media else ""
    page = Template(template.read_text(encoding="utf-8"))
    return page.substitute(policy=policy, style=style, script=script, facts=script_json(facts),
                           **texts)


def drawing_facts(layout: Layout, dims: int) -> dict:
    """What the scripts of `DRAWING` need to know of a skeleton."""
    return {
        "dims": dims,
        "joints": layout.joints,
        "edges": _edges(layout),
        "sides": [rgb(MIDDLE), rgb(LEFT), rgb(RIGHT)],
        "canvas": rgb(CANVAS),
        "floor": rgb(_FLOOR),
        "faint": FAINT,
        "certain": SURE,
        "sureness": SURENESS,
        "tick": TICK,
    }


def track_ink(track_id: int) -> dict:
    """The colour of a track, and that of letters on it."""
    colour = person_colour(track_id)
    return {"colour": rgb(colour), "ink": "#000" if is_bright(colour) else "#fff"}


def script_json(value: object) -> str:
    """JSON that no text in it can end: HTML's own letters are escaped as JSON does it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def to_base64(content: bytes) -> str:
    """Bytes as text."""
    return base64.b64encode(content).decode("ascii")


def rgb(colour: tuple[int, int, int]) -> str:
    """A colour as CSS writes it."""
    return "rgb({}, {}, {})".format(*colour)


def _edges(layout: Layout) -> list[tuple[int, int, int]]:
    """(joint, joint, side) of each line to draw; side 0 is the middle, 1 left, 2 right."""
    sides = side_colours(layout)
    number = {MIDDLE: 0, LEFT: 1, RIGHT: 2}
    return [(a, b, number[sides[a]] if sides[a] == sides[b] else 0) for a, b in layout.drawn_edges]
