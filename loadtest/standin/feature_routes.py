"""/api/features: the board."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from .call import Call
from .errors import Refusal
from .features import Feature, compact, new_feature, status_change
from .quarantine import admit, source_of
from .server import Answer, Endpoint, Routes, Server
from .validation import (
    absolute_path,
    filled_list_of,
    flag,
    optional,
    record,
    require_in_words,
    require_with_details,
    text,
)

PROJECT = text(1, "projectPath is required")
FEATURE_ID = text(1, "featureId must not be empty")
LIST_FIELDS = {
    "projectPath": absolute_path,
    "status": optional(text()),
    "compact": optional(flag),
    "projectSlug": optional(text()),
}
TEXTS = ("title", "description", "branchName", "category", "status")


async def list_features(server: Server, call: Call) -> Answer:
    """Answer the project's features, all or of one status, in full or compact."""
    require_with_details(call.body, LIST_FIELDS)
    body = call.fields()
    features = await asyncio.to_thread(server.store.all_of, body["projectPath"])
    if body.get("status"):
        features = [one for one in features if one["status"] == body["status"]]
    if body.get("projectSlug"):
        features = [one for one in features if one.get("projectSlug") == body["projectSlug"]]
    return {
        "success": True,
        "features": [compact(one) for one in features] if body.get("compact") else features,
    }


async def get_feature(server: Server, call: Call) -> Answer:
    """One feature; 404 when there is none."""
    require_with_details(call.body, {"projectPath": absolute_path, "featureId": FEATURE_ID})
    body = call.fields()
    feature = await asyncio.to_thread(server.store.get, body["projectPath"], body["featureId"])
    if feature is None:
        raise Refusal(404, "Feature not found")
    return {"success": True, "feature": feature}


async def create_feature(server: Server, call: Call) -> Answer:
    """Store a new feature; 400 without description, 409 for a title in use, 422 if unfit."""
    require_in_words(call.body, {"projectPath": PROJECT, "feature": record})
    body = call.fields()
    project, wanted = body["projectPath"], body["feature"]
    if not wanted.get("description"):
        raise Refusal(400, "feature.description is required")
    _require_texts(wanted)
    source = source_of(call.headers)

    def create() -> Feature:
        server.store.refuse_duplicate(project, wanted.get("title"), None)
        origin = admit(project, wanted, source)
        return server.store.create(project, new_feature(wanted, origin))

    feature = await asyncio.to_thread(create)
    server.auto_mode.notify(project)
    return {"success": True, "feature": feature}


async def update_feature(server: Server, call: Call) -> Answer:
    """Change fields of a feature; an unknown id is a 500, as in the real server."""
    fields = {"projectPath": PROJECT, "featureId": text(1), "updates": record}
    require_in_words(call.body, fields)
    body = call.fields()
    updates: dict[str, Any] = body["updates"]
    _require_texts(updates)
    if updates.get("status") == "blocked" and not updates.get("statusChangeReason"):
        raise Refusal(400, "statusChangeReason is required when status is blocked")

    def change(feature: Feature) -> Mapping[str, Any]:
        status = updates.get("status")
        if not status or status == feature["status"]:
            return updates
        reason = updates.get("statusChangeReason") or "Status updated"
        return {**updates, **status_change(feature, status, reason)}

    feature = await asyncio.to_thread(
        server.store.retitle, body["projectPath"], body["featureId"], updates.get("title"), change
    )
    if feature is None:
        raise Refusal(500, f"Feature {body['featureId']} not found")
    if updates.get("status") == "done":  # whoever still works on it works for nothing
        await server.auto_mode.stop_feature(body["featureId"], "done", "Marked done")
    server.auto_mode.notify(body["projectPath"])
    return {"success": True, "feature": feature}


async def delete_feature(server: Server, call: Call) -> Answer:
    """Remove a feature, whether or not there is one."""
    require_in_words(call.body, {"projectPath": PROJECT, "featureId": text(1)})
    body = call.fields()
    deleted = await asyncio.to_thread(server.store.delete, body["projectPath"], body["featureId"])
    return {"success": deleted}


async def bulk_delete(server: Server, call: Call) -> Answer:
    """Remove several features and report on each."""
    require_in_words(call.body, {"projectPath": PROJECT, "featureIds": filled_list_of(text(1))})
    body = call.fields()

    def delete(feature_id: str) -> dict[str, Any]:
        if server.store.delete(body["projectPath"], feature_id):
            return {"featureId": feature_id, "success": True}
        error = "Deletion failed. Check server logs for details."
        return {"featureId": feature_id, "success": False, "error": error}

    results = await asyncio.to_thread(lambda: [delete(one) for one in body["featureIds"]])
    failed = sum(not result["success"] for result in results)
    return {
        "success": failed == 0,
        "deletedCount": len(results) - failed,
        "failedCount": failed,
        "results": results,
    }


async def agent_output(server: Server, call: Call) -> Answer:
    """Answer what the feature's agent has written so far; null when nothing."""
    return await _output(server, call, "agent-output.md")


async def raw_output(server: Server, call: Call) -> Answer:
    """Answer the agent's raw log; null unless someone put one there."""
    return await _output(server, call, "raw-output.jsonl")


async def _output(server: Server, call: Call, name: str) -> Answer:
    body = call.fields()
    project, feature_id = body.get("projectPath"), body.get("featureId")
    if not (isinstance(project, str) and project and isinstance(feature_id, str) and feature_id):
        raise Refusal(400, "projectPath and featureId are required")
    content = await asyncio.to_thread(server.store.output, project, feature_id, name)
    return {"success": True, "content": content}


def _require_texts(feature: Feature) -> None:
    # The real server stores any type; here text fields are text, so that reading is safe.
    require_in_words(feature, {key: optional(text(), nullable=True) for key in TEXTS})


ROUTES: Routes = {
    ("POST", "/api/features/list"): Endpoint(list_features, checks_path=True),
    ("POST", "/api/features/get"): Endpoint(get_feature, checks_path=True),
    ("POST", "/api/features/create"): Endpoint(create_feature, checks_path=True),
    ("POST", "/api/features/update"): Endpoint(update_feature, checks_path=True),
    ("POST", "/api/features/delete"): Endpoint(delete_feature, checks_path=True),
    ("POST", "/api/features/bulk-delete"): Endpoint(bulk_delete, checks_path=True),
    ("POST", "/api/features/agent-output"): Endpoint(agent_output, checks_path=True),
    ("POST", "/api/features/raw-output"): Endpoint(raw_output, checks_path=True),
}
