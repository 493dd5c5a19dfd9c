"""The ink of charts: which paper it stands on only the browser knows."""

import json
from pathlib import Path
from typing import Any

Options = dict[str, Any]
"""Options of ECharts, as they are sent."""

INK = "ink"
"""Text and axes; the browser knows on which paper: see `themed`."""

_LIGHT, _DARK = "#5b6675", "#a0acba"
"""The quiet ink of the style sheet; no grey is legible on both papers (WCAG 2.2 asks for 4.5 to 1)."""

_INKS = f"document.body.classList.contains('body--dark') ? '{_DARK}' : '{_LIGHT}'"

EXCHANGE = (
    (Path(__file__).parent / "paper.js")
    .read_text(encoding="utf-8")
    .replace("inks[", f"{json.dumps({'light': _LIGHT, 'dark': _DARK})}[")
)
"""A script for every page: it exchanges the ink of charts when the paper changes under them."""


def themed(options: Options) -> Options:
    """Give text and axes the ink of the paper that the browser shows.

    Examples
    --------
    >>> list(themed({"textStyle": {"color": INK}})["textStyle"])
    [':color']
    """
    return {
        (f":{key}" if value == INK else key): _INKS if value == INK else _themed(value)
        for key, value in options.items()
    }


def _themed(value: Any) -> Any:  # noqa: ANN401  # whatever options hold
    if isinstance(value, dict):
        return themed(value)
    return [_themed(each) for each in value] if isinstance(value, list) else value
