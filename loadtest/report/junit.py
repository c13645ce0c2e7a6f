"""JUnit XML for CI: a suite a basis, a test case a claim."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from loadtest.report.words import BASES, OTHER, by_basis, headline, scale_words
from loadtest.summary import ClaimResult, Summary

# What XML 1.0 cannot carry even when escaped: control characters, lone surrogates, two others.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def junit_xml(summary: Summary) -> str:
    """The verdicts as JUnit XML.

    Refuted is a failure, inconclusive an error, not run is skipped. A claim that is not gating
    fails nothing: refuted it passes and says so, inconclusive it is skipped.
    """
    root = ET.Element("testsuites", name=_clean(f"loadtest {summary.run_id}"))
    for basis, claims in by_basis(summary):
        root.append(_suite(summary, basis, claims))
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    root.set("time", f"{summary.duration_s:.3f}")
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _suite(summary: Summary, basis: str, claims: Sequence[ClaimResult]) -> ET.Element:
    suite = ET.Element("testsuite", name=basis, timestamp=_clean(summary.started_at))
    facts = {
        "basis": BASES[basis][1],
        "verdict": headline(summary),
        "grade": summary.grade,
        "scale": scale_words(summary.scale),
        "plan": summary.plan,
        "target": summary.target,
    }
    properties = ET.SubElement(suite, "properties")
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=_clean(value))
    suite.extend(_case(basis, claim) for claim in claims)
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(claims)))
    return suite


def _case(basis: str, claim: ClaimResult) -> ET.Element:
    case = ET.Element("testcase", classname=f"loadtest.{basis}", name=_clean(claim.id), time="0")
    tag = _tag(claim)
    if tag:
        message = _clean(f"{claim.statement}: {claim.verdict}: {claim.reason}")
        ET.SubElement(case, tag, message=message)
    ET.SubElement(case, "system-out").text = _clean(_lines(claim))
    return case


def _tag(claim: ClaimResult) -> str | None:
    if claim.verdict == "confirmed" or (claim.verdict == "refuted" and not claim.gating):
        return None
    if claim.verdict == "refuted":
        return "failure"
    return "error" if claim.verdict == "inconclusive" and claim.gating else "skipped"


def _lines(claim: ClaimResult) -> str:
    gating = "" if claim.gating else ", not gating"
    return "\n".join(
        (
            claim.statement,
            f"section: {claim.section or OTHER}",
            f"{claim.verdict}{gating}: {claim.reason}",
            f"expected: {claim.expected}",
            f"measured: {claim.measured}",
            f"unit: {claim.unit}",
            f"trials: {', '.join(claim.trials) or 'none'}",
        )
    )


def _clean(text: str) -> str:
    """`text` with what XML cannot carry written as an escape."""
    return _ILLEGAL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
