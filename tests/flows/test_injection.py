"""A copy with faults has them where the truth says, and is the file everywhere else."""

import csv
import gzip
import json
import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.checks import Family
from flows.injection.faults import InjectionError, parse_fault
from flows.injection.forms import FORMS, FaultKind
from flows.injection.inject import inject
from flows.injection.truth import InjectionTruth, read_injection
from tests.command_line import Call, caller

ROWS = 4_000
Row = dict[str, Any]


def rows() -> list[Row]:
    return [
        {"id": f"r{i}", "in": {"amount": (i % 100) / 4, "count": i % 7}, "plan": "abc"[i % 3], "label": i % 2}
        for i in range(ROWS)
    ]


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows()))
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "mine.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "amount", "plan", "label"])
        for row in rows():
            writer.writerow([row["id"], row["in"]["amount"], f'{row["plan"]}, "x"\ny', row["label"]])
    return path


def put_in(path: Path, *faults: str, seed: int = 1) -> tuple[Path, InjectionTruth]:
    done = inject(
        path, path.parent / "out", [parse_fault(text) for text in faults], seed=seed, on_read=_nothing
    )
    assert read_injection(done.truth_file) == done.truth
    return done.output, done.truth


def _nothing(_size: int) -> None:
    pass


def faulty(path: Path, *faults: str) -> list[Row]:
    output, _ = put_in(path, *faults)
    return [json.loads(line) for line in output.read_text().splitlines()]


def changed(before: list[Row], after: list[Row]) -> Iterator[tuple[int, Row, Row]]:
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        if old != new:
            yield number, old, new


# 4,000 rows, half of them hit with a share of 20 %: 400, standard deviation 18.
HALF = "share=20% from=50%"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("shift in.amount by=3", lambda old: old["in"]["amount"] + 3),
        ("scale in.amount factor=1.5", lambda old: old["in"]["amount"] * 1.5),
        ("missing in.amount", lambda _old: None),
        ("zeros in.amount", lambda _old: 0),
        ("stuck in.amount value=2.5", lambda _old: 2.5),
        ("infinite in.amount", lambda _old: float("inf")),
        ("type in.amount", lambda old: f"about {old['in']['amount']}"),
        ("category in.amount value=new", lambda _old: "new"),
    ],
)
def test_values_are_changed_in_the_share_of_rows_and_nowhere_else(
    lines: Path, fault: str, expected: Callable[[Row], object]
) -> None:
    found = list(changed(rows(), faulty(lines, f"{fault} {HALF}")))
    assert len(found) == pytest.approx(400, abs=5 * 18)
    for number, old, new in found:
        assert number >= ROWS // 2
        assert new == {**old, "in": {**old["in"], "amount": expected(old)}}


def test_amounts_in_standard_deviations_are_those_of_the_file(lines: Path) -> None:
    amounts = [row["in"]["amount"] for row in rows()]
    moved = [row["in"]["amount"] for row in faulty(lines, "shift in.amount by=0.5sd")]
    assert moved[0] - amounts[0] == pytest.approx(0.5 * statistics.pstdev(amounts), rel=1e-12)
    noisy = [row["in"]["amount"] for row in faulty(lines, "noise in.amount sd=2sd")]
    noise = [new - old for new, old in zip(noisy, amounts, strict=True)]
    # Standard error of a deviation: sd / sqrt(2 n), 1.1 %.
    assert statistics.pstdev(noise) == pytest.approx(2 * statistics.pstdev(amounts), rel=0.056)


def test_values_outside_are_beyond_the_range_of_the_file(lines: Path) -> None:
    found = [row["in"]["amount"] for row in faulty(lines, "outside in.amount share=10%")]
    # The range is 0 to 24.75.
    beyond = [value for value in found if value > 24.75]
    assert len(beyond) == pytest.approx(400, abs=5 * 19)
    assert 2 * 24.75 < min(beyond) < max(beyond) < 3 * 24.75


def test_categories_vanish_and_labels_flip(lines: Path) -> None:
    assert Counter(row["plan"] for row in faulty(lines, "vanish plan value=a into=b")) == {
        "b": 2667,
        "c": 1333,
    }
    flipped = list(changed(rows(), faulty(lines, "flip label share=25%")))
    assert len(flipped) == pytest.approx(1000, abs=5 * 27)
    assert all(new["label"] == 1 - old["label"] for _, old, new in flipped)


