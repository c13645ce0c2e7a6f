"""Contrast of text against what is behind it, as WCAG 2 counts it, measured in the page."""

from __future__ import annotations

from playwright.sync_api import Page

_LEAST = 4.5
_MEASURE = """least => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(
      v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = one => {
    for (; one; one = one.parentElement) {
      const colour = channels(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const found = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !one.getClientRects().length) continue;
    if (['TITLE', 'STYLE'].includes(one.tagName)) continue;
    const style = getComputedStyle(one);
    const ink = channels(one.ownerSVGElement ? style.fill : style.color);
    const [a, b] = [ink, behind(one)].map(light);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least) found.set(`${one.tagName}.${one.className.baseVal ?? one.className}`,
      `${ratio.toFixed(2)}: ${walker.currentNode.textContent.trim().slice(0, 40)}`);
  }
  return [...found].map(([where, what]) => `${where} ${what}`);
}"""


def faint_texts(page: Page, least: float = _LEAST) -> list[str]:
    """Texts of a page whose contrast is below `least`, one for each kind of element."""
    faint: list[str] = page.evaluate(_MEASURE, least)
    return faint
