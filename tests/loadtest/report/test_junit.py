from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from loadtest.report.junit import junit_xml
from loadtest.summary import ClaimResult, Summary


def case(xml: str, name: str) -> ET.Element:
    found = ET.fromstring(xml).find(f".//testcase[@name='{name}']")
    assert found is not None
    return found


def outcome_of(xml: str, name: str) -> str:
    tags = {part.tag for part in case(xml, name)} - {"system-out"}
    return tags.pop() if tags else "passed"


def test_every_basis_is_a_suite_and_every_claim_a_case(summary: Summary) -> None:
    root = ET.fromstring(junit_xml(summary))
    assert {suite.get("name") for suite in root} == {"rig", "assumed", "measured", "observed"}
    assert len(root.findall("testsuite/testcase")) == len(summary.claims)


def test_counts_are_those_of_the_cases(summary: Summary) -> None:
    root = ET.fromstring(junit_xml(summary))
    counts = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "9", "failures": "1", "errors": "1", "skipped": "1"}
    assert root.find("testsuite[@name='assumed']").attrib.items() >= counts.items() - {  # type: ignore[union-attr]
        ("tests", "9")
    }


@pytest.mark.parametrize(
    ("verdict", "gating", "tag"),
    [
        ("confirmed", True, "passed"),
        ("refuted", True, "failure"),
        ("inconclusive", True, "error"),
        ("not-run", True, "skipped"),
        ("refuted", False, "passed"),
        ("inconclusive", False, "skipped"),
        ("not-run", False, "skipped"),
    ],
)
def test_a_verdict_becomes(
    make_summary: Callable[..., Summary],
    make_claim: Callable[..., ClaimResult],
    verdict: str,
    gating: bool,
    tag: str,
) -> None:
    claim = make_claim(id="it", verdict=verdict, gating=gating)
    assert outcome_of(junit_xml(make_summary(claims=(claim,))), "it") == tag


def test_a_refuted_claim_that_is_not_gating_passes_and_says_so(summary: Summary) -> None:
    xml = junit_xml(summary)
    assert outcome_of(xml, "crash-mode") == "passed"
    assert "refuted, not gating" in (case(xml, "crash-mode").findtext("system-out") or "")


def test_hostile_words_stay_readable_and_the_file_well_formed(
    make_summary: Callable[..., Summary], make_claim: Callable[..., ClaimResult]
) -> None:
    hostile = "]]> <x a='1'> & \x00\x1b[31m\x7f \ud800 \ufffe \N{PILE OF POO}"
    claim = make_claim(id=hostile, statement=hostile, reason=hostile, verdict="refuted")
    xml = junit_xml(make_summary(claims=(claim,), run_id=hostile, target=hostile))
    failure = ET.fromstring(xml.encode()).find(".//failure")
    assert failure is not None
    assert "]]> <x a='1'> & \\x00\\x1b[31m\\x7f \\ud800 \\ufffe \N{PILE OF POO}" in failure.get(
        "message", ""
    )


def test_no_claims_make_an_empty_report(make_summary: Callable[..., Summary]) -> None:
    root = ET.fromstring(junit_xml(make_summary(claims=())))
    assert (root.get("tests"), len(root)) == ("0", 0)
