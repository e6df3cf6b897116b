"""What browser tests do in a JupyterLab page besides clicking: settings, files by Lab's API, width of the sidebar, focus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

JUPYTER = "api/contents/"
SETTINGS = "lab/api/settings/"

# As Lab itself sends requests: from the page, with its cookies.
ASK = """async ([method, path, body]) => {
  const { baseUrl } = JSON.parse(document.getElementById('jupyter-config-data').textContent);
  const xsrf = /(?:^|; )_xsrf=([^;]+)/.exec(document.cookie);
  const headers = { 'Content-Type': 'application/json', 'X-XSRFToken': xsrf ? xsrf[1] : '' };
  const reply = await fetch(baseUrl + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await reply.text();
  return { status: reply.status, data: text ? JSON.parse(text) : null };
}"""

FOCUSED = """() => {
  const node = document.activeElement;
  const style = getComputedStyle(node);
  const cell = node.closest('.jp-Cell');
  return {
    tag: node.tagName.toLowerCase(),
    name: node.getAttribute('aria-label') || node.textContent.trim().slice(0, 80),
    is_in_panel: node.closest('#pmh-panel') !== null,
    cell: cell ? cell.querySelector('.pmh-Strip')?.getAttribute('aria-label') ?? '' : null,
    is_outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0
  };
}"""


def ask(page: Page, method: str, path: str, body: Any = None) -> Any:
    """Return the reply of the user's server; AssertionError unless the status is 2xx."""
    reply = page.evaluate(ASK, [method, path, body])
    assert 200 <= reply["status"] < 300, reply
    return reply["data"]


def set_setting(page: Page, plugin: str, raw: str) -> None:
    """Change the settings of a plugin, as JSON. They apply after the page has been loaded again."""
    ask(page, "PUT", f"{SETTINGS}{plugin}", {"raw": raw})


def read_notebook(page: Page, path: str) -> dict[str, Any]:
    """Return a notebook on the server's disk."""
    content: dict[str, Any] = ask(page, "GET", f"{JUPYTER}{path}?type=notebook")["content"]
    return content


def write_notebook(page: Page, path: str, content: dict[str, Any]) -> None:
    ask(page, "PUT", f"{JUPYTER}{path}", {"type": "notebook", "format": "json", "content": content})


@dataclass(frozen=True)
class Focus:
    """The focused element. `cell` is the label of the strip in its notebook cell, "" for a cell without a strip, None outside."""

    tag: str
    name: str
    is_in_panel: bool
    cell: str | None
    is_outlined: bool


def focus(page: Page) -> Focus:
    """Return the focused element; AssertionError if there is none."""
    focused = Focus(**page.evaluate(FOCUSED))
    assert focused.tag != "body", "the focus is lost"
    return focused


def widen_sidebar(page: Page, width: int) -> int:
    """Drag the edge of the left sidebar to a width in px, as far as Lab allows. Returns the resulting width in px."""
    handle = page.locator("#jp-main-split-panel > .lm-SplitPanel-handle:not(.lm-mod-hidden)").first
    stack = page.locator("#jp-left-stack")
    edge, left = handle.bounding_box(), stack.bounding_box()
    assert edge and left
    y = edge["y"] + edge["height"] / 2
    page.mouse.move(edge["x"] + edge["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(left["x"] + width + edge["width"] / 2, y, steps=4)
    page.mouse.up()
    expect(page.locator(".lm-cursor-backdrop")).to_have_count(0)
    box = stack.bounding_box()
    assert box
    return round(box["width"])
