"""The workflows: nothing from outside reaches a shell, and hosts are changed by verbs alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings.load import load_settings

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
STAGING = [path for path in WORKFLOWS if path.stem.endswith("-staging")]
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
# Events that anyone can cause, with what they wrote in them.
OPEN_EVENTS = frozenset(
    {"pull_request", "pull_request_target", "issues", "issue_comment", "workflow_run", "push"}
)
# `exec` alone may stand before it: the verb then gets the signals that the shell would.
VERB = re.compile(r"(?:exec )?\.venv/bin/invoke ([a-z-]+)(?: |$)")
OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")
# Whatever could start another command than the one that a line begins with.
SHELL = re.compile(r"[;&|<>`\n]|\$\(")

Workflow = dict[str, Any]


def parse(text: str) -> Workflow:
    """Read a workflow with every scalar as text: YAML 1.1 would take the key `on` for a boolean."""
    workflow = yaml.load(text, Loader=yaml.BaseLoader)
    assert isinstance(workflow, dict)
    return workflow


def jobs(workflow: Workflow) -> dict[str, Workflow]:
    return dict(workflow["jobs"])


def steps(workflow: Workflow) -> Iterator[Workflow]:
    for job in jobs(workflow).values():
        yield from job.get("steps", [])


def commands(workflow: Workflow) -> list[str]:
    return [step["run"].strip() for step in steps(workflow) if "run" in step]


def events(workflow: Workflow) -> set[str]:
    return {workflow["on"]} if isinstance(workflow["on"], str) else set(workflow["on"])


def mistakes(workflow: Workflow) -> list[str]:
    """What no workflow may do."""
    found = [f"an expression in a script: {one}" for one in commands(workflow) if "${{" in one]
    if "pull_request_target" in events(workflow):
        found.append("pull_request_target")
    if workflow.get("permissions") != {"contents": "read"}:
        found.append("more than contents: read")
    for name, job in jobs(workflow).items():
        found += [f"{name}: {key}" for key in ("permissions", "secrets") if key in job]
        if "uses" not in job and "timeout-minutes" not in job:
            found.append(f"{name}: no timeout-minutes")
    used = [one["uses"] for one in [*jobs(workflow).values(), *steps(workflow)] if "uses" in one]
    found += [f"not pinned: {one}" for one in used if not PINNED.fullmatch(one)]
    for step in steps(workflow):
        kept = step.get("with", {}).get("persist-credentials") != "false"
        if "checkout@" in step.get("uses", "") and kept:
            found.append("a checkout that keeps its credentials")
    return found


def staging_mistakes(workflow: Workflow, verbs: Mapping[str, str]) -> list[str]:
    """What a workflow that changes the staging host may not do; `verbs` have their help."""
    found = [f"on {event}" for event in sorted(events(workflow) & OPEN_EVENTS)]
    queue = {"group": "staging", "cancel-in-progress": "false", "queue": "max"}
    if workflow.get("concurrency") != queue:
        found.append("does not queue")
    for name, job in jobs(workflow).items():
        if job.get("runs-on") != ["self-hosted", "staging"]:
            found.append(f"{name}: runs elsewhere")
        if "concurrency" in job:
            found.append(f"{name}: a queue of its own")
        found += [
            f"{name}: {one}" for one in _unknown(str(job.get("env", "")), "\n".join(verbs.values()))
        ]
    for command in commands(workflow):
        verb = VERB.match(command)
        if SHELL.search(command) or (command != "./bootstrap" and not verb):
            found.append(f"not one verb: {command}")
        elif verb and verb[1] not in verbs:
            found.append(f"no such verb: {verb[1]}")
        elif verb:
            found += [f"{verb[1]}: {one}" for one in _unknown(command, verbs[verb[1]])]
    return found


def _unknown(text: str, help_text: str) -> list[str]:
    """Options in a text that a help text does not explain."""
    # A switch that is on by itself is explained as --[no-]switch.
    both = help_text.replace("[no-]", "") + help_text.replace("[no-]", "no-")
    known = set(OPTION.findall(both))
    return [f"no such option: --{one}" for one in OPTION.findall(text) if one not in known]


@cache
def verbs_and_help() -> dict[str, str]:
    listed = json.loads(_invoke("--list", "--list-format=json"))
    names = [task["name"] for task in listed["tasks"]]
    return {name: _invoke("--help", name) for name in names}


def _invoke(*words: str) -> str:
    argv = [sys.executable, "-m", "invoke", *words]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_trusts_nothing_from_outside(path: Path) -> None:
    assert mistakes(parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", STAGING, ids=lambda path: path.stem)
def test_a_workflow_changes_the_host_by_verbs_that_there_are(path: Path) -> None:
    workflow = parse(path.read_text(encoding="utf-8"))
    assert staging_mistakes(workflow, verbs_and_help()) == []


def test_every_workflow_was_looked_at() -> None:
    assert [path.stem for path in WORKFLOWS] == [
        "capacity",
        "ci",
        "deploy-staging",
        "rollback-staging",
    ]
    assert [path.stem for path in STAGING] == ["deploy-staging", "rollback-staging"]
    for path in WORKFLOWS:
        assert commands(parse(path.read_text(encoding="utf-8"))), path


def test_a_deploy_that_is_cancelled_hears_of_it_and_what_it_left_is_gone_back_from() -> None:
    (deploy,) = (path for path in STAGING if path.stem == "deploy-staging")
    workflow = parse(deploy.read_text(encoding="utf-8"))
    found = [(one.get("if", ""), one["run"]) for one in steps(workflow) if "run" in one]
    verbs = [(when, run, verb[1]) for when, run in found if (verb := VERB.match(run.strip()))]
    assert [verb for _, _, verb in verbs] == ["doctor", "deploy", "rollback", "status", "logs"]
    assert verbs[1][1].startswith("exec ")
    when, run, _ = verbs[2]
    assert when == "cancelled()"
    assert "--if-unfinished" in run


def test_ci_runs_what_people_run() -> None:
    (ci,) = (path for path in WORKFLOWS if path.stem == "ci")
    workflow = parse(ci.read_text(encoding="utf-8"))
    assert events(workflow) == {"push", "pull_request"}
    (command,) = commands(workflow)
    assert command.endswith("bash .ci/run")


def test_the_capacity_run_has_only_options_that_a_load_test_knows_and_its_plans() -> None:
    (capacity,) = (path for path in WORKFLOWS if path.stem == "capacity")
    workflow = parse(capacity.read_text(encoding="utf-8"))
    assert events(workflow) == {"schedule", "workflow_dispatch"}
    command = next(one for one in commands(workflow) if "-s loadtest" in one)
    known = subprocess.run(
        [sys.executable, "-m", "loadtest", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert _unknown(command.partition(" -- ")[2], known.stdout) == []
    plans = workflow["on"]["workflow_dispatch"]["inputs"]["plan"]["options"]
    assert set(plans) <= set(load_settings().loadtest.plans)


GOOD = """
on: {workflow_dispatch: {inputs: {release: {type: string}}}}
permissions: {contents: read}
concurrency: {group: staging, cancel-in-progress: false, queue: max}
jobs:
  go:
    runs-on: [self-hosted, staging]
    timeout-minutes: 90
    env: {RELEASE: "${{ inputs.release }}", DRAIN: "${{ inputs.hurry && '--no-drain' || '' }}"}
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683
        with: {persist-credentials: false}
      - run: ./bootstrap
      - run: .venv/bin/invoke back --to="$RELEASE" --no-wait
