"""A tab "Capacity" in Locust's web UI: what the live view of a campaign shows, and a CSV of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Protocol

from flask import Blueprint, Response, json, request
from locust.env import Environment

from loadtest.swarm.board import Board
from loadtest.swarm.conductor import Conductor
from loadtest.swarm.status import Figure, figures

KEY = "capacity"
CSV_NAME = "capacity.csv"
# Locust's page sorts the rows by a column called "name"; these are to stay in their order.
_COLUMNS = {"figure": "Figure", "value": "Now", "note": "Note"}


View = Callable[[], Response]


class Watched(Protocol):
    """What the tab needs of a swarm."""

    conductor: Conductor
    board: Board
    max_lag_s: float


def add_capacity_tab(environment: Environment, swarm: Watched) -> None:
    """Add the tab to the web UI of an environment; does nothing where there is none.

    To be called once, when Locust has made its web UI and before it serves.
    """
    ui = environment.web_ui
    if ui is None or ui.app is None:
        return

    def now() -> list[Figure]:
        board = swarm.board
        return list(figures(swarm.conductor, board.silence(), board.most, swarm.max_lag_s))

    # Locust lays its own arguments over these at every request, and keeps what it does not know.
    ui.template_args |= {
        "extended_tabs": [{"title": "Capacity", "key": KEY}],
        "extended_tables": [
            {
                "key": KEY,
                "structure": [{"key": key, "title": title} for key, title in _COLUMNS.items()],
            }
        ],
        "extended_csv_files": [{"href": f"./{KEY}/csv", "title": "Download capacity CSV"}],
    }
    base = getattr(environment.parsed_options, "web_base_path", None) or ""
    ui.app.after_request(_extend(f"{base}/stats/requests", now))
    blueprint = Blueprint("capacity", __name__, url_prefix=base or None)

    def download() -> Response:
        return Response(
            as_csv(now()),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f"attachment; filename={CSV_NAME}"},
        )

    guarded: Callable[[View], View] = ui.auth_required_if_enabled
    blueprint.add_url_rule(f"/{KEY}/csv", view_func=guarded(download))
    ui.app.register_blueprint(blueprint)


def _extend(path: str, now: Callable[[], Sequence[Figure]]) -> Callable[[Response], Response]:
    """Add the figures to what the page asks for every two seconds."""

    def extend(response: Response) -> Response:
        if request.path == path and response.status_code == 200 and response.is_json:
            body = response.get_json()
            body["extended_stats"] = [{"key": KEY, "data": [as_row(figure) for figure in now()]}]
            response.set_data(json.dumps(body))
        return response

    return extend


def as_csv(rows: Sequence[Figure]) -> str:
    """The figures as CSV, with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(_COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(as_row(row) for row in rows)
    return text.getvalue()


def as_row(figure: Figure) -> dict[str, str]:
    """A figure by the keys of the table's columns."""
    return {"figure": figure.name, "value": figure.value, "note": figure.note}
