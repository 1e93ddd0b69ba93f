"""A contact sheet of a data set: a row of small skeletons for every class."""

import base64
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from skelact.checks import check_choice
from skelact.output import atomic_write, check_writable, write_text
from skelact.pose.recording import Recording
from skelact.visualization.document import html_page, html_text
from skelact.visualization.draw import blank, draw_people
from skelact.visualization.lettering import font
from skelact.visualization.scene import Scene, View

CLIPS, INSTANTS = 3, 5
"""Clips of a class, and instants of a clip, side by side."""
_CLASSES = 40
"""Of a picture; more classes make more pictures."""
_TILE = (68, 84)
"""Width and height of an instant, in pixels."""
_FINER = 2
"""Skeletons are drawn so many times larger, then made small: fine lines, no steps."""
_GAP, _MARGIN = 10, 28
_HEAD, _LINE = 74, 24
_ONE_COLUMN = 8
_PAGE, _INK, _QUIET = (255, 255, 255), (29, 36, 48), (93, 102, 117)


@dataclass(frozen=True, eq=False)
class SheetRow:
    """One class.

    Args:
        name: Of the class.
        count: Its clips, or labelled parts, in the data set.
        shares: Part of the split -> how many of them are in it.
        clips: Those that are shown.
    """

    name: str
    count: int
    shares: dict[str, int]
    clips: Sequence[Recording]

    def about(self) -> str:
        """How many there are, and where."""
        parts = [f"{part} {count}" for part, count in self.shares.items() if count]
        return " · ".join([f"{self.count} clip{'s' * (self.count != 1)}", *parts])


def write_store_sheet(
    title: str, lead: str, rows: Iterable[SheetRow], path: str | Path, overwrite: bool = False
) -> list[Path]:
    """Draw the classes of a data set as pictures, or as one page.

    Args:
        title: Name of the data set.
        lead: What it holds, in one line.
        rows: One a class; read one by one.
        path: ``.png``: more than 40 classes give ``NAME_2.png``, ... too. ``.html``: one page
            with the pictures inside.
        overwrite: Replace existing files.

    Returns:
        The paths written.

    Raises:
        ChoiceError: Another suffix.
        OutputExistsError: A file exists and ``overwrite`` is false.
    """
    suffix = check_choice(Path(path).suffix.lower(), (".png", ".html"), f"the suffix of {path}")
    path = check_writable(path, overwrite)
    if suffix == ".html":
        return [write_text(path, _page(title, lead, rows), overwrite)]
    drawn = ((row, [*map(_strip, row.clips[:CLIPS])]) for row in rows)
    groups = list(iter(lambda: list(islice(drawn, _CLASSES)), []))
    paths = [check_writable(path.with_stem(f"{path.stem}_{i}") if i > 1 else path, overwrite)
             for i in range(1, len(groups) + 1)]
    for i, (group, target) in enumerate(zip(groups, paths, strict=True)):
        of = f", sheet {i + 1} of {len(groups)}" if len(groups) > 1 else ""
        with atomic_write(target, overwrite) as temporary:
            _sheet(title + of, lead, group).save(temporary, format="PNG", optimize=True)
    return paths


def _page(title: str, lead: str, rows: Iterable[SheetRow]) -> str:
    blocks = [f"<header><h1>{html_text(title)}</h1><p>{html_text(lead)}</p></header>"]
    for row in rows:
        name, about = html_text(row.name), html_text(row.about())
        strips = "".join(f'<img src="{_data_uri(_strip(clip))}" alt="A clip of {name}">'
                         for clip in row.clips[:CLIPS])
        blocks.append(f"<figure><figcaption><strong>{name}</strong> {about}</figcaption>"
                      f'<div class="strips">{strips}</div></figure>')
    return html_page(title, "\n".join(blocks))


def _data_uri(image: np.ndarray) -> str:
    from PIL import Image

    small = Image.fromarray(image).quantize(64)  # few colours: a third of the bytes
    small.save(buffer := io.BytesIO(), "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _sheet(title: str, lead: str, group: Sequence[tuple[SheetRow, list[np.ndarray]]]):
    """A picture of up to `_CLASSES` rows, in two columns where they are many."""
    from PIL import Image, ImageDraw

    columns = 1 if len(group) <= _ONE_COLUMN else 2
    lines = -(-len(group) // columns)
    wide, high = _strip_width(), _TILE[1] + _LINE + 14
    sheet = Image.new("RGB", (_MARGIN + columns * (wide + _MARGIN), _HEAD + lines * high + 16),
                      _PAGE)
    pen = ImageDraw.Draw(sheet)
    pen.text((_MARGIN, 14), title, font=font(24), fill=_INK)
    pen.text((_MARGIN, 44), lead, font=font(14), fill=_QUIET)
    for i, (row, strips) in enumerate(group):
        left, top = _MARGIN + i // lines * (wide + _MARGIN), _HEAD + i % lines * high
        about = row.about()
        room = wide - pen.textlength(about, font=font(13)) - 16
        pen.text((left, top), _fit(pen, row.name, room), font=font(15), fill=_INK)
        pen.text((left + wide, top + 1), about, font=font(13), fill=_QUIET, anchor="ra")
        for k, strip in enumerate(strips):
            place = left + k * (INSTANTS * _TILE[0] + _GAP), top + _LINE
            sheet.paste(Image.fromarray(strip), place)
    return sheet


def _fit(pen, text: str, room: float) -> str:
    """As much of a text as there is room for."""
    if pen.textlength(text, font=font(15)) <= room:
        return text
    while text and pen.textlength(text + "…", font=font(15)) > room:
        text = text[:-1]
    return text + "…"


def _strip_width() -> int:
    return CLIPS * INSTANTS * _TILE[0] + (CLIPS - 1) * _GAP


def _strip(clip: Recording) -> np.ndarray:
    """``[H, W, 3]`` the instants of a clip side by side."""
    strip = blank((INSTANTS * _TILE[0], _TILE[1]))
    for k, tile in enumerate(_tiles(clip)):
        high, wide = tile.shape[:2]
        x, y = k * _TILE[0] + (_TILE[0] - wide) // 2, (_TILE[1] - high) // 2
        strip[y : y + high, x : x + wide] = tile
    return strip


def _tiles(clip: Recording) -> Iterator[np.ndarray]:
    """Everyone at evenly spaced instants, all at one scale."""
    from PIL import Image

    seen = np.concatenate([np.empty(0, int), *(t.frame_index for t in clip.tracks)])
    if not len(seen):
        return
    frames = np.linspace(seen.min(), seen.max(), 2 * INSTANTS + 1)[1::2].round().astype(int)
    scene = Scene(clip)
    width, height = View(clip, longest=1000, crop=True, enlarge=np.inf).size
    longest = max(width, height) * min(_TILE[0] / width, _TILE[1] / height)
    view = View(clip, longest=max(16, int(_FINER * longest)), crop=True, enlarge=np.inf)
    canvas = blank(view.size)
    for time in clip.timestamps[frames]:
        people = scene.at(float(time))
        drawn = draw_people(canvas, view(people.joints), clip.layout, people.ids, tags=False)
        yield np.asarray(Image.fromarray(drawn).reduce(_FINER))[: _TILE[1], : _TILE[0]]
