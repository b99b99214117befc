"""What a bar says about two sides that were measured in turn."""

from __future__ import annotations

import dataclasses

import pytest

from benches.bars import Bar, Document, Histogram, Measured, Table, absolute, bar, merge, text


def slower_once() -> Bar:
    """Ours is half of theirs in two rounds and was disturbed in the third."""
    return bar("half", Measured("a", [10, 10, 90]), Measured("b", [20, 20, 20]), bound=0.6)


def test_the_median_of_the_rounds_decides_and_the_extremes_are_shown() -> None:
    ratio = slower_once().ratio

    assert (ratio.median, ratio.min, ratio.max) == (0.5, 0.5, 4.5)
    assert ratio.holds


@pytest.mark.parametrize(
    ("relation", "bound", "holds"), [("<=", 0.5, True), ("<=", 0.49, False), (">=", 0.5, True), (">=", 0.51, False)]
)
def test_a_bound_itself_is_within(relation: str, bound: float, holds: bool) -> None:  # noqa: FBT001 - a table row
    found = bar("x", Measured("a", [1]), Measured("b", [2]), bound=bound, relation="<=" if relation == "<=" else ">=")

    assert found.ratio.holds is holds


def test_rounds_are_paired_and_not_the_medians_divided() -> None:
    found = bar("x", Measured("a", [1, 4, 9]), Measured("b", [2, 2, 9]), bound=1)

    assert found.ratio.median == 1
    assert (found.ours.median, found.theirs.median) == (4, 2)


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1], [1, 2]), ([1], [0])])
def test_what_is_no_pair_is_refused(ours: list[float], theirs: list[float]) -> None:
    with pytest.raises(ValueError, match="x: "):
        bar("x", Measured("a", ours), Measured("b", theirs), bound=1)


@pytest.mark.parametrize(("used", "most", "ratio", "holds"), [(0, 0, 0, True), (1, 0, 1, False), (256, 512, 0.5, True)])
def test_a_bar_against_a_figure(used: float, most: float, ratio: float, holds: bool) -> None:  # noqa: FBT001 - a table row
    found = absolute("x", Measured("a", [used]), most=most, unit="bytes").ratio

    assert (found.median, found.holds) == (ratio, holds)


def test_a_document_comes_back_as_it_was_written() -> None:
    document = Document(
        {"core": ["in turn"]},
        [slower_once()],
        [Table("t", ["case", "ns"], [["accept", 1.5]])],
        [Histogram("h", "ns", {"p50": 1}, [(1.0, 2)])],
        ["x: not built"],
    )

    back = Document.from_json(document.to_json())

    assert back.to_json() == document.to_json()
    assert back.bars == document.bars


@pytest.mark.parametrize("other", ["[]", "{}", '{"format": 99}'])
def test_another_format_is_not_read(other: str) -> None:
    with pytest.raises(ValueError, match="format"):
        Document.from_json(other)


def test_documents_of_one_run_become_one() -> None:
    first, second = Document({"core": ["a"]}, [slower_once()]), Document({"gateway": ["b"]}, skipped=["c: why"])

    whole = merge([first, second])

    assert whole.method == {"core": ["a"], "gateway": ["b"]}
    assert len(whole.bars) == 1
    assert whole.skipped == ["c: why"]


def test_text_says_which_bar_fails() -> None:
    good = slower_once()
    bad = dataclasses.replace(good, ratio=dataclasses.replace(good.ratio, holds=False))

    shown = text(Document({}, [good, bad], [Table("t", ["case"], [["accept"]])]))

    assert [line.split()[0] for line in shown.splitlines()[:2]] == ["holds", "FAILS"]
    assert "accept" in shown
