"""Notices to Slack, by an incoming webhook or as a bot that can upload pictures."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from alerts.channels.base import TIMEOUT_S, RefusedError, TryAgainError
from alerts.channels.http import Http
from alerts.channels.secrets import Secret, scrubbed
from alerts.notices import Notice
from alerts.pictures import picture_of
from alerts.templating import Templates, slack_escaped
from alerts.wording import View, cut, view_of

API = "https://slack.com/api"

MOST_SECTION, MOST_HEADER, MOST_BLOCKS = 3000, 150, 50
"""Characters of a section and of a header, and blocks of a message (Slack, Block Kit reference)."""

_MOST_SIGNALS = 10
_LATER = {
    "ratelimited",
    "rate_limited",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "team_added_to_org",
}
_LATER |= {"request_timeout", "accesslimited"}

Block = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A token with the rights ``chat:write`` and ``files:write``, and the channel it posts to.

    Attributes
    ----------
    channel
        Its id or its name; the bot has to be a member.
    api
        Address of Slack's methods.
    """

    token: Secret
    channel: str
    api: str = API


class SlackChannel:
    """Sends blocks: a title, the worst columns, what to do, a button to the dashboard.

    Slack's own client is not used: it follows redirects, logs addresses that are secrets, and reads answers
    without a bound.

    Parameters
    ----------
    target
        Address of an incoming webhook, which takes no picture (columns carry lines of blocks), or a bot.
    """

    def __init__(
        self,
        name: str,
        target: Secret | Bot,
        templates: Templates,
        *,
        dashboard: str = "",
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._target = target
        self._templates = templates
        self._dashboard = dashboard
        self._secrets = (target.token if isinstance(target, Bot) else target,)
        self._http = Http(f"Slack ({name})", self._secrets, timeout_s=timeout_s, now=now)

    @property
    def name(self) -> str:
        """See `Channel.name`."""
        return self._name

    def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        view = view_of(notice, dashboard=self._dashboard, most=_MOST_SIGNALS)
        blocks = blocks_of(view, self._templates)
        message: dict[str, Any] = {
            "text": slack_escaped(self._templates.title(view)),
            "blocks": blocks,
            "unfurl_links": False,
        }
        if isinstance(self._target, Secret):
            self._http.post(self._target, msgspec.json.encode(message), {"Content-Type": "application/json"})
            return
        bot = self._target
        # Shown in no client, and kept by Slack: what tells a repeat.
        message |= {
            "channel": bot.channel,
            "metadata": {"event_type": "driftflow_notice", "event_payload": {"id": notice.id}},
        }
        picture = picture_of(notice.signals)
        if picture is not None and self._with_picture(bot, message, picture, notice.id):
            return
        self._call(bot, "chat.postMessage", message)

    def _with_picture(self, bot: Bot, message: dict[str, Any], picture: bytes, notice_id: str) -> bool:
        """Send with a picture; False where Slack refuses the picture, not the message."""
        try:
            file = self._upload(bot, picture, f"driftflow-{notice_id}.png")
            image = {"type": "image", "slack_file": {"id": file}, "alt_text": "reference against current"}
            self._call(bot, "chat.postMessage", message | {"blocks": [*message["blocks"], image]})
        except RefusedError:
            return False
        return True

    def _upload(self, bot: Bot, picture: bytes, filename: str) -> str:
        """Upload a file that belongs to no conversation yet, and return its id."""
        form = {"filename": filename, "length": str(len(picture))}
        place = self._call(bot, "files.getUploadURLExternal", form, form=True)
        address, file = place.get("upload_url"), place.get("file_id")
        if not isinstance(address, str) or not isinstance(file, str):
            raise TryAgainError(f"Slack ({self._name}): an answer without a place to upload to")
        self._http.post(Secret(address), picture, {"Content-Type": "image/png"})
        self._call(bot, "files.completeUploadExternal", {"files": [{"id": file, "title": "driftflow"}]})
        return file

    def _call(self, bot: Bot, method: str, given: dict[str, Any], *, form: bool = False) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {bot.token.reveal()}"}
        if not form:
            headers["Content-Type"] = "application/json; charset=utf-8"
        body = given if form else msgspec.json.encode(given)
        answer = self._http.post(Secret(f"{bot.api}/{method}"), body, headers)
        said: dict[str, Any] | None = None
        try:
            said = msgspec.json.decode(answer.body, type=dict[str, Any])
        except msgspec.DecodeError:
            said = None
        if said is None:
            raise TryAgainError(f"Slack ({self._name}): {method} gave an answer that is no JSON object")
        if said.get("ok") is True:
            return said
        reason = scrubbed(str(said.get("error", "no reason given")), self._secrets)
        message = f"Slack ({self._name}): {method} answered {reason}"
        raise TryAgainError(message) if reason in _LATER else RefusedError(message)

    def close(self) -> None:
        """See `Channel.close`."""
        self._http.close()


def blocks_of(view: View, templates: Templates) -> list[Block]:
    """Lay a message out in blocks, within Slack's limits."""
    title = templates.title(view)
    blocks: list[Block] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(title, MOST_HEADER), "emoji": False}}
    ]
    footer: list[Block] = []
    if view.link:
        button = {"type": "plain_text", "text": "Open the dashboard"}
        footer.append({"type": "actions", "elements": [{"type": "button", "text": button, "url": view.link}]})
    told = f"notice {view.id}, incident {view.incident}"
    footer.append({"type": "context", "elements": [{"type": "plain_text", "text": cut(told, MOST_SECTION)}]})
    # One place is kept for a picture.
    room = MOST_BLOCKS - len(blocks) - len(footer) - 1
    for part in sections(templates.slack(view))[:room]:
        text = {"type": "mrkdwn", "text": part, "verbatim": True}
        blocks.append({"type": "section", "text": text})
    return blocks + footer


def sections(text: str, most: int = MOST_SECTION) -> list[str]:
    """Divide a text at ends of lines into parts that fit a section."""
    parts = [""]
    for line in text.splitlines():
        whole = cut(line, most)
        if len(parts[-1]) + len(whole) + 1 > most:
            parts.append("")
        parts[-1] += ("\n" if parts[-1] else "") + whole
    return [part for part in parts if part.strip()]
