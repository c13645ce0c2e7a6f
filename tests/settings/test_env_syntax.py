"""Lines of an env file: what is read is what was meant, and what was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.env_syntax import Entry, quoted, read

VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
AWKWARD = st.text(st.sampled_from("'\"\\$ #\n\r{}=`é\u2028\x85\tan0"), max_size=12)


def value_of(line: str) -> str:
    """The value of the only assignment in `line`."""
    entries, problems = read(line)
    assert problems == []
    (entry,) = entries
    return entry.value


@pytest.mark.parametrize(
    ("line", "value", "why"),
    [
        ("K=plain", "plain", "nothing special"),
        ("K=pa$1wor$D", "pa$1wor$D", "a dollar is a dollar"),
        ("K='pa$1wor$D'", "pa$1wor$D", "in single quotes too"),
        ('K="pa$1wor$D"', "pa$1wor$D", "and in double quotes"),
        (r'K="pa\$1"', "pa$1", "escaped for those who expand"),
        ("K=${HOME}", "${HOME}", "never interpolated"),
        ("K=a#b", "a#b", "a # inside a word belongs to it"),
        ("K=a #b", "a", "a # after a space begins a comment"),
        ("K=#b", "", "nothing but a comment"),
        ("K='a #b' # c", "a #b", "quotes keep a #"),
        ("K=  a b  ", "a b", "spaces around do not count"),
        ("K='  a b  '", "  a b  ", "those inside quotes do"),
        ("K=", "", "empty"),
        ("K=''", "", "empty, quoted"),
        ("export K=a", "a", "the way a shell would have it"),
        ("  K = a", "a", "spaces around the sign"),
        ("K=it's", "it's", "a quote inside a word"),
        (r"K='it\'s'", "it's", "a quote inside quotes"),
        (r"K='a\b\n'", r"a\b\n", "no escapes in single quotes"),
        (r'K="a\nb"', "a\nb", "escapes in double quotes"),
        (r'K="a\\n"', r"a\n", "an escaped backslash"),
        (r'K="\q"', r"\q", "an escape that means nothing stays"),
        ("K=größe", "größe", "unicode"),
        ("K='a\u2028b'", "a\u2028b", "a line separator that ends no line"),
        ("K=a=b", "a=b", "only the first sign divides"),
        ("K=a\r", "a", "a file from another system"),
        ("\ufeffK=a", "a", "a mark some editors put first"),
    ],
)
def test_a_value_is_read_as_it_is_meant(line: str, value: str, why: str) -> None:
    assert value_of(line) == value, why


@given(VALUES | AWKWARD)
def test_any_value_that_is_written_is_read_back(value: str) -> None:
    assert value_of(f"K={quoted(value)}") == value


@given(st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), VALUES | AWKWARD))
def test_a_whole_file_is_read_back_in_its_order(values: dict[str, str]) -> None:
    text = "".join(f"{key}={quoted(value)}\n" for key, value in values.items())
    entries, problems = read(text)
    assert problems == []
    assert [(one.key, one.value) for one in entries] == list(values.items())


@given(VALUES | AWKWARD)
def test_a_value_takes_one_line(value: str) -> None:
    assert "\n" not in quoted(value)
    assert "\r" not in quoted(value)


@given(st.text())
def test_no_text_is_too_strange_to_be_looked_at(text: str) -> None:
    entries, problems = read(text)
    assert len(entries) + len(problems) <= text.count("\n") + 1


def test_lines_are_counted_from_1_and_comments_count() -> None:
    entries, _ = read("# a\n\nA=1\n  # b\nB=2\n")
    assert entries == [Entry("A", "1", 3), Entry("B", "2", 5)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A=1\nA=2", (2, "A: set already on line 1")),
        ("sk-ant-secret", (1, "not of the form KEY=value")),
        ("1A=2", (1, "not of the form KEY=value")),
        ("A: b", (1, "not of the form KEY=value")),
        ("A='sk-ant-secret", (1, "A: the quotation does not end, or text follows it")),
        ('A="sk"x', (1, "A: the quotation does not end, or text follows it")),
        ("A='sk\\'", (1, "A: the quotation does not end, or text follows it")),
        ("A=a\0b", (1, "A: a value cannot hold the character NUL")),
    ],
)
def test_a_problem_has_its_line_and_never_quotes_it(text: str, problem: tuple[int, str]) -> None:
    _, problems = read(text)
    assert problems == [problem]
    assert "sk" not in problems[0][1]


@pytest.mark.parametrize(
    ("line", "expandable"),
    [
        ("K=pa$1", True),
        ('K="pa$x"', True),
        ("K=${A}", True),
        ("K='pa$1'", False),
        (r'K="pa\$x"', False),
        ("K=5$", False),
        ("K=a # $x", False),
    ],
)
def test_what_compose_would_expand_is_marked(line: str, expandable: bool) -> None:
    (entry,), _ = read(line)
    assert entry.expandable is expandable


@given(VALUES | AWKWARD)
def test_what_is_written_here_is_never_expandable(value: str) -> None:
    (entry,), _ = read(f"K={quoted(value)}")
    assert not entry.expandable


def test_a_value_is_not_shown() -> None:
    assert "secret" not in repr(read("K=secret"))


def test_nul_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quoted("a\0b")
