"""Charts as inline SVG: pure functions of outcomes, samples and boundaries.

Colours come from the page's style sheet through class names, so light and dark both work; every
mark also has a shape or a word of its own.
"""

from loadtest.report.charts.boundary import boundary_chart
from loadtest.report.charts.lanes import lanes_chart
from loadtest.report.charts.memory import memory_chart

NARROW, WIDE = 340, 860
"""Widths in pixels at which a chart's words are as large as the page's: a phone, a desk."""

__all__ = ["NARROW", "WIDE", "boundary_chart", "lanes_chart", "memory_chart"]