"""
VERBS = {"back": "-t STRING, --to=STRING   a release\n --[no-]wait", "go": "--no-drain"}
PIN = "@11bd71901bbe5b1630ceea73d27597364c9af683"


def test_a_workflow_without_mistakes_has_none() -> None:
    assert mistakes(parse(GOOD)) == []
    assert staging_mistakes(parse(GOOD), VERBS) == []


@pytest.mark.parametrize(
    ("good", "bad", "says"),
    [
        ('"$RELEASE"', "${{ inputs.release }}", "an expression in a script"),
        ("workflow_dispatch:", "pull_request_target:", "pull_request_target"),
        ("contents: read", "contents: write", "more than contents: read"),
        ("contents: read", "contents: read, actions: write", "more than contents: read"),
        ("permissions: {contents: read}", "", "more than contents: read"),
        ("timeout-minutes: 90", "timeout-minutes: 90\n    permissions: write-all", "permissions"),
        ("timeout-minutes: 90", "secrets: inherit", "secrets"),
        ("timeout-minutes: 90", "", "no timeout-minutes"),
        (PIN, "@v4", "not pinned: actions/checkout@v4"),
        (PIN, "@11bd719", "not pinned"),
        (f"actions/checkout{PIN}", "./.github/actions/own", "not pinned"),
        ("persist-credentials: false", "persist-credentials: true", "keeps its credentials"),
        ("with: {persist-credentials: false}", "", "keeps its credentials"),
    ],
)
def test_a_mistake_of_any_workflow_is_found(good: str, bad: str, says: str) -> None:
    assert good in GOOD
    assert says in "\n".join(mistakes(parse(GOOD.replace(good, bad))))


@pytest.mark.parametrize(
    ("good", "bad", "says"),
    [
        ("workflow_dispatch:", "push: {}, workflow_dispatch:", "on push"),
        ("workflow_dispatch:", "pull_request: {}, workflow_dispatch:", "on pull_request"),
        ("cancel-in-progress: false", "cancel-in-progress: true", "does not queue"),
        (", queue: max", "", "does not queue"),
        ("group: staging", "group: mine", "does not queue"),
        ("[self-hosted, staging]", "ubuntu-latest", "runs elsewhere"),
        ("timeout-minutes: 90", "concurrency: {group: a}", "a queue of its own"),
        ("./bootstrap", "curl example.com", "not one verb: curl"),
        ("./bootstrap", ".venv/bin/pip install x", "not one verb"),
        ("./bootstrap", "exec reboot", "not one verb"),
        ("./bootstrap", "./bootstrap && reboot", "not one verb"),
        ('"$RELEASE"', '"$(reboot)"', "not one verb"),
        ('"$RELEASE"', '"$RELEASE" ; reboot', "not one verb"),
        ("invoke back", "invoke destroy", "no such verb: destroy"),
        ("--to=", "--from=", "back: no such option: --from"),
        ("--no-drain", "--no-brain", "go: no such option: --no-brain"),
    ],
)
def test_a_mistake_of_a_staging_workflow_is_found(good: str, bad: str, says: str) -> None:
    assert good in GOOD
    assert says in "\n".join(staging_mistakes(parse(GOOD.replace(good, bad)), VERBS))
