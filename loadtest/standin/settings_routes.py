"""/api/settings: the global settings."""

from __future__ import annotations

import asyncio

from .call import Call
from .errors import Refusal
from .server import Answer, Endpoint, Routes, Server
from .server_settings import load_settings, save_settings, settings_file


async def get_global(server: Server, _call: Call) -> Answer:
    """Answer the settings in force: the file over the defaults."""
    settings = await asyncio.to_thread(load_settings, server.config.data_dir)
    return {"success": True, "settings": settings}


async def put_global(server: Server, call: Call) -> Answer:
    """Merge the body's keys into the settings; unknown keys and odd types are kept."""
    updates = call.body
    if not isinstance(updates, dict):
        raise Refusal(400, "Invalid request body - expected settings object")
    settings = await asyncio.to_thread(save_settings, server.config.data_dir, updates)
    return {"success": True, "settings": settings}


async def status(server: Server, _call: Call) -> Answer:
    """Which settings files exist."""
    return {
        "success": True,
        "hasGlobalSettings": settings_file(server.config.data_dir).exists(),
        "hasCredentials": (server.config.data_dir / "credentials.json").exists(),
        "dataDir": str(server.config.data_dir),
        "needsMigration": False,
    }


ROUTES: Routes = {
    ("GET", "/api/settings/global"): Endpoint(get_global),
    ("PUT", "/api/settings/global"): Endpoint(put_global),
    ("GET", "/api/settings/status"): Endpoint(status),
}
