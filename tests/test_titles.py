"""What feeds are called; whole feeds stand in test_feed.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feeds.config import Config, FeedSettings
from feeds.selection import EVERYTHING, Selection, choose
from feeds.titles import Names, titles

AI = Selection(kind="topic", key="ai", slug="ai")
LAW = Selection(kind="topic", key="law", slug="law")
LTD = Selection(kind="provider", key="a.example", slug="a.example")
YAHOO = Selection(kind="provider", key="b.example", slug="b.example")
VIDEO = Selection(kind="type", key="video", slug="video")
CALLED: Names = {
    ("topic", "ai"): "AI",
    ("topic", "law"): "100% law %(name)s",
    ("provider", "a.example"): "Example Ltd.",
    ("provider", "b.example"): "Yahoo!",
}


@pytest.mark.parametrize(
    ("selection", "title", "subtitle"),
    [
        (EVERYTHING, "News", "Every topic and every provider"),
        (AI, "AI · News", "Articles on AI"),
        (replace(LTD, limit=3), "Example Ltd. · News", "Articles from Example Ltd."),
        (YAHOO, "Yahoo! · News", "Articles from Yahoo!"),
        (
            choose([LAW, AI], [LTD, YAHOO], [VIDEO], min_quality=80, min_heat=-1),
            "AI or 100% law %(name)s, from Example Ltd. or Yahoo!, only video,"
            " quality 80 and up, heat -1 and up · News",
            "Articles chosen from News",
        ),
        (
            choose(providers=[LTD, YAHOO], exclude=[LAW, AI]),
            "Example Ltd. or Yahoo!, without AI and 100% law %(name)s · News",
            "Articles chosen from News",
        ),
        (choose(types=[VIDEO]), "Everything, only video · News", "Articles chosen from News"),
    ],
)
@pytest.mark.parametrize("language", ["en", "mi-NZ"])
def test_titles_say_what_was_chosen_and_subtitles_do_not_repeat_it(
    selection: Selection, title: str, subtitle: str, language: str
) -> None:
    # There is no catalogue of Māori.
    assert titles(selection, CALLED, Config(language=language)) == (title, subtitle)


def test_subtitle_is_the_description_of_the_settings() -> None:
    config = Config(
        description="All of it.", topics={"ai": FeedSettings(description="On machines.")}
    )
    assert titles(EVERYTHING, CALLED, config) == ("News", "All of it.")
    assert titles(AI, CALLED, config) == ("AI · News", "On machines.")


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("de", "AI oder Law, von Yahoo!, Qualität ab 80 · News"),
        ("ja", "AIまたはLaw、提供元: Yahoo!、品質80以上 · News"),
        ("ar", "AI أو Law، من Yahoo!، الجودة 80 فأعلى · News"),
    ],
)
def test_titles_are_in_the_language_of_the_site(language: str, title: str) -> None:
    chosen = choose([AI, LAW], [YAHOO], min_quality=80)
    called = {**CALLED, ("topic", "law"): "Law"}
    assert titles(chosen, called, Config(language=language))[0] == title