def test_a_stuck_sensor_repeats_its_first_value(lines: Path) -> None:
    found = [row["in"]["amount"] for row in faulty(lines, "stuck in.amount from=150 to=300")]
    assert set(found[150:300]) == {12.5}
    assert found[300:] == [row["in"]["amount"] for row in rows()[300:]]


def test_a_fault_can_be_limited_to_one_value(lines: Path) -> None:
    found = faulty(lines, "stuck in.count value=99 where=plan:a", "drop to=9 where=label:1")
    assert [row["id"] for row in found[:6]] == ["r0", "r2", "r4", "r6", "r8", "r9"]
    assert {row["plan"] for row in found if row["in"]["count"] == 99} == {"a"}
    assert sum(row["in"]["count"] == 99 for row in found) == sum(row["plan"] == "a" for row in found)


def test_fields_come_and_go(lines: Path) -> None:
    found = faulty(lines, "absent in.count to=10", "extra new.field value=1 from=3990", "extra plan.x to=5")
    assert all("count" not in row["in"] for row in found[:10])
    assert found[3990]["new"] == {"field": "1"}
    # plan is a text: it has no place for a field.
    assert found[10:3990] == rows()[10:3990]
    assert found[0]["plan"] == "a"


def test_rows_are_doubled_dropped_and_multiplied(lines: Path) -> None:
    output, truth = put_in(
        lines,
        "duplicate to=10",
        "drop from=100 to=200",
        "burst times=3 id=id from=300 to=302",
        "zeros in.amount",
    )
    names = [json.loads(line)["id"] for line in output.read_text().splitlines()]
    assert names[:4] == ["r0", "r0", "r1", "r1"]
    assert not {"r100", "r199"} & set(names)
    assert [name for name in names if name.split("-")[0] == "r301"] == ["r301", "r301-copy1", "r301-copy2"]
    assert truth.rows_written == len(names) == ROWS + 10 - 100 + 4
    doubled, dropped, burst, zeros = truth.faults
    assert (doubled.input_rows, doubled.output_rows) == ((0, 10), (0, 20))
    assert (dropped.input_rows, dropped.output_rows) == ((100, 200), (110, 110))
    assert (burst.input_rows, burst.output_rows) == ((300, 302), (210, 216))
    assert zeros.output_rows == (0, len(names))
    # Rows that are dropped are not changed too.
    assert zeros.changed == ROWS - 100
    assert (dropped.family, dropped.check) == (Family.QUALITY, "low_volume")


def test_a_table_keeps_its_texts_and_quotes(table: Path) -> None:
    output, truth = put_in(table, f"missing amount {HALF}", "flip label share=25%", "infinite amount to=1")
    with table.open(newline="") as file, output.open(newline="") as copy:
        before, after = list(csv.reader(file)), list(csv.reader(copy))
    assert [row[2] for row in after] == [row[2] for row in before]
    assert {row[3] for row in after} == {"label", "0", "1"}
    assert after[1][1] == "inf"
    assert sum(row[1] == "" for row in after) == truth.faults[0].changed
    assert sum(new[3] != old[3] for new, old in zip(after, before, strict=True)) == truth.faults[1].changed


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10, deadline=None)
@given(seed=st.integers(0, 5), other=st.sampled_from(["zeros in.count to=10", "drop from=3999"]))
def test_a_fault_hits_the_same_rows_whatever_follows_it(lines: Path, seed: int, other: str) -> None:
    _, alone = put_in(lines, f"missing plan {HALF}", seed=seed)
    first, _ = put_in(lines, f"missing plan {HALF}", other, seed=seed)
    again = first.read_bytes()
    second, both = put_in(lines, f"missing plan {HALF}", other, seed=seed)
    assert second.read_bytes() == again
    assert abs(both.faults[0].changed - alone.faults[0].changed) <= 1


def test_seed_and_place_among_the_faults_change_the_rows(lines: Path) -> None:
    def hit(*faults: str, seed: int = 1) -> set[int]:
        output, _ = put_in(lines, *faults, seed=seed)
        found = [json.loads(line) for line in output.read_text().splitlines()]
        return {number for number, row in enumerate(found) if row["plan"] is None}

    fault = "missing plan share=20%"
    assert hit(fault) == hit(fault)
    assert (
        len({frozenset(hit(fault)), frozenset(hit(fault, seed=2)), frozenset(hit("zeros label", fault))}) == 3
    )


