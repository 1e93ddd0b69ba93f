"""Reports: parts that become Markdown beside their pictures, or one self-contained HTML page."""

import base64
import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

_STYLES = tuple(Path(__file__).parent / name for name in ("summary.css", "document.css"))
_KINDS = {".png": "image/png", ".gif": "image/gif"}


@dataclass(frozen=True)
class Table:
    """A table; columns of numbers go to the right.

    Args:
        head: Names of the columns; all empty for none.
        rows: Cells a row.
        folded: What the summary says when the page shows the table only on demand.
    """

    head: Sequence[str]
    rows: Sequence[Sequence]
    folded: str = ""


@dataclass(frozen=True)
class Picture:
    """A PNG or GIF that lies beside the report.

    Args:
        file: Its path from the report's folder.
        caption: What it shows.
        large: Keep its size, and let the reader scroll, rather than shrink it to the page.
    """

    file: str
    caption: str
    large: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]


@dataclass(frozen=True)
class Commands:
    """Lines to type."""

    lines: Sequence[str]


Part = str | Table | Picture | Bullets | Commands
"""What a section is made of; text may hold `code` in backticks."""


@dataclass(frozen=True)
class Section:
    """A headed part of a report; one without parts is left out."""

    title: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Document:
    """A report.

    Args:
        title: Heading.
        lead: The sentence below it.
        sections: The rest.
    """

    title: str
    lead: str
    sections: Sequence[Section]

    def to_markdown(self) -> str:
        """The report as Markdown, to lie in the folder of its pictures."""
        blocks = [f"# {self.title}", self.lead]
        for section in self.sections:
            if section.parts:
                blocks += [f"## {section.title}", *map(_markdown, section.parts)]
        return "\n\n".join(filter(None, blocks)) + "\n"

    def to_html(self, folder: str | Path) -> str:
        """The report as one page: pictures inside, nothing from elsewhere, light and dark.

        Args:
            folder: Where the pictures lie.
        """
        blocks = [f"<header><h1>{_inline(self.title)}</h1><p>{_inline(self.lead)}</p></header>"]
        for section in self.sections:
            if section.parts:
                blocks.append(f"<section><h2>{_inline(section.title)}</h2>"
                              f"{_html(section.parts, Path(folder))}</section>")
        return html_page(self.title, "\n".join(blocks))


def markdown_table(rows: Sequence[Sequence], head: Sequence[str]) -> str:
    """A table; columns of numbers to the right, others to the left."""
    cells = [[_cell(value) for value in row] for row in rows]
    sides = ["---:" if right else "---" for right in _numeric(cells)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, sides, *cells))


def html_page(title: str, body: str) -> str:
    """A page around a body of HTML: no script, nothing from the network, light and dark."""
    style = "".join(path.read_text(encoding="utf-8") for path in _STYLES)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html_text(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + body + "\n</main>\n</body>\n</html>\n"
    )


def html_table(rows: Sequence[Sequence[str]], head: Sequence[str],
               right: Sequence[bool] = ()) -> str:
    """A table of cells that are HTML already; nothing without rows.

    Args:
        rows: Cells a row.
        head: Names of the columns; all empty for none.
        right: Which columns are numbers, at the right of their column.
    """
    if not rows:
        return ""
    kinds = [' class="number"' if number else "" for number in right or [False] * len(head)]

    def line(tag: str, cells: Sequence[str]) -> str:
        return "".join(f"<{tag}{kind}>{cell}</{tag}>"
                       for kind, cell in zip(kinds, cells, strict=True))

    top = line("th", head) if any(head) else ""
    body = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def html_text(value: object) -> str:
    """Text as HTML."""
    return html.escape(str(value))


def _markdown(part: Part) -> str:
    match part:
        case Table():
            return markdown_table(part.rows, part.head) if part.rows else ""
        case Picture():
            return f"![{part.caption}]({part.file})"
        case Bullets():
            return "\n".join(f"- {item}" for item in part.items)
        case Commands():
            return "\n".join(["```", *part.lines, "```"])
    return part


def _html(parts: Sequence[Part], folder: Path) -> str:
    """Pictures that follow each other stand side by side where there is room."""
    blocks = []
    for small, group in groupby(parts, lambda p: isinstance(p, Picture) and not p.large):
        inner = "".join(_html_part(part, folder) for part in group)
        blocks.append(f'<div class="gallery">{inner}</div>' if small else inner)
    return "".join(blocks)


def _html_part(part: Part, folder: Path) -> str:
    match part:
        case Table():
            cells = [[_inline(cell) for cell in row] for row in part.rows]
            table = html_table(cells, [_inline(name) for name in part.head], _numeric(cells))
            table = table and f'<div class="scroll">{table}</div>'
            return (f"<details><summary>{_inline(part.folded)}</summary>{table}</details>"
                    if part.folded and table else table)
        case Picture():
            image = _embed(folder / part.file, part.caption)
            image = f'<div class="scroll large">{image}</div>' if part.large else image
            return f"<figure>{image}<figcaption>{_inline(part.caption)}</figcaption></figure>"
        case Bullets():
            return f"<ul>{''.join(f'<li>{_inline(item)}</li>' for item in part.items)}</ul>"
        case Commands():
            return f"<pre>{chr(10).join(map(html_text, part.lines))}</pre>"
    return f"<p>{_inline(part)}</p>"


def _embed(path: Path, caption: str) -> str:
    """The picture itself; in place of an animation a still one for readers who want no motion."""
    content = path.read_bytes()
    image = f'<img src="{_data_uri(content, path.suffix)}" alt="{html_text(caption)}">'
    if path.suffix != ".gif":
        return image
    still = _data_uri(_still(content), ".png")
    return (f'<picture><source srcset="{still}" media="(prefers-reduced-motion: reduce)">{image}'
            "</picture>")


def _still(content: bytes) -> bytes:
    """The middle frame of a GIF as PNG."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        image.seek(image.n_frames // 2)
        image.save(still := io.BytesIO(), "PNG")
    return still.getvalue()


def _data_uri(content: bytes, suffix: str) -> str:
    return f"data:{_KINDS[suffix]};base64,{base64.b64encode(content).decode()}"


def _numeric(cells: Sequence[Sequence[str]]) -> list[bool]:
    return [all(cell[:1].isdigit() for cell in column) for column in zip(*cells, strict=True)]


def _inline(value: object) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html_text(value))


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
