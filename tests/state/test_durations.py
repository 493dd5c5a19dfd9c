import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.durations import LONGEST, Axis, DurationError, format_span, parse_span


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0s", 0),
        ("250ms", 250),
        ("1s", 1_000),
        (" 15 m ", 900_000),
        ("1h30m", 5_400_000),
        ("1h 30m", 5_400_000),
        ("7d", 604_800_000),
        ("1w", 604_800_000),
        ("1d1ms", 86_400_001),
    ],
)
def test_durations_are_read(text: str, wanted: int) -> None:
    assert parse_span(text, Axis.MILLISECONDS) == wanted


@pytest.mark.parametrize(
    "text", ["", "5", "h", "-5m", "1.5h", "5min", "1h30", "1 5m", "1y", "12 rows", "1h, 2m", "²s", "٣m"]
)
def test_what_is_no_duration_is_refused_with_what_was_found(text: str) -> None:
    with pytest.raises(DurationError) as error:
        parse_span(text, Axis.MILLISECONDS)
    assert repr(text) in str(error.value)
    assert "'1h30m'" in str(error.value)


@pytest.mark.parametrize("text", ["36601d", "9" * 18 + "w", "9" * 5_000 + "s", "36600d1ms"])
def test_spans_beyond_a_century_are_refused(text: str) -> None:
    with pytest.raises(DurationError):
        parse_span(text, Axis.MILLISECONDS)
    assert parse_span("36600d", Axis.MILLISECONDS) == LONGEST


@pytest.mark.parametrize("text", ["", "1000", "1h", "-3 rows", "3 rowss", "1.5 rows", "9" * 5_000 + " rows"])
def test_what_is_no_number_of_rows_is_refused(text: str) -> None:
    with pytest.raises(DurationError, match="wanted a number of rows"):
        parse_span(text, Axis.ROWS)


@pytest.mark.parametrize(("text", "wanted"), [("1 row", 1), ("336 rows", 336), ("336rows", 336)])
def test_rows_are_read(text: str, wanted: int) -> None:
    assert parse_span(text, Axis.ROWS) == wanted


@given(span=st.integers(0, LONGEST), axis=st.sampled_from(Axis))
def test_what_is_written_is_read_back(span: int, axis: Axis) -> None:
    assert parse_span(format_span(span, axis), axis) == span


@pytest.mark.parametrize(
    ("span", "wanted"),
    [
        (0, "0ms"),
        (90_000, "90s"),
        (3_600_000, "1h"),
        (5_400_000, "90m"),
        (604_800_000, "7d"),
        (1_001, "1001ms"),
    ],
)
def test_spans_are_written_in_their_largest_whole_unit(span: int, wanted: str) -> None:
    assert format_span(span, Axis.MILLISECONDS) == wanted