def test_packed_files_stay_packed_and_damaged_rows_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\nbroken\n[1]\n{"b": 2}\n'))
    sizes: list[int] = []
    done = inject(path, tmp_path / "out", [parse_fault("zeros a")], seed=1, on_read=sizes.append)
    assert gzip.decompress(done.output.read_bytes()) == b'{"a":0}\nbroken\n[1]\n{"b": 2}\n'
    assert (done.truth.unreadable, done.truth.faults[0].changed) == (2, 1)
    assert sum(sizes) == 2 * path.stat().st_size


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "kind '' is unknown, wanted one of shift"),
        ("mising income", "did you mean missing"),
        ("missing", "found no field, wanted missing FIELD"),
        ("missing a b", "found a b, wanted missing FIELD"),
        ("drop a", "found a, wanted drop"),
        ("shift a", "found no by="),
        ("missing a by=3", "found unknown by="),
        ("shift a by=much", "by is 'much', wanted a number"),
        ("scale a factor=x", "factor is 'x', wanted a number"),
        ("burst times=1.5", "wanted a whole number from 2 to 1000"),
        ("missing a share=0", "share is 0, wanted more than 0 %"),
        ("missing a share=120%", "share is 120%"),
        ("missing a from=-3", "from is '-3', wanted a row such as 5000 or a part such as 50%"),
        ("missing a to=101%", "to is '101%'"),
        ("missing a where=b", "where is 'b', wanted FIELD:VALUE"),
        ("missing 'a", "close the quotes"),
    ],
)
def test_what_is_no_fault_is_refused(text: str, wanted: str) -> None:
    with pytest.raises(InjectionError) as refused:
        parse_fault(text)
    assert wanted in str(refused.value)


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("missing in.amonut", "'in.amonut' is in none of the first 1,000 rows"),
        ("missing plan from=60% to=40%", "of 4,000 rows there is none from 2,400 to 1,600"),
        ("missing plan from=9000", "there is none"),
        ("missing plan where=colour:red", "'colour' is in none of the first"),
        ("outside plan", "found no number in plan"),
        ("shift plan by=1sd", "found no number in plan"),
    ],
)
def test_what_the_file_cannot_have_is_refused(lines: Path, fault: str, wanted: str) -> None:
    with pytest.raises(InjectionError) as refused:
        put_in(lines, fault)
    assert wanted in str(refused.value)
    assert not (lines.parent / "out" / "mine.jsonl").exists()


def test_a_table_cannot_lose_or_gain_fields(table: Path) -> None:
    for fault in ("absent plan", "extra new"):
        with pytest.raises(InjectionError, match="the same fields"):
            put_in(table, fault)
    with pytest.raises(
        InjectionError, match="the header has no 'plam', wanted one of id, amount, plan, label"
    ):
        put_in(table, "missing plam")
    with pytest.raises(InjectionError, match="the header has no 'key'"):
        put_in(table, "burst times=2 id=key")


def test_a_file_of_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(InjectionError, match="wanted a file of rows: CSV or JSON lines"):
        put_in(path, "drop")


def test_the_file_itself_is_never_replaced(lines: Path) -> None:
    with pytest.raises(InjectionError, match=r"is the folder of mine\.jsonl itself"):
        inject(lines, lines.parent, [parse_fault("drop")], seed=1, on_read=_nothing)


def test_every_kind_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
    for kind in FaultKind:
        assert f"| `{f'{kind} {FORMS[kind].usage}'.strip()}` |" in text, kind


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def test_the_command_says_what_it_did(call: Call, lines: Path, tmp_path: Path) -> None:
    told = call(
        "generate",
        lines,
        "--out",
        tmp_path / "out",
        "--inject",
        "zeros plan to=7",
        "--inject",
        "stuck label value=1",
    )
    assert told.code == 0
    assert "zeros plan to=7: 7 of the rows 0 to 6\n" in told.err
    assert (tmp_path / "out" / "mine.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--inject", "zeros plan", "--rows", "5"), "--rows is for scenarios"),
        (("--inject", "zeros"), "wanted zeros FIELD"),
    ],
)
def test_the_command_refuses_what_it_cannot_do(
    call: Call, lines: Path, tmp_path: Path, arguments: tuple[str, ...], wanted: str
) -> None:
    told = call("generate", lines, "--out", tmp_path / "out", *arguments)
    assert told.code == 2
    assert wanted in " ".join(told.err.split())


def test_a_file_that_is_not_there_is_refused(call: Call, tmp_path: Path) -> None:
    told = call("generate", tmp_path / "none.csv", "--out", tmp_path, "--inject", "drop")
    assert told.code == 2
    assert "is no file" in told.err
