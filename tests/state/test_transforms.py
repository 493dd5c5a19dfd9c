"""Steps from a field to what is watched: known values, and that a value depends on its own row alone."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import Kind
from state.epoch_dates import EpochDate
from state.text_steps import Date, DatePart, FillText, Hashed, Lower, Rename
from state.transforms import Bucket, Clip, ColumnValues, FillNumber, Log, Scale, Step, Transform

NAN, INF = math.nan, math.inf

NUMBER_STEPS: tuple[Step, ...] = (
    FillNumber(2.0),
    Clip(-1.0, 5.0),
    Clip(-INF, 5.0),
    Log(),
    Log(1.0),
    Scale(1.0, 1e-300),
    Bucket((0.0, 10.0)),
    *(EpochDate(part, unit) for part in DatePart for unit in ("s", "us")),
)
TEXT_STEPS: tuple[Step, ...] = (
    FillText("none"),
    Lower(),
    Rename((("a", "b"),)),
    Hashed(16),
    *(Date(part) for part in DatePart),
)

NUMBERS = st.lists(st.floats(allow_nan=True) | st.sampled_from([NAN, INF, 0.0, -1.0, 10.0]), max_size=20)
TEXTS = st.lists(
    st.none() | st.text(max_size=8) | st.sampled_from([" A ", "a", "2026-11-26T14:30:00", "2026-02-30"]),
    max_size=20,
)


def plain(values: ColumnValues) -> list[object]:
    """Give NaN a value that equals itself."""
    found: list[object] = list(values.tolist() if isinstance(values, np.ndarray) else values)
    return ["nan" if isinstance(value, float) and math.isnan(value) else value for value in found]


def _check(step: Step, values: ColumnValues) -> None:
    whole = plain(step.apply(values))
    assert whole == [each for value in values for each in plain(step.apply([value]))]
    for value in whole:
        if step.gives is Kind.NUMERIC:
            # Decoders mark what is present but not finite by plus infinity.
            assert value == "nan" or (isinstance(value, float) and value > -INF)
        else:
            assert value is None or isinstance(value, str)


@pytest.mark.parametrize("step", NUMBER_STEPS, ids=lambda step: step.formula("x"))
@given(numbers=NUMBERS)
def test_a_number_becomes_what_its_own_row_says(step: Step, numbers: list[float]) -> None:
    # What decoders give: NaN, plus infinity and finite numbers.
    _check(step, np.array([INF if number == -INF else number for number in numbers], dtype=np.float64))


@pytest.mark.parametrize("step", TEXT_STEPS, ids=lambda step: step.formula("x"))
@given(texts=TEXTS)
def test_a_text_becomes_what_its_own_row_says(step: Step, texts: list[str | None]) -> None:
    _check(step, texts)


@pytest.mark.parametrize(
    ("step", "given", "wanted"),
    [
        (FillNumber(7.0), [NAN, 1.0, INF], [7.0, 1.0, INF]),
        (Clip(0.0, 1.0), [-3.0, 0.5, 9.0, INF, NAN], [0.0, 0.5, 1.0, INF, "nan"]),
        (Log(), [1.0, math.e, 0.0, -1.0, INF, NAN], [0.0, 1.0, INF, INF, INF, "nan"]),
        (Log(1.0), [0.0, math.e - 1, -1.0], [0.0, 1.0, INF]),
        (Scale(10.0, 4.0), [12.0, 10.0, INF, NAN], [0.5, 0.0, INF, "nan"]),
        # Below all doubles there is no number either.
        (Scale(0.0, 1e-10), [-1e308], [INF]),
        (
            Bucket((18.0, 65.0)),
            [17.9, 18.0, 64.0, 65.0, INF, NAN],
            ["< 18", "18 to 65", "18 to 65", ">= 65", None, None],
        ),
        (FillText("?"), [None, "a", ""], ["?", "a", ""]),
        (Lower(), [" De ", None, "DE"], ["de", None, "de"]),
        (Rename((("uk", "gb"), ("en", "gb"))), ["uk", "en", "de", None], ["gb", "gb", "de", None]),
        (
            Date(DatePart.HOUR),
            ["2026-11-26T14:30:00+05:00", "2026-11-26", "noon", None],
            [14.0, 0.0, INF, "nan"],
        ),
        # 2026-11-26 is a Thursday.
        (Date(DatePart.WEEKDAY), ["2026-11-26", "2026-11-29T23:59:59Z"], [3.0, 6.0]),
        (Date(DatePart.MONTH), ["2026-11-26"], [11.0]),
        (Date(DatePart.DAY), ["2026-11-26"], [26.0]),
        (Date(DatePart.YEAR), ["2026-11-26"], [2026.0]),
        (Date(DatePart.DAYS), ["1970-01-02T12:00:00", "1969-12-31"], [1.5, -1.0]),
    ],
)
def test_known_values(step: Step, given: list[object], wanted: list[object]) -> None:
    values: ColumnValues = (
        np.array(given, dtype=np.float64)
        if step.takes is Kind.NUMERIC
        else [v if isinstance(v, str) else None for v in given]
    )
    assert plain(step.apply(values)) == wanted


@pytest.mark.parametrize(("unit", "per_second"), [("s", 1), ("ms", 1_000), ("us", 1_000_000)])
@pytest.mark.parametrize("part", DatePart)
@given(days=st.lists(st.integers(-719_162, 2_932_896), max_size=5), second=st.integers(0, 86_399))
def test_epochs_are_read_as_the_standard_library_writes_them(
    part: DatePart, unit: str, per_second: int, days: list[int], second: int
) -> None:
    # Days of the years 1 to 9999.
    start = datetime(1970, 1, 1, tzinfo=UTC)
    texts = [(start + timedelta(days=day, seconds=second)).isoformat() for day in days]
    seconds = np.array([day * 86_400 + second for day in days], dtype=np.float64)
    found = EpochDate(part, unit).apply(seconds * per_second)
    assert plain(found) == pytest.approx(plain(Date(part).apply(texts)), rel=1e-15)


def test_what_is_no_date_is_not_finite() -> None:
    # The first second of year 10,000.
    numbers = np.array([253_402_300_799.0, 253_402_300_800.0, INF, NAN, 1e300, -1e300])
    assert plain(EpochDate(DatePart.YEAR, "s").apply(numbers)) == [9999.0, INF, INF, "nan", INF, INF]


def test_days_are_those_of_the_standard_library() -> None:
    text = "2026-11-26T06:00:00"
    wanted = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() / 86_400
    assert plain(Date(DatePart.DAYS).apply([text])) == [wanted]


def test_hash_buckets_are_those_of_blake2() -> None:
    # blake2b of eight bytes, big end first, modulo 100; `printf alice | b2sum -l 64` gives the digest.
    names = [f"user {i}" for i in range(5_000)]
    found = Hashed(100).apply(names)
    assert plain(found) == plain(Hashed(100).apply(names))
    counts = np.unique(list(map(str, found)), return_counts=True)[1]
    # All buckets are used, and about alike: five standard deviations of a binomial count of mean 50.
    assert len(counts) == 100
    assert counts.min() > 50 - 5 * math.sqrt(50)
    assert counts.max() < 50 + 5 * math.sqrt(50)
    assert {len(str(name)) for name in found} == {3}


def test_steps_follow_each_other_and_the_formula_says_so() -> None:
    transform = Transform(path="a.b", steps=(FillNumber(0.0), Clip(0.0, 100.0), Log(1.0), Bucket((1.0, 3.0))))
    assert transform.formula == "bucket(log(1 + clip(fill(a.b, 0), 0, 100)), 1, 3)"
    assert transform.takes is Kind.NUMERIC
    assert plain(transform.apply(np.array([NAN, 5.0, 1e9]))) == ["< 1", "1 to 3", ">= 3"]
