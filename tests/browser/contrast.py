"""Whether every text on a page stands out from what is behind it, as the browser paints it."""

from typing import Any

from playwright.sync_api import Page

LEAST = 4.5
"""WCAG 2.2, 1.4.3 Contrast (Minimum), level AA."""

_FAINT = """least => {
  const channels = colour => (colour.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => {
    for (let at = node; at; at = at.parentElement) {
      const [r, g, b, a = 1] = channels(getComputedStyle(at).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim(), node = texts.currentNode.parentElement;
    if (!text || !node.checkVisibility({ visibilityProperty: true }) || node.closest(":disabled, .hidden, option")) continue;
    const [a, b] = [light(channels(getComputedStyle(node).color)), light(behind(node))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < least) faint.push(`${text.slice(0, 60)}: ${contrast.toFixed(2)}`);
  }
  return faint;
}"""


def faint(page: Page) -> list[str]:
    """Return the texts whose contrast is too low, each with its contrast."""
    found: Any = page.evaluate(_FAINT, LEAST)
    return [str(each) for each in found]


def unnamed(page: Page) -> list[str]:
    """Return the fields and buttons that have no name for people who do not see them."""
    found: Any = page.evaluate(
        """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, summary, a[href]")]
          .filter(each => !(each.labels && each.labels.length) && !each.getAttribute("aria-label")
            && !each.textContent.trim() && !each.title)
          .map(each => each.outerHTML.slice(0, 120))"""
    )
    return [str(each) for each in found]
