"""One lane an agent: when it ran, when it was at its peak, how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from loadtest.outcome import AgentRecord, Outcome
from loadtest.report.charts.svg import Axis, cross, drawing, element, line, path, text, triangle

_LEFT, _RIGHT, _TOP, _PITCH, _BAR = 112, 12, 34, 18, 10
_KNOWN = ("small", "medium", "large", "architectural")
_ENDS = {
    "held": "still at its peak when the trial ended",
    "done": "finished",
    "lost": "died",
    "refused": "was not admitted",
    "pending": "never started",
}


def lanes_chart(outcome: Outcome, width: float = 860) -> Markup:
    """One bar an agent from its start to its end, in the order of their starts.

    A feature that is run again and again has all its agents in one lane. The colour says the
    class, and so does the lane's label. Time is in seconds.
    """
    agents = outcome.agents
    lanes = _lanes(agents)
    height = _TOP + _PITCH * max(1, len(lanes)) + 6
    ends = [time for a in agents for time in (a.started_s, a.peak_s, a.ended_s) if time is not None]
    x = Axis(max(outcome.duration_s, *ends, 1e-3), _LEFT, width - _RIGHT)
    lost = sum(agent.end == "lost" for agent in agents)
    label = f"Lanes of {len(agents)} agents over {outcome.duration_s:.0f} seconds, {lost} died"
    parts = list(_time(x, height, 8 if width > 500 else 4))
    for number, lane in enumerate(lanes, start=1):
        y = _TOP + _PITCH * (number - 0.5)
        name = f"{number} {lane[0].agent_class}"
        parts.append(text(_LEFT - 8, y + 4, name, text_anchor="end"))
        for agent in [one for one in lane if one.started_s is not None] or lane[:1]:
            parts += _bar(x, y, number, agent, outcome.duration_s)
    if not agents:
        parts.append(text(_LEFT, _TOP + 12, "no agents"))
    return drawing(width, height, label, parts)


def _lanes(agents: Sequence[AgentRecord]) -> list[list[AgentRecord]]:
    lanes: dict[str, list[AgentRecord]] = {}
    for agent in agents:
        lanes.setdefault(agent.feature_id, []).append(agent)
    return list(lanes.values())


def _time(x: Axis, height: float, wanted: int) -> Iterator[Markup]:
    yield text(x.start - 8, 18, "seconds", text_anchor="end")
    for time in x.ticks(wanted):
        yield text(x.at(time), 18, f"{time:g}", text_anchor="middle")
        yield line((x.at(time), _TOP - 8), (x.at(time), height), class_="grid")


def _bar(x: Axis, y: float, number: int, agent: AgentRecord, end_s: float) -> Iterator[Markup]:
    if agent.started_s is None:
        yield text(_LEFT + 2, y + 4, _ENDS[agent.end], class_="small")
        return
    alive = agent.end == "pending" and agent.ended_s is None
    fate = "still at work when the trial ended" if alive else _ENDS[agent.end]
    hint = f"agent {number} ({agent.agent_class}) {fate}"
    start, end = x.at(agent.started_s), x.at(end_s if agent.ended_s is None else agent.ended_s)
    colour = agent.agent_class if agent.agent_class in _KNOWN else "other"
    yield element(
        "rect",
        element("title", hint),
        x=start,
        y=y - _BAR / 2,
        width=max(1.0, end - start),
        height=_BAR,
        rx=2,
        class_=f"lane {colour}",
    )
    if agent.peak_s is not None:
        when = f"agent {number} at its peak at {agent.peak_s:.1f} s"
        yield triangle(x.at(agent.peak_s), y + 3, 4, when, "peak")
    if agent.end == "lost":
        yield cross(end, y, 5, hint, "kill")
    elif agent.ended_s is None:
        # An open end: the agent was still there.
        yield path([(end - 7, y - 3), (end - 4, y), (end - 7, y + 3)], class_="open-end")
