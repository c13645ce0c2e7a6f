"""Verbs that change a host. `invoke --list` names them, `invoke --help VERB` explains one."""

from __future__ import annotations

from invoke.collection import Collection

from verbs import docs, host, release, stack

ns = Collection.from_module(host)
for module in (release, stack):
    for one in Collection.from_module(module).tasks.values():
        ns.add_task(one)
ns.add_collection(Collection.from_module(docs, name="docs"))
