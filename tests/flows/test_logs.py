import io
import json
import logging
import sys
from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.logs import (
    FIELDS,
    JsonFormatter,
    LogFormat,
    LogLevel,
    Mask,
    TextFormatter,
    log_outputs,
    set_up_logging,
)
from state.report import Output, Report
from state.stores.base import StoredEvent
from tests.checked_windows import of_records, run
from tests.evidence import FAMILY, Plot, context, evidence

HARD = 'p"w\\d/ü&1'
ENVIRON = {"KAFKA_SASL_PASSWORD": HARD, "KAFKA_KEY_PASSWORD": "key-secret", "HOME": "/home/me"}


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    names = (None, "driftflow", "driftflow.events", "kafka")
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    handlers = logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = handlers
    for logger, level in before:
        logger.setLevel(level)


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """Lines of JSON that stderr got, read by a strict parser."""
    out, err = capsys.readouterr()
    assert out == ""
    return [orjson.loads(line) for line in err.splitlines()]


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("driftflow.kafka", logging.WARNING, __file__, 1, message, args, None)
    made.created = 1_767_571_200.25  # 2026-01-05T00:00:00.250Z
    made.__dict__.update(extra)
    return made


def plot_outputs(plot: Plot) -> list[Output]:
    report = Report(context())
    return report.add(
        item for items in zip(*evidence(plot, context()).values(), strict=True) for item in items
    )


def test_a_line_for_people() -> None:
    line = TextFormatter(Mask([])).format(record("waits since %d s", 7, model="fraud", window="hour"))
    assert line == (
        "2026-01-05T00:00:00.250Z WARNING driftflow.kafka waits since 7 s model=fraud window=hour"
    )


def test_a_line_for_programs() -> None:
    line = JsonFormatter(Mask([])).format(record("waits since %d s", 7, model="fraud", event_id="e1"))
    found = orjson.loads(line)
    assert isinstance(found.pop("pid"), int)
    assert found == {
        "time": "2026-01-05T00:00:00.250Z",
        "level": "warning",
        "logger": "driftflow.kafka",
        "message": "waits since 7 s",
        "model": "fraud",
        "event_id": "e1",
    }


@given(message=st.text(), field=st.text(alphabet=st.characters(exclude_categories=[])))
def test_any_text_is_one_line_of_strict_json_and_comes_back(message: str, field: str) -> None:
    line = JsonFormatter(Mask([])).format(record("%s", message, feature=field))
    assert "\n" not in line
    found = orjson.loads(line)
    # Lone surrogates are no text and are written as escapes; password options and user-info are masked.
    assert found["message"] == Mask([])(message)
    assert found["feature"] == Mask([])(field).encode("utf-8", "backslashreplace").decode()


@given(message=st.text(), field=st.text())
def test_any_text_is_one_line_for_people(message: str, field: str) -> None:
    line = TextFormatter(Mask([])).format(record("%s", message, feature=field))
    assert "\n" not in line
    assert "\x1b" not in line
    assert "\r" not in line


def test_a_traceback_is_kept_and_masked() -> None:
    try:
        raise ValueError(f"login {HARD} failed\x1b[2J")  # noqa: TRY301 - the traceback is what is looked at
    except ValueError:
        made = record("broken", exc_info=sys.exc_info())
    mask = Mask.of_environment(ENVIRON)
    text = TextFormatter(mask).format(made)
    assert text.splitlines()[-1] == "ValueError: login *** failed\\x1b[2J"
    assert "Traceback" in text
    exception = orjson.loads(JsonFormatter(mask).format(made))["exception"]
    assert exception.endswith("ValueError: login *** failed\x1b[2J")
    # Nothing stays in the record for another handler to write.
    assert made.exc_text is None


@pytest.mark.parametrize(
    "text",
    [
        f"password is {HARD}",
        f"{{'sasl_plain_password': {HARD!r}}}",
        json.dumps({"key": HARD}),
        json.dumps({"key": HARD}, ensure_ascii=False),
        "http://proxy/?p=p%22w%5Cd%2F%C3%BC%261",
    ],
)
def test_secrets_are_masked_however_they_are_spelled(text: str) -> None:
    masked = Mask.of_environment(ENVIRON)(text)
    assert "***" in masked
    for part in ("w\\d", "w%5Cd", "ü&1", "fc&1"):
        assert part not in masked


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("redis://:hunter2@host:6379/0 is away", "redis://***@host:6379/0 is away"),
        ("rediss://me:hunter2@host", "rediss://***@host"),
        # Neither / nor @ belongs into a password unescaped; some people write them all the same.
        ("redis://me:hun/ter2@host", "redis://***@host"),
        ("redis://me:hun@ter2@host", "redis://***@host"),
        (
            "redis+sentinel://u:hunter2@a,b/s/0?sentinel_password=hunter2",
            "redis+sentinel://***@a,b/s/0?sentinel_password=***",
        ),
        ("sasl_password='hunter2', user='me'", "sasl_password='***', user='me'"),
        ("http://127.0.0.1:9100/metrics", "http://127.0.0.1:9100/metrics"),
        ("redis://host/0, mail me@example.org", "redis://host/0, mail me@example.org"),
    ],
)
def test_addresses_lose_their_user_info(text: str, wanted: str) -> None:
    assert Mask([])(text) == wanted


