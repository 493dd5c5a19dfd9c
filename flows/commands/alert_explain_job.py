"""Finds an event by its id, and says what alerting made of it."""

from pathlib import Path

import msgspec

from alerts.deciding import Rules
from alerts.explaining import Explanation, explained
from alerts.progress import progress_of
from alerts.reading import read_signal
from alerts.signals import Signal
from flows.alerting import now_ms
from flows.commands.alert_status_job import opened
from flows.commands.console import results, show
from flows.commands.document import print_json
from flows.commands.exits import ExitCode
from flows.commands.found_events import logged_events, stored_events, the_one
from flows.commands.usage import UsageError
from flows.config import Config, load_config
from flows.render.alert_explained import explanation_lines
from state.stores.base import Store


def explain_alert(path: Path, beginning: str, *, json: bool) -> ExitCode:
    """Print what alerting made of an event; takes no claim, so it does not disturb a process that alerts.

    Raises
    ------
    UsageError
        No event has an id that begins so, or several have; or it is one that tells nothing.
    """
    config = load_config(path)
    model = config.file.model.name
    with opened(config) as store:
        found = stored_events(store, model, beginning) or logged_events(config, beginning)
        signal = _signal(the_one(found, model, beginning), model)
        explanation = _explained(config, store, signal)
    if json:
        print_json(_document(signal, explanation))
    else:
        console = results()
        show(console, explanation_lines(signal, explanation, console.width))
    return ExitCode.DONE


def _signal(body: bytes, model: str) -> Signal:
    signal = read_signal(body, model=model)
    if signal is None:
        raise UsageError(
            "EVENT is one that tells nothing by itself (a report, or a request): wanted one of a drift or a "
            "violation; 'driftflow episodes' lists them"
        )
    return signal


def _explained(config: Config, store: Store, signal: Signal) -> Explanation:
    progress = store.alert_progress(signal.model)
    return explained(
        signal,
        Rules(alerts=config.alerts, retraining=config.retraining),
        None if progress is None else progress_of(progress.body).memory,
        store.notices(signal.model),
        store.acknowledgements(signal.model, [signal.episode]),
        now_ms(),
    )


def _document(signal: Signal, found: Explanation) -> dict[str, object]:
    of_signal = msgspec.to_builtins(signal)
    # A picture of the column is no part of why it was told.
    del of_signal["bars"]
    return {"signal": of_signal, **msgspec.to_builtins(found)}
