"""Templates of messages: those that come with driftflow, and those that replace them."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alerts.channels.secrets import SetupError
from alerts.notices import Cause
from alerts.samples import sample_notice
from alerts.wording import View, view_of

TITLE, TEXT, HTML, SLACK = "title.j2", "text.j2", "mail.html.j2", "slack.j2"
NAMES = (TITLE, TEXT, HTML, SLACK)
MOST_CHARACTERS = 200_000
"""A template of one's own may loop; a message is not longer."""


@dataclass(frozen=True, slots=True)
class Templates:
    """Renders a notice in words.

    Templates run in a sandbox, and names from data are escaped for where they stand.
    """

    _plain: Environment
    _html: Environment
    _slack: Environment

    def title(self, view: View) -> str:
        """One line."""
        return " ".join(self._rendered(self._plain, TITLE, view).split())

    def text(self, view: View) -> str:
        """Plain text of several lines."""
        return self._rendered(self._plain, TEXT, view).strip() + "\n"

    def html(self, view: View, *, picture: str = "") -> str:
        """A page for a mail; `picture` is the address of its picture, empty where there is none."""
        return self._rendered(self._html, HTML, view, picture=picture)

    def slack(self, view: View) -> str:
        """Slack's mark-up (mrkdwn)."""
        return self._rendered(self._slack, SLACK, view).strip()

    def _rendered(self, environment: Environment, name: str, view: View, picture: str = "") -> str:
        return environment.get_template(name).render(notice=view, picture=picture)[:MOST_CHARACTERS]


def load_templates(folder: Path | None = None, *, key: str = "templates") -> Templates:
    """Load templates, those of the folder before our own, and try each on samples of every cause.

    Raises
    ------
    SetupError
        One is broken; the message gives its file and line.
    """
    if folder is not None and not folder.is_dir():
        raise SetupError(f"`{key}`: found {str(folder)!r}, wanted a folder that exists")
    if folder is not None and not any((folder / name).is_file() for name in NAMES):
        raise SetupError(f"`{key}`: found no template in {folder}, wanted one of {', '.join(NAMES)}")
    ours = PackageLoader("alerts", "templates")
    loader = ours if folder is None else ChoiceLoader([FileSystemLoader(folder), ours])

    def environment(*, html: bool = False, finalize: Callable[[object], object] | None = None) -> Environment:
        return ImmutableSandboxedEnvironment(
            loader=loader,
            autoescape=html,
            finalize=finalize,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    templates = Templates(environment(), environment(html=True), environment(finalize=slack_escaped))
    _try_all(templates, key)
    return templates


def slack_escaped(value: object) -> str:
    """Escape a value for Slack: no links, no mentions, and none that ends a code span.

    References
    ----------
    Slack, Formatting text for app surfaces: escaping text (``&``, ``<`` and ``>``).
    """
    text = str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("`", "'")


def _try_all(templates: Templates, key: str) -> None:
    for cause in Cause:
        view = view_of(sample_notice("sample", cause=cause), dashboard="https://localhost")
        for render in (templates.title, templates.text, templates.html, templates.slack):
            try:
                render(view)
            except TemplateSyntaxError as error:
                raise SetupError(
                    f"`{key}`: {error.filename or error.name}, line {error.lineno}: {error.message}"
                ) from error
            except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
                where = _line_of(error)
                raise SetupError(f"`{key}`: {where}: {error} (tried with a sample)") from error


def _line_of(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.endswith(".j2")]
    return f"{inside[-1].filename}, line {inside[-1].lineno}" if inside else "a template"
