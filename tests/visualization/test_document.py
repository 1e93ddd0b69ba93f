"""One report as Markdown and as a page."""

import base64
import re

import pytest
from PIL import Image

from skelact.visualization.document import (
    Bullets,
    Commands,
    Document,
    Picture,
    Section,
    Table,
    html_table,
    markdown_table,
)


@pytest.fixture
def document(tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")
    frames = [Image.new("P", (8, 8), i) for i in range(3)]
    frames[0].save(tmp_path / "b.gif", save_all=True, append_images=frames[1:])
    return Document("A <b> & c", "Lead with `code`.", [
        Section("First", ["Words.", Table(("name", "count"), [("a|b", 1), ("c<d", 22)]),
                          Table(("x",), [], "nothing")]),
        Section("Empty", []),
        Section("Seen", [Picture("a.png", 'a "red" one'), Picture("b.gif", "moves"),
                         Picture("a.png", "large", large=True)]),
        Section("Last", [Bullets(["one", "two"]), Commands(["skelact --help", "a < b"]),
                         Table(("", ""), [("k", "v")], "Open me")]),
    ])


def test_markdown(document):
    assert document.to_markdown() == """# A <b> & c

Lead with `code`.

## First

Words.

| name | count |
| --- | ---: |
| a\\|b | 1 |
| c<d | 22 |

## Seen

![a "red" one](a.png)

![moves](b.gif)

![large](a.png)

## Last

- one
- two

```
skelact --help
a < b
```

|  |  |
| --- | --- |
| k | v |
"""


def test_html_escapes_text_and_embeds_pictures(document, tmp_path):
    page = document.to_html(tmp_path)
    assert "<h1>A &lt;b&gt; &amp; c</h1><p>Lead with <code>code</code>.</p>" in page
    assert "<td>c&lt;d</td>" in page
    assert '<td class="number">22</td>' in page
    assert "<h2>Empty</h2>" not in page
    assert 'alt="a &quot;red&quot; one"' in page
    embedded = re.findall(r'src="data:image/(\w+);base64,([^"]+)"', page)
    assert [kind for kind, _ in embedded] == ["png", "gif", "png"]
    assert base64.b64decode(embedded[1][1]) == (tmp_path / "b.gif").read_bytes()
    assert page.count("prefers-reduced-motion") == 1
    assert page.count('<div class="gallery">') == 1  # the two small ones side by side
    assert "<details><summary>Open me</summary>" in page
    assert "<summary>nothing</summary>" not in page
    assert "a &lt; b</pre>" in page


def test_tables_without_rows():
    assert markdown_table([], ("a", "b")) == "| a | b |\n|  |"
    assert html_table([], ("a", "b")) == ""


def test_numbers_go_to_the_right():
    table = markdown_table([("a", "0.5", "1 of 2"), ("b", "-0.5", "3")], ("x", "y", "z"))
    assert table.splitlines()[1] == "| --- | --- | ---: |"
