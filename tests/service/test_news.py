"""News of a store are read once for all who look at the same moment."""

import pytest

from service.news import FRESH_S, News


class Reader:
    def __init__(self) -> None:
        self.reads = 0

    def __call__(self) -> int:
        self.reads += 1
        return self.reads


def test_pages_that_look_at_the_same_moment_share_a_read() -> None:
    now, read = [0.0], Reader()
    news = News(lambda: now[0])
    assert [news.of("a", read) for _page in range(20)] == [1] * 20
    now[0] = FRESH_S
    assert [news.of("a", read) for _page in range(20)] == [2] * 20


def test_a_model_has_news_of_its_own() -> None:
    news = News(lambda: 0.0)
    assert (news.of("a", lambda: "x"), news.of("b", lambda: "y")) == ("x", "y")


def test_an_error_is_told_and_the_next_look_reads_again() -> None:
    def fails() -> object:
        raise OSError("away")

    news = News(lambda: 0.0)
    with pytest.raises(OSError, match="away"):
        news.of("a", fails)
    assert news.of("a", lambda: "back") == "back"
