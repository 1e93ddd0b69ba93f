"""One page of results: a self-contained HTML file beside the pictures that it shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from skelact.output import write_text
from skelact.visualization.colours import is_bright, person_colour
from skelact.visualization.document import html_page, html_table, html_text

_LEGEND = (
    '<p class="quiet">Skeletons: blue is a person\'s own left side, orange the right; the number '
    "is the person's. Bars over time: grey where the person was seen, blue where an action was "
    "named.</p>"
)


@dataclass(frozen=True)
class Section:
    """One recording on the page.

    Args:
        name: What it is called.
        shows: What is seen in it.
        good: Whether the result is right.
        verdict: One line that says so.
        result: What `Recognition.to_dict` gives.
        start: Seconds of its first frame (a part of a video does not begin at 0).
        files: What was written, relative to the page. The first is shown: a video or an
            animation. A ``.png`` among them replaces an animation for readers who want no motion.
        credit: Where it comes from.
    """

    name: str
    shows: str
    good: bool
    verdict: str
    result: dict
    start: float
    files: tuple[str, ...]
    credit: str


def write_summary(
    path: str | Path,
    title: str,
    lead: str,
    sections: Sequence[Section],
    limits: Sequence[str] = (),
    commands: Sequence[tuple[str, str]] = (),
    facts: Sequence[tuple[str, str]] = (),
    steps: Sequence[tuple[str, float]] = (),
    overwrite: bool = False,
) -> Path:
    """Write the page: no script, nothing from the network, light and dark.

    Args:
        path: The ``.html`` to write; the files of the sections lie beside it.
        title: Heading.
        lead: The sentence below it.
        sections: The recordings.
        limits: What the results do not show.
        commands: Command lines to try next, each with its purpose.
        facts: Names and values: versions, models.
        steps: What was done, and the seconds it took.
        overwrite: Replace an existing file.

    Returns:
        The path.

    Raises:
        OutputExistsError: The file exists and ``overwrite`` is false.
    """
    parts = [
        f"<header><h1>{html_text(title)}</h1><p>{html_text(lead)}</p></header>",
        _overview(sections),
        _LEGEND if sections else "",
        *map(_section, sections),
        _part("What this does not show", _list(map(html_text, limits))),
        _part("What to type next", _commands(commands)),
        _part("How it was made", _pairs(facts) + _steps(steps)),
    ]
    page = html_page(title, "\n".join(filter(None, parts)))
    return write_text(path, page, overwrite)


def timeline(result: dict, start: float = 0.0) -> str:
    """Who did what, when, as HTML: one bar a person over the time of the recording.

    Args:
        result: What `Recognition.to_dict` gives.
        start: Seconds at the left edge; the right one is the recording's duration later.
    """
    if not result["tracks"]:
        return '<p class="quiet">nobody was seen</p>'
    length = max(result["duration"], 1e-9)

    def place(begin: float, end: float) -> str:
        left, right = (min(max((t - start) / length, 0.0), 1.0) for t in (begin, end))
        return f"left:{100 * left:.2f}%;width:{100 * (right - left):.2f}%"

    rows = []
    for track in result["tracks"]:
        bars = [f'<span class="seen" style="{place(track["start"], track["end"])}"></span>']
        for segment in track["segments"]:
            label = _action(segment["label"])
            about = f'{label}, {segment["start"]:.1f} to {segment["end"]:.1f} s, ' \
                    f'score {segment["score"]:.2f}'
            bars.append(f'<span class="named" title="{about}" '
                        f'style="{place(segment["start"], segment["end"])}">{label}</span>')
        rows.append(f'<div class="row">{_tag(track["track_id"])}'
                    f'<div class="bar">{"".join(bars)}</div></div>')
    ticks = "".join(f"<span>{start + share * length:.1f} s</span>" for share in (0, 0.5, 1))
    rows.append(f'<div class="row"><span></span><div class="ticks">{ticks}</div></div>')
    return f'<div class="timeline">{"".join(rows)}</div>'


def _overview(sections: Sequence[Section]) -> str:
    rows = []
    for section in sections:
        names = sorted({_action(s["label"]) for t in section.result["tracks"]
                        for s in t["segments"]})
        people = len(section.result["tracks"])
        rows.append((f'<a href="#{quote(section.name)}">{html_text(_action(section.name))}</a>',
                     str(people), ", ".join(names) or '<span class="quiet">no known action</span>',
                     _mark(section)))
    return html_table(rows, ("Recording", "People", "Actions named", "Right?"))


def _section(section: Section) -> str:
    rows = [
        (_tag(track["track_id"]), f'{s["start"]:.1f} s', f'{s["end"]:.1f} s', _action(s["label"]),
         f'{s["score"]:.2f}')
        for track in section.result["tracks"] for s in track["segments"]
    ]
    links = ", ".join(f'<a href="{quote(file)}">{html_text(Path(file).name)}</a>'
                      for file in section.files)
    table = html_table(rows, ("Person", "From", "To", "Action", "Score")) if rows else ""
    if len(rows) > 6:
        table = f"<details><summary>{len(rows)} segments</summary>{table}</details>"
    return (
        f'<section class="recording" id="{html_text(section.name)}">'
        f"<h2>{html_text(_action(section.name))}</h2>"
        f"<p>{html_text(section.shows[:1].upper() + section.shows[1:])}.</p>"
        f'<div class="sides"><figure>{_picture(section)}</figure><div>'
        f'<p class="verdict">{_mark(section)} {html_text(section.verdict)}</p>'
        f"{timeline(section.result, section.start)}{table}"
        f'<p class="quiet">{links}<br>{html_text(section.credit)}</p></div></div></section>'
    )


def _picture(section: Section) -> str:
    source = quote(section.files[0])
    if Path(source).suffix in (".mp4", ".webm"):
        return f'<video src="{source}" controls autoplay muted loop playsinline></video>'
    image = f'<img src="{source}" alt="{html_text(section.shows)}">'
    stills = [quote(file) for file in section.files if file.endswith(".png")]
    if not stills:
        return image
    return (f'<picture><source srcset="{stills[0]}" media="(prefers-reduced-motion: reduce)">'
            f"{image}</picture>")


def _mark(section: Section) -> str:
    return '<span class="good">✓</span>' if section.good else '<span class="bad">✗</span>'


def _tag(track_id: int) -> str:
    colour = person_colour(track_id)
    ink = "#000" if is_bright(colour) else "#fff"
    return f'<span class="tag" style="background:rgb{colour};color:{ink}">{track_id}</span>'


def _commands(commands: Sequence[tuple[str, str]]) -> str:
    lines = [f'{html_text(command)}  <span class="quiet"># {html_text(purpose)}</span>'
             for command, purpose in commands]
    return f"<pre>{chr(10).join(lines)}</pre>" if lines else ""


def _steps(steps: Sequence[tuple[str, float]]) -> str:
    table = _pairs([(what, f"{seconds:.1f} s") for what, seconds in steps])
    return f"<details><summary>Every step</summary>{table}</details>" if table else ""


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    return html_table([tuple(map(html_text, pair)) for pair in pairs], ("", ""))


def _part(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def _list(items) -> str:
    lines = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{lines}</ul>" if lines else ""


def _action(name: str) -> str:
    return html_text(name.replace("_", " "))

