import math
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.decode.base import Reason
from flows.decode.event_time import END_MS, parse_times
from flows.decode.setup import DecodeSetupError
from state.columns import TimeColumn, TimeUnit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ISO = TimeColumn(path="ts")
PER_SECOND = {TimeUnit.SECONDS: 1, TimeUnit.MILLISECONDS: 1_000, TimeUnit.MICROSECONDS: 1_000_000}

moments = st.datetimes(
    min_value=datetime.fromisoformat("1900-01-02"), max_value=datetime.fromisoformat("2200-12-30")
)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def one(value: object, spec: TimeColumn) -> int | Reason:
    times_ms, refused = parse_times([value], spec)
    return refused[0][1] if refused else int(times_ms[0])


def exact_ms(moment: datetime) -> int:
    """Milliseconds by rational arithmetic, rounded down."""
    delta = moment - EPOCH
    micros = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    return math.floor(Fraction(micros, 1_000))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 1709294400 s: `date -u -d 2024-03-01T12:00:00Z +%s`.
        ("2024-03-01T12:00:00Z", 1_709_294_400_000),
        ("2024-03-01 12:00:00", 1_709_294_400_000),
        ("2024-03-01T12:00:00.123456Z", 1_709_294_400_123),
        ("2024-03-01T14:00:00+02:00", 1_709_294_400_000),
        ("2024-03-01", 1_709_251_200_000),
        # One microsecond before the epoch is in the millisecond before it.
        ("1969-12-31T23:59:59.999999Z", -1),
    ],
)
def test_iso_texts(text: str, expected: int) -> None:
    assert one(text, ISO) == expected


@given(st.lists(st.tuples(moments, offsets), min_size=1, max_size=5))
def test_iso_with_offsets_is_exact(pairs: list[tuple[datetime, timezone]]) -> None:
    aware = [moment.replace(tzinfo=offset) for moment, offset in pairs]
    times_ms, refused = parse_times([moment.isoformat() for moment in aware], ISO)
    assert refused == []
    assert times_ms.tolist() == [exact_ms(moment) for moment in aware]


@given(st.lists(moments, max_size=5))
def test_naive_texts_are_utc(values: list[datetime]) -> None:
    times_ms, refused = parse_times([moment.isoformat(" ") for moment in values], ISO)
    assert refused == []
    assert times_ms.tolist() == [exact_ms(moment.replace(tzinfo=UTC)) for moment in values]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-07-01T12:00:00", "2024-07-01T10:00:00Z"),
        ("2024-01-01T12:00:00", "2024-01-01T11:00:00Z"),
        # Clocks went back from 3 to 2 on 27 October 2024: 2:30 stands twice, the first is summer time.
        ("2024-10-27T02:30:00", "2024-10-27T00:30:00Z"),
        # Clocks went forward from 2 to 3 on 31 March 2024: 2:30 is read as 3:30 summer time.
        ("2024-03-31T02:30:00", "2024-03-31T01:30:00Z"),
        ("2024-07-01T12:00:00-05:00", "2024-07-01T17:00:00Z"),
    ],
)
def test_naive_texts_in_a_zone(text: str, utc: str) -> None:
    berlin = TimeColumn(path="ts", zone="Europe/Berlin")
    assert one(text, berlin) == one(utc, ISO)
    # A batch that mixes both kinds of text gives the same.
    times_ms, _ = parse_times(["2024-01-01T00:00:00Z", text, "2024-01-01T00:00:00"], berlin)
    assert int(times_ms[1]) == one(utc, ISO)


@given(st.integers(-2_208_988_800_000_000, 7_258_118_399_999_999), st.sampled_from(sorted(PER_SECOND)))
def test_whole_numbers_are_exact_as_number_and_as_text(micros: int, unit: TimeUnit) -> None:
    number = micros * PER_SECOND[unit] // 1_000_000
    expected = math.floor(Fraction(number * 1_000, PER_SECOND[unit]))
    spec = TimeColumn(path="ts", unit=unit)
    assert one(number, spec) == one(str(number), spec) == expected
    # The same value among others that force the reading one by one.
    times_ms, _ = parse_times([None, number, str(number)], spec)
    assert times_ms.tolist() == [0, expected, expected]