def test_the_longest_secret_is_masked_first() -> None:
    assert Mask(["abc", "abcdef", ""])("abcdef abc") == "*** ***"


def test_fields_are_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    for log_format in LogFormat:
        set_up_logging(log_format=log_format, environ=ENVIRON)
        logging.getLogger("driftflow.x").warning("w %s", HARD, extra=dict.fromkeys(FIELDS, "key-secret"))
    text = capsys.readouterr().err
    assert "key-secret" not in text
    assert HARD not in text
    assert json.dumps(HARD)[1:-1] not in text
    assert text.count("***") == 2 * (1 + len(FIELDS))


def test_a_second_set_up_replaces_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(environ={})
    once = len(logging.getLogger().handlers)
    set_up_logging(log_format=LogFormat.JSON, environ={})
    assert len(logging.getLogger().handlers) == once
    logging.getLogger("driftflow.x").warning("once")
    assert [line["message"] for line in written(capsys)] == ["once"]


def test_levels_are_ours_and_libraries_stay_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    for level in LogLevel:
        set_up_logging(level=level, log_format=LogFormat.JSON, environ={})
        for logger in ("driftflow.x", "kafka.conn", "redis", "some.library"):
            for grade in ("debug", "info", "warning", "error"):
                getattr(logging.getLogger(logger), grade)("%s %s", level, grade)
    lines = written(capsys)
    ours = [line["message"] for line in lines if line["logger"] == "driftflow.x"]
    assert ours == [
        "debug debug", "debug info", "debug warning", "debug error",
        "info info", "info warning", "info error",
        "warning warning", "warning error",
        "error error",
    ]  # fmt: skip
    theirs = {line["level"] for line in lines if line["logger"] != "driftflow.x"}
    assert theirs == {"warning", "error"}


def test_the_log_follows_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up_logging(environ={})
    later = io.StringIO()
    monkeypatch.setattr(sys, "stderr", later)
    logging.getLogger("driftflow.x").warning("here")
    assert later.getvalue().endswith("WARNING driftflow.x here\n")


def test_episodes_are_told_once_each(capsys: pytest.CaptureFixture[str]) -> None:
    calm, large = dict.fromkeys(FAMILY, "calm"), dict.fromkeys(FAMILY, "calm") | {"x": "large"}
    found = plot_outputs([(0, 0, calm), (0, 1, large), (0, 2, calm)])
    set_up_logging(log_format=LogFormat.JSON, environ={})
    log_outputs(found)
    opened, closed = written(capsys)
    events = [item for item in found if isinstance(item, StoredEvent) and item.episode is not None]
    assert [line["event_id"] for line in (opened, closed)] == [event.id for event in events]
    assert (opened["level"], closed["level"]) == ("warning", "info")
    for line in (opened, closed):
        assert (line["model"], line["feature"], line["window"]) == ("credit", "x", "tumbling")
        assert line["episode"] == events[0].episode
        assert line["logger"] == "driftflow.events"
    # Pane 4 ends the second window: 1970-01-05T00:00 and four hours.
    assert str(opened["message"]).startswith("drift opened: high, effect ")
    assert str(opened["message"]).endswith("window until 1970-01-05T04:00:00.000Z")
    assert str(closed["message"]).startswith("drift closed: high, effect ")


def test_violations_are_told_once_each(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(log_format=LogFormat.JSON, environ={})
    log_outputs(run(Report(of_records())))
    lines = written(capsys)
    assert [line["level"] for line in lines] == [*["warning"] * 3, "info", "warning", "info", "info"]
    assert lines[0]["message"] == (
        "quality violated: missing_share 30%, at most 15% (reference 10%), "
        "window until 1970-01-05T02:00:00.000Z"
    )
    assert str(lines[3]["message"]).startswith("quality resolved: missing_share 10%, at most 15%")
    assert (lines[0]["feature"], "feature" in lines[2]) == ("x", False)


def test_what_is_not_wanted_is_not_even_read(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(level=LogLevel.ERROR, environ={})
    broken = StoredEvent(
        id="e", type="io.driftflow.drift.opened", model="m", model_version="1", window="w", feature="f",
        episode="p", end=0, body=b"no JSON",
    )  # fmt: skip
    log_outputs([broken])
    assert capsys.readouterr().err == ""


def test_a_log_that_cannot_be_written_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up_logging(environ={})
    monkeypatch.setattr(logging, "raiseExceptions", False)
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    logging.getLogger("driftflow.x").warning("lost")
