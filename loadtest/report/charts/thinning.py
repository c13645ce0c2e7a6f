"""Fewer points, the same picture: no spike of a long series may vanish."""

from __future__ import annotations

from collections.abc import Sequence


def envelope(
    times: Sequence[float], values: Sequence[float], columns: int
) -> list[tuple[float, float]]:
    """At most `2 * columns + 2` points of a series: each column's least and largest, in order.

    `times` ascend and are as many as `values`. The first and the last point always stay, so that
    a line starts and ends where the series does. Raises ValueError for less than one column.
    """
    if columns < 1:
        raise ValueError(f"{columns} columns: at least one is needed")
    points = list(zip(times, values, strict=True))
    if len(points) <= 2 * columns:
        return points
    begin, width = times[0], (times[-1] - times[0]) / columns
    buckets: dict[int, list[int]] = {}
    for index, time in enumerate(times):
        column = min(columns - 1, int((time - begin) / width)) if width > 0 else 0
        buckets.setdefault(column, []).append(index)
    kept = {0, len(points) - 1}
    for bucket in buckets.values():
        kept.add(min(bucket, key=values.__getitem__))
        kept.add(max(bucket, key=values.__getitem__))
    return [points[index] for index in sorted(kept)]
