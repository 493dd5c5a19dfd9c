"""Fills the templates of pages: everything a page needs is in the one file that it becomes."""

from collections.abc import Callable, Mapping
from importlib.metadata import version

from detectors.base import DriftflowError
from flows.render.words import effect_text, number_text, p_text, share_text

_MISSING = (
    "HTML pages need the extra 'report': scripts/env report in a clone, else pip install 'driftflow[report]'"
)


class PagesMissingError(DriftflowError):
    """What draws pages is not installed."""


def filled_page(
    template: str, values: Mapping[str, object], *, filters: Mapping[str, Callable[..., str]] | None = None
) -> str:
    """Fill a template; every text from data is escaped.

    Parameters
    ----------
    template
        Name of a file in `flows/pages/templates`.
    filters
        Texts of the page's own values, by the name that the template calls them.

    Raises
    ------
    PagesMissingError
        The extra `report` is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # an extra
        from markupsafe import Markup  # noqa: PLC0415
    except ImportError as error:
        raise PagesMissingError(_MISSING) from error
    environment = Environment(
        loader=PackageLoader("flows.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"p": p_text, "effect": effect_text, "share": share_text, "number": number_text}
    environment.filters |= dict(filters or {})
    loader = environment.loader
    assert loader is not None
    # The project's own files, which must not be escaped.
    own = {
        name: Markup(loader.get_source(environment, file)[0])  # noqa: S704
        for name, file in (("style", "page.css"), ("script", "page.js"))
    }
    return environment.get_template(template).render(version=version("driftflow"), **own, **values)


def drawing(svg: str) -> object:
    """Take a drawing into a page as it is: what made it has escaped the texts in it."""
    from markupsafe import Markup  # noqa: PLC0415  # an extra

    return Markup(svg)  # noqa: S704
