"""Notices by Apprise, which speaks to Teams, Discord, Telegram and a hundred others."""

import logging
import warnings

from alerts.channels.base import TryAgainError
from alerts.channels.secrets import Secret, SetupError
from alerts.notices import Cause, Notice
from alerts.signals import worst
from alerts.templating import Templates
from alerts.wording import view_of
from detectors.verdicts import Severity

try:
    import apprise
except ModuleNotFoundError as error:
    raise SetupError(
        "channels of type apprise need the extra 'apprise': pip install 'driftflow[apprise]'"
    ) from error

# It logs addresses with their keys; what went wrong is said by the channel.
logging.getLogger("apprise").setLevel(logging.CRITICAL)
logging.getLogger("urllib3").setLevel(logging.WARNING)

_TYPES = {Severity.HIGH: "failure", Severity.MEDIUM: "warning", Severity.LOW: "warning", None: "info"}


class AppriseChannel:
    """Sends title and text to one Apprise address.

    Apprise says only whether it was taken, so every failure is tried again.

    Raises
    ------
    SetupError
        Apprise does not know this kind of address; the message does not repeat it.
    """

    def __init__(
        self, name: str, url: Secret, templates: Templates, *, key: str, dashboard: str = ""
    ) -> None:
        self._name = name
        self._templates = templates
        self._dashboard = dashboard
        asset = apprise.AppriseAsset()
        # As in all channels: they would carry the message to somebody else. Old releases do not know it.
        asset.http_redirects = False
        self._service = apprise.Apprise(asset=asset)
        with warnings.catch_warnings():
            # Its plug-ins load modules that later Pythons no longer have.
            warnings.simplefilter("ignore", DeprecationWarning)
            known = self._service.add(url.reveal())
        if not known:
            raise SetupError(f"`{key}`: found an address that Apprise does not know, wanted one of its kinds")

    @property
    def name(self) -> str:
        """See `Channel.name`."""
        return self._name

    def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        view = view_of(notice, dashboard=self._dashboard)
        closed = notice.cause is Cause.CLOSED
        sent = self._service.notify(
            title=self._templates.title(view),
            body=self._templates.text(view),
            notify_type="success" if closed else _TYPES[worst(notice.signals)],
            body_format="text",
        )
        if not sent:
            raise TryAgainError(f"Apprise ({self._name}): it was not taken; Apprise does not say why")

    def close(self) -> None:
        """See `Channel.close`."""
