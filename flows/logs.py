"""The log of the command line: lines for people or JSON for programs, and never a secret in them."""

import json
import logging
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from urllib.parse import quote, quote_plus

import msgspec
import orjson

from flows.connections import KEY_PASSWORD, PASSWORD
from flows.render.checks import check_text
from state.check_data import CheckData
from state.durations import Axis
from state.episodes import Change
from state.event_data import Instant, instant
from state.events import EventType
from state.report import Output
from state.stores.base import StoredEvent

SECRET_VARIABLES = (PASSWORD, KEY_PASSWORD)
"""Variables of the environment whose values never appear in the log."""

FIELDS = ("model", "feature", "window", "event_id", "episode")
"""What a line says about its subject, where that is known; passed to a logger as `extra`."""

MASK = "***"

_ROOT = "driftflow"
_events = logging.getLogger(f"{_ROOT}.events")

# Whatever stands before the last @ of an address; no password is let through because it holds a / or an @.
_USER_INFO = re.compile(r"(?<=://)[^\s'\"<>]*@")
_PASSWORD_OPTION = re.compile(r"(?i)(password=['\"]?)[^\s'\"<>&;,)]+")

# A text from a record or a broker must not move the cursor or look like a line of its own.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) != "\t"}


class LogFormat(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """The least grave lines of ours that are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Mask:
    """Puts `MASK` in place of secrets, user names and passwords in addresses, and ``password=…`` options.

    Parameters
    ----------
    secrets
        Texts to hide, as they are and as they look inside URLs, JSON and Python's quotes.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        spelled = {
            spelling
            for secret in secrets
            if secret
            for spelling in (
                secret,
                quote(secret, safe=""),
                quote_plus(secret),
                json.dumps(secret)[1:-1],
                json.dumps(secret, ensure_ascii=False)[1:-1],
                repr(secret)[1:-1],
            )
        }
        # The longest first: a secret may be part of another.
        longest = sorted(spelled, key=lambda text: (-len(text), text))
        self._secrets = re.compile("|".join(map(re.escape, longest))) if longest else None

    @classmethod
    def of_environment(cls, environ: Mapping[str, str]) -> "Mask":
        """Hide the values of `SECRET_VARIABLES`."""
        return cls(environ[name] for name in SECRET_VARIABLES if name in environ)

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        if self._secrets is not None:
            text = self._secrets.sub(MASK, text)
        if "://" in text:
            text = _USER_INFO.sub(f"{MASK}@", text)
        return _PASSWORD_OPTION.sub(rf"\1{MASK}", text)


class TextFormatter(logging.Formatter):
    """Time, level, logger, message and fields on one line; a traceback below it."""

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        fields = [f"{name}={value}" for name, value in _fields(record).items()]
        line = " ".join([_time(record), record.levelname, record.name, record.getMessage(), *fields])
        trace = _trace(self, record)
        lines = [line, *([] if trace is None else trace.splitlines())]
        return "\n".join(self._mask(each).translate(_CONTROLS) for each in lines)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, pid, message, fields, and a traceback as text."""

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        texts = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        trace = _trace(self, record)
        if trace is not None:
            texts["exception"] = trace
        # Masked before it is written, because JSON would spell some secrets differently.
        masked = {name: _encodable(self._mask(text)) for name, text in texts.items()}
        return orjson.dumps({**masked, "pid": record.process}).decode()


class _StderrHandler(logging.Handler):
    """Writes to what `sys.stderr` is at the moment: a progress bar stands in for it while it is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - a log that cannot be written must not end a run
            self.handleError(record)


def set_up_logging(
    *, level: LogLevel = LogLevel.INFO, log_format: LogFormat = LogFormat.TEXT, environ: Mapping[str, str]
) -> None:
    """Send the log to stderr; called once by the command line, and a second call replaces the first.

    `level` is about our own lines. Of libraries only warnings and worse are written.
    """
    mask = Mask.of_environment(environ)
    handler = _StderrHandler()
    handler.setFormatter(JsonFormatter(mask) if log_format is LogFormat.JSON else TextFormatter(mask))
    root = logging.getLogger()
    for held in root.handlers[:]:
        if isinstance(held, _StderrHandler):
            root.removeHandler(held)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(_ROOT).setLevel(level.upper())


class _Episode(msgspec.Struct):
    severity: str


class _Result(msgspec.Struct):
    effect: float | None


class _Window(msgspec.Struct):
    end: Instant


class _Data(msgspec.Struct):
    window: _Window
    episode: _Episode
    result: _Result


class _Envelope(msgspec.Struct):
    data: _Data


class _CheckEnvelope(msgspec.Struct):
    data: CheckData


def log_outputs(outputs: Sequence[Output]) -> None:
    """Write one line for each drift and violation that was opened (a warning), updated or closed."""
    for item in outputs:
        if not isinstance(item, StoredEvent) or item.episode is None:
            continue
        if EventType(item.type).of_check:
            _log_check(item)
            continue
        level = logging.WARNING if item.type == EventType.OPENED else logging.INFO
        if _events.isEnabledFor(level):
            data = msgspec.json.decode(item.body, type=_Envelope).data
            effect = "unknown" if data.result.effect is None else f"{data.result.effect:.3g}"
            _events.log(
                level,
                "drift %s: %s, effect %s, window until %s",
                item.type.rpartition(".")[2],
                data.episode.severity,
                effect,
                data.window.end,
                extra=_subject(item),
            )


def _log_check(item: StoredEvent) -> None:
    """Write a line for an event of a check; what is within its limits again is no warning."""
    data = msgspec.json.decode(item.body, type=_CheckEnvelope).data
    level = logging.INFO if data.change is Change.CLOSED else logging.WARNING
    _events.log(
        level,
        "%s %s: %s, window until %s",
        data.kind,
        item.type.rpartition(".")[2],
        check_text(data.check),
        data.window.end,
        extra=_subject(item),
    )


def _subject(item: StoredEvent) -> dict[str, str | None]:
    return {
        "model": item.model,
        "feature": item.feature,
        "window": item.window,
        "event_id": item.id,
        "episode": item.episode,
    }


def _fields(record: logging.LogRecord) -> dict[str, str]:
    found = {name: getattr(record, name, None) for name in FIELDS}
    return {name: str(value) for name, value in found.items() if value is not None}


def _time(record: logging.LogRecord) -> str:
    return str(instant(int(record.created * 1_000), Axis.MILLISECONDS))


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str | None:
    # Not kept in the record, where another handler would find it.
    parts = [formatter.formatException(record.exc_info)] if record.exc_info else []
    parts += [formatter.formatStack(record.stack_info)] if record.stack_info else []
    return "\n".join(parts) or None


def _encodable(text: str) -> str:
    """Escape what UTF-8 cannot hold: names of files may bring it."""
    return text.encode("utf-8", "backslashreplace").decode()
