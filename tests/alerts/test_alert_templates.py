"""Templates: ours, those that replace them, and broken ones."""

from pathlib import Path

import pytest

from alerts.channels.secrets import Secret, SetupError, checked_url, scrubbed, secret_from
from alerts.notices import Cause
from alerts.samples import sample_notice
from alerts.templating import load_templates
from alerts.wording import view_of


def test_one_of_the_templates_can_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "title.j2").write_text("DRIFT in {{ notice.model }}")
    templates = load_templates(tmp_path)
    view = view_of(sample_notice("x", cause=Cause.OPENED))
    assert templates.title(view) == "DRIFT in sample"
    assert "What to do" in templates.text(view)


def test_what_is_over_has_no_severity_in_its_title() -> None:
    templates = load_templates()
    titles = {cause: templates.title(view_of(sample_notice("x", cause=cause))) for cause in Cause}
    assert titles[Cause.OPENED] == "[New, high] sample: amount drifts"
    assert titles[Cause.CLOSED] == "[All clear] sample: amount drifts"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("fine\n{% if %}", "title.j2, line 2"),
        ("fine\n\n{{ notice.modle }}", "title.j2, line 3: .*modle"),
        ("{{ ''.__class__.__mro__ }}", "title.j2, line 1: .*unsafe"),
        ("{{ 1 // 0 }}", "title.j2, line 1"),
        ("{% include 'nowhere.j2' %}", "nowhere.j2"),
    ],
)
def test_a_broken_template_is_refused_with_its_line(tmp_path: Path, source: str, told: str) -> None:
    (tmp_path / "title.j2").write_text(source)
    with pytest.raises(SetupError, match=told):
        load_templates(tmp_path, key="alerts.channels.team.templates")


def test_a_folder_without_templates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"title\.j2, text\.j2, mail\.html\.j2, slack\.j2"):
        load_templates(tmp_path)
    with pytest.raises(SetupError, match="a folder that exists"):
        load_templates(tmp_path / "none")


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://hooks.example.org/x", True),
        ("http://127.0.0.1:8080/x", True),
        ("http://[::1]:8080/x", True),
        ("http://localhost/x", True),
        ("http://hooks.example.org/s3cr3t", False),
        ("http://localhost.example.org/s3cr3t", False),
        ("file:///s3cr3t", False),
        ("https://", False),
        ("https://host:port/s3cr3t", False),
    ],
)
def test_addresses_are_https_but_for_this_machine(address: str, allowed: bool) -> None:  # noqa: FBT001
    if allowed:
        assert checked_url(Secret(address), "k").reveal() == address
        return
    with pytest.raises(SetupError, match="`k`") as caught:
        checked_url(Secret(address), "k")
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(SetupError, match=r"`alerts\.channels\.team\.url_env`.*SLACK_WEBHOOK_URL"):
        secret_from({"SLACK_WEBHOOK_URL": " "}, "SLACK_WEBHOOK_URL", "alerts.channels.team.url_env")


def test_what_others_quote_is_scrubbed() -> None:
    url = Secret("https://hooks.slack.com/services/T00000000/B00000000/XXXXsecretXXXX")
    said = scrubbed("no such hook: /services/T00000000/B00000000/XXXXsecretXXXX\r\nbye", (url,))
    assert "XXXXsecretXXXX" not in said
    assert said.endswith("bye")
    assert "\n" not in said
    assert repr(url) == "Secret()"
