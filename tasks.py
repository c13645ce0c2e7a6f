"""Verbs that change a host. `invoke --list` names them, `invoke --help VERB` explains one."""

from __future__ import annotations

from invoke.collection import Collection

from verbs import baseline, docs, host, release, schedule, stack

ns = Collection.from_module(host)
for module in (release, stack, baseline):
    for one in Collection.from_module(module).tasks.values():
        ns.add_task(one)
for group in (docs, schedule):
    ns.add_collection(Collection.from_module(group))
