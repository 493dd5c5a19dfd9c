"""Notices on standard output: a block for people, or a line of JSON for programs."""

from typing import TextIO

from alerts.channels.base import TryAgainError
from alerts.channels.cloud_event import cloud_event
from alerts.notices import Notice
from alerts.templating import Templates
from alerts.wording import view_of


class StdoutChannel:
    """Writes to a stream.

    Parameters
    ----------
    json
        One CloudEvent a line in place of a block.
    """

    def __init__(
        self, name: str, stream: TextIO, templates: Templates, *, json: bool = False, dashboard: str = ""
    ) -> None:
        self._name = name
        self._stream = stream
        self._templates = templates
        self._json = json
        self._dashboard = dashboard

    @property
    def name(self) -> str:
        """See `Channel.name`."""
        return self._name

    def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        if self._json:
            said = cloud_event(notice).decode() + "\n"
        else:
            said = self._templates.text(view_of(notice, dashboard=self._dashboard)) + "\n"
        failure = ""
        try:
            self._stream.write(said)
            self._stream.flush()
        except (OSError, ValueError) as error:
            failure = f"standard output: {error}"
        # As in all channels: nothing of what was sent stands in the chain of errors.
        if failure:
            raise TryAgainError(failure)

    def close(self) -> None:
        """See `Channel.close`; the stream is not ours."""
