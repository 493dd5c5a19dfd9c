"""What runs have found of one model, read from its store by a notebook or a script: no server is needed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np

from flows.model_values import LookError, Series, Times, When, WindowResult, results_of
from flows.render.episodes import ShownEpisode, shown_episode
from state.durations import Axis
from state.events import EventType
from state.stores.base import SeriesKey, Store


class OpenedModel:
    """One version of a model in an open store; nothing here writes.

    It is a context manager; without ``with`` call `close`.
    """

    def __init__(self, store: Store, name: str, version: str, axis: Axis) -> None:
        self._store = store
        self.name = name
        self.version = version
        self.axis = axis

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()

    def __repr__(self) -> str:
        return f"<model {self.name} version {self.version}>"

    def close(self) -> None:
        """Close the store; called once."""
        self._store.close()

    def features(self) -> list[str]:
        """Return the columns there is a series of, sorted."""
        return sorted({key.feature for key in self._keys() if key.feature})

    def window_names(self) -> list[str]:
        """Return the kinds of windows there is a series of, sorted."""
        return sorted({key.window for key in self._keys()})

    def metrics(self, feature: str = "", *, window: str | None = None) -> list[str]:
        """Return what is measured of a column, sorted; of windows as a whole where it is empty."""
        wanted = (self.window_name(window), feature, "")
        return sorted({k.metric for k in self._keys() if (k.window, k.feature, k.segment) == wanted})

    def segments(self, feature: str) -> list[str]:
        """Return the segments that a column is measured in, sorted."""
        return sorted({key.segment for key in self._keys() if key.feature == feature and key.segment})

    def series(
        self,
        feature: str,
        metric: str,
        *,
        window: str | None = None,
        segment: str = "",
        start: When = None,
        end: When = None,
    ) -> Series:
        """Return one series with ``start <= time < end``.

        Parameters
        ----------
        feature
            A column; empty for the window as a whole.
        metric
            Name of a detector such as ``psi``, or ``effect``, ``evidence`` and others of `metrics`.
        window
            Kind of window; may be left out where there is one.
        segment
            A part of the traffic, of `segments`; empty for all of it.

        Raises
        ------
        LookError
            There is no such series.
        """
        key = SeriesKey(
            model=self.name,
            model_version=self.version,
            window=self.window_name(None) if window is None else window,
            feature=feature,
            segment=segment,
            metric=metric,
        )
        found = self._store.series(key, start=self._moment(start), end=self._moment(end))
        if not found:
            # Only what has no values may be none: a model has many series, and all are listed to know.
            self._check(key)
        times, values = zip(*found, strict=True) if found else ((), ())
        return Series(self.times(times), np.array(values, dtype=np.float64))

    def windows(
        self, feature: str, *, window: str | None = None, start: When = None, end: When = None
    ) -> list[WindowResult]:
        """Return what was found of a column in every window of a kind, in order of time."""
        reports = self._store.events(
            self.name,
            model_version=self.version,
            window=self.window_name(window),
            types=[EventType.REPORT],
            start=self._moment(start),
            end=self._moment(end),
        )
        return [found for event in reports for found in results_of(event.body, feature)]

    def events(
        self,
        *,
        feature: str | None = None,
        window: str | None = None,
        types: Sequence[str] | None = None,
        start: When = None,
        end: When = None,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """Return CloudEvents as they were written, in order of time; `types` as in docs/events.md."""
        found = self._store.events(
            self.name,
            model_version=self.version,
            window=window,
            feature=feature,
            types=types,
            start=self._moment(start),
            end=self._moment(end),
            limit=limit,
        )
        return [msgspec.json.decode(event.body, type=dict[str, Any]) for event in found]

    def episodes(
        self, *, feature: str | None = None, window: str | None = None, open_only: bool = False
    ) -> list[ShownEpisode]:
        """Return drifts and violations from their opening to their end, in order of opening."""
        found = self._store.episodes(
            self.name,
            model_version=self.version,
            window=window,
            feature=feature,
            open_only=open_only,
        )
        return [shown_episode(episode, self.axis) for episode in found]

    def frame(self, what: str = "series", feature: str = "", *, window: str | None = None) -> Any:  # noqa: ANN401  # pandas is no dependency
        """Return a pandas DataFrame.

        Parameters
        ----------
        what
            ``series``: a row for every window and a column for every metric of `feature`; ``windows``,
            ``events`` or ``episodes``: a row for each.

        Raises
        ------
        LookError
            pandas is not installed, or `what` is none of these.
        """
        from flows.model_frames import frame_of  # noqa: PLC0415  # so that the rest works without pandas

        return frame_of(self, what, feature, window=window)

    def times(self, values: Sequence[int]) -> Times:
        """Return times of the store as an array."""
        whole = np.array(values, dtype=np.int64)
        return whole if self.axis is Axis.ROWS else whole.astype("datetime64[ms]")

    def _keys(self) -> list[SeriesKey]:
        return [k for k in self._store.series_keys(self.name) if k.model_version == self.version]

    def _check(self, key: SeriesKey) -> None:
        """Refuse a series that is none, and say which there are."""
        self.window_name(key.window)
        keys = self._keys()
        if key in keys:
            return
        same = sorted({k.metric for k in keys if (k.window, k.feature) == (key.window, key.feature)})
        if same:
            raise LookError(f"no series {key.metric!r} of {key.feature!r}, wanted one of {', '.join(same)}")
        raise LookError(f"no series of {key.feature!r}, wanted one of {', '.join(self.features())}")

    def window_name(self, name: str | None) -> str:
        """Return the kind of windows that is meant.

        Raises
        ------
        LookError
            There is none of that name, or none is named and there are several.
        """
        names = self.window_names()
        if name is None and len(names) == 1:
            return names[0]
        if name not in names:
            raise LookError(
                f"window is {name!r}, wanted one of {', '.join(names) or 'none: nothing has run'}"
            )
        return name

    def _moment(self, when: When) -> int | None:
        if when is None or isinstance(when, int):
            return when
        try:
            told = datetime.fromisoformat(when) if isinstance(when, str) else when
        except ValueError as error:
            raise LookError(f"time is {when!r}, wanted ISO-8601 such as 2026-01-05T08:00") from error
        return round((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp() * 1_000)