@given(st.integers(0, 4_000_000_000_000), st.sampled_from([TimeUnit.SECONDS, TimeUnit.MILLISECONDS]))
def test_fractions_written_with_millisecond_digits_are_read_back(time_ms: int, unit: TimeUnit) -> None:
    # The binary fraction of 1700000000.123 lies below it: rounding down alone would lose a millisecond.
    number = time_ms / 1_000 if unit is TimeUnit.SECONDS else float(time_ms)
    spec = TimeColumn(path="ts", unit=unit)
    assert one(number, spec) == one(repr(number), spec) == time_ms


@given(st.lists(st.floats(-3e9, 8e9) | st.integers(-(10**10), 10**10) | st.none() | st.just("x"), max_size=6))
def test_a_batch_equals_its_values_one_by_one(values: list[object]) -> None:
    spec = TimeColumn(path="ts", unit=TimeUnit.SECONDS)
    times_ms, refused = parse_times(values, spec)
    reasons = {index: reason for index, reason, _ in refused}
    assert len(times_ms) == len(values)
    for index, value in enumerate(values):
        assert one(value, spec) == reasons.get(index, int(times_ms[index]))


@pytest.mark.parametrize(
    ("value", "unit", "reason"),
    [
        (None, TimeUnit.ISO, Reason.NO_TIME),
        (" ", TimeUnit.ISO, Reason.NO_TIME),
        ("", TimeUnit.SECONDS, Reason.NO_TIME),
        ("yesterday", TimeUnit.ISO, Reason.BAD_TIME),
        ("2024-13-01", TimeUnit.ISO, Reason.BAD_TIME),
        ("1899-12-31T23:59:59Z", TimeUnit.ISO, Reason.BAD_TIME),
        (1_700_000_000, TimeUnit.ISO, Reason.BAD_TIME),
        (True, TimeUnit.SECONDS, Reason.BAD_TIME),
        (math.nan, TimeUnit.SECONDS, Reason.BAD_TIME),
        ("inf", TimeUnit.SECONDS, Reason.BAD_TIME),
        ("1_700_000_000", TimeUnit.SECONDS, Reason.BAD_TIME),
        (10**400, TimeUnit.MICROSECONDS, Reason.BAD_TIME),
        (-(2**63), TimeUnit.MILLISECONDS, Reason.BAD_TIME),
        ("9" * 5_000, TimeUnit.SECONDS, Reason.BAD_TIME),
        (1e300, TimeUnit.SECONDS, Reason.BAD_TIME),
        (END_MS, TimeUnit.MILLISECONDS, Reason.BAD_TIME),
        ([1], TimeUnit.MILLISECONDS, Reason.BAD_TIME),
    ],
)
def test_what_is_not_a_time(value: object, unit: TimeUnit, reason: Reason) -> None:
    assert one(value, TimeColumn(path="ts", unit=unit)) is reason


def test_the_end_of_the_believed_years() -> None:
    assert one(END_MS - 1, TimeColumn(path="ts", unit=TimeUnit.MILLISECONDS)) == END_MS - 1


def test_a_wrong_unit_is_named() -> None:
    _, refused = parse_times([1_700_000_000_000], TimeColumn(path="ts", unit=TimeUnit.SECONDS))
    ((_, _, detail),) = refused
    assert "1700000000000" in detail
    assert "set time.unit to ms" in detail


def test_an_unknown_zone_is_refused_by_name() -> None:
    with pytest.raises(DecodeSetupError, match="Europe/Atlantis"):
        parse_times([], TimeColumn(path="ts", zone="Europe/Atlantis"))
