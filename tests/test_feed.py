"""What a feed and its entries say, read from published bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from feeds.config import FeedSettings
from feeds.selection import EVERYTHING, Selection
from tests.atom_rules import publish_atom, read_atom, texts
from tests.html_rules import Html
from tests.support import BASE, NOW, Collection, article

AI = Selection(kind="topic", key="ai", slug="ai")
EXAMPLE = Selection(kind="provider", key="example.org", slug="example.org")
LATER = NOW + timedelta(hours=1)
VIDEO = 'featuredContent: \'<iframe src="https://player.example/1" allow="autoplay"></iframe>\'\n'
IMAGE = 'images:\n  - url: "https://i.example/p.jpg?a=1&lt;2"\n    title: "A ""still"""\n'.replace(
    '""', '\\"'
)


def read_feed(collection: Collection, path: str, *, now: datetime = NOW) -> list[str]:
    """What the site's feed says at a path."""
    return texts(read_atom(publish_atom(collection, now=now), now), path)


def content_of(collection: Collection, text: str) -> Html:
    collection.write("one.md", text)
    assert collection.sync().faults == ()
    return Html(read_feed(collection, "a:entry/a:content")[0])


def related(title: str, quality: int) -> str:
    return (
        f'  - title: "{title}"\n    webUrl: "https://other.example/{quality}?a=1&lt;2"\n'
        f'    quality: {quality}\n    provider:\n      name: "R &lt; D"\n'
        f"      domain: other.example\n"
    )


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    "edit",
    [
        {"title": "Another title"},
        {"url": "https://elsewhere.example/"},
        {"more": 'originalUrl: "https://elsewhere.example/"\n'},
        {"provider": "Another", "domain": "elsewhere.example"},
        {"topics": ("Law",)},
        {"time": "2021-01-01T00:00:00Z"},
        {"quality": 99},
    ],
    ids=lambda edit: next(iter(edit)),
)
def test_id_survives_an_edit_of(collection: Collection, edit: dict[str, str]) -> None:
    collection.write("one.md", article())
    collection.sync()
    (before,) = read_feed(collection, "a:entry/a:id")
    collection.write("one.md", article(**edit))  # type: ignore[arg-type]  # by name
    collection.sync(LATER)
    assert read_feed(collection, "a:entry/a:id", now=LATER) == [before]


def test_id_survives_a_move_to_another_folder_and_suffix(collection: Collection) -> None:
    path = collection.write("one.md", article())
    collection.sync()
    (before,) = read_feed(collection, "a:entry/a:id")
    path.unlink()
    collection.write("archive/2020/one.txt", article())
    collection.sync(LATER)
    assert read_feed(collection, "a:entry/a:id", now=LATER) == [before]


def test_ids_survive_another_base_slug_and_title(
    make_collection: Callable[..., Collection],
) -> None:
    ids = []
    for name, base, names in [
        ("old", BASE, {}),
        ("new", "http://10.0.0.1:8000", {"ai": FeedSettings(slug="machines", title="Machines")}),
    ]:
        collection = make_collection(name, topics=names, title=name)
        collection.write("one.md", article())
        collection.sync()
        selection = collection.index.resolve("topic", "ai")
        assert selection
        body = publish_atom(collection, selection, base=base)
        ids.append(texts(read_atom(body), "a:id | a:entry/a:id"))
    assert ids[0] == ids[1]


def test_article_has_the_same_id_in_every_feed(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    roots = [read_atom(publish_atom(collection, each)) for each in (EVERYTHING, AI, EXAMPLE)]
    assert len({texts(root, "a:entry/a:id")[0] for root in roots}) == 1
    assert len({texts(root, "a:id")[0] for root in roots}) == 3


def test_ids_of_two_sites_differ(make_collection: Callable[..., Collection]) -> None:
    ids = []
    for name in ("one", "two"):
        collection = make_collection(name, id=name)
        collection.write("one.md", article())
        collection.sync()
        ids += read_feed(collection, "//a:id")
    assert len(set(ids)) == 4


def test_updated_is_published_until_the_article_says_otherwise(collection: Collection) -> None:
    collection.write("one.md", article("First"))
    collection.sync()
    collection.write("one.md", article("Second", quality=99, body="Body.\n"))
    collection.sync(LATER)
    assert read_feed(collection, "//a:updated", now=LATER) == ["2020-05-18T02:41:00+00:00"] * 2


def test_updated_moves_with_updated_date_time_alone(collection: Collection) -> None:
    collection.write("one.md", article(more="updatedDateTime: 2020-06-01T00:00:00Z\n"))
    collection.write("two.md", article(time="2020-05-19T00:00:00Z"))
    collection.sync()
    assert read_feed(collection, "a:entry/a:updated") == [
        "2020-05-19T00:00:00+00:00",
        "2020-06-01T00:00:00+00:00",
    ]
    assert read_feed(collection, "a:updated") == ["2020-06-01T00:00:00+00:00"]
    assert read_feed(collection, "a:entry/a:published")[1] == "2020-05-18T02:41:00+00:00"


def test_update_before_publication_does_not_count(collection: Collection) -> None:
    collection.write("one.md", article(more="updatedDateTime: 2019-01-01T00:00:00Z\n"))
    collection.sync()
    assert read_feed(collection, "//a:updated") == ["2020-05-18T02:41:00+00:00"] * 2


def test_announced_update_takes_effect_when_its_time_comes(collection: Collection) -> None:
    collection.write("one.md", article(more=f"updatedDateTime: {stamp(LATER)}\n"))
    collection.sync()
    collection.advance(LATER - timedelta(seconds=1))
    assert read_feed(collection, "//a:updated") == ["2020-05-18T02:41:00+00:00"] * 2
    collection.advance(LATER)
    assert read_feed(collection, "//a:updated", now=LATER) == ["2026-01-01T13:00:00+00:00"] * 2


def test_article_of_the_future_appears_in_its_second(collection: Collection) -> None:
    collection.write("one.md", article(time=stamp(LATER)))
    collection.sync()
    collection.advance(LATER - timedelta(microseconds=1))
    assert read_feed(collection, "a:entry/a:id | a:updated") == ["2000-01-01T00:00:00+00:00"]
    collection.advance(LATER)
    assert read_feed(collection, "//a:updated", now=LATER) == ["2026-01-01T13:00:00+00:00"] * 2


@pytest.mark.parametrize("now", [NOW, LATER])
def test_empty_feed_has_a_constant_date(collection: Collection, now: datetime) -> None:
    collection.sync()
    assert read_feed(collection, "a:updated", now=now) == ["2000-01-01T00:00:00+00:00"]
    assert read_feed(collection, "a:entry", now=now) == []


@pytest.mark.parametrize(
    ("selection", "title", "subtitle"),
    [
        (EVERYTHING, "News", "Every topic and every provider"),
        (AI, "AI · News", "Articles on AI"),
        (EXAMPLE, "Example · News", "Articles from Example"),
    ],
)
def test_feed_is_titled_as_its_articles_call_it(
    collection: Collection, selection: Selection, title: str, subtitle: str
) -> None:
    collection.write("one.md", article())
    collection.sync()
    root = read_atom(publish_atom(collection, selection))
    assert texts(root, "a:title") + texts(root, "a:subtitle") == [title, subtitle]


def test_feed_is_titled_as_the_curator_says(make_collection: Callable[..., Collection]) -> None:
    collection = make_collection(
        title="Site",
        description="All.",
        providers={"example.org": FeedSettings(title="The Example", description="Examples only.")},
    )
    collection.write("one.md", article())
    collection.sync()
    assert read_feed(collection, "a:title | a:subtitle") == ["Site", "All."]
    root = read_atom(publish_atom(collection, EXAMPLE))
    assert texts(root, "a:title | a:subtitle") == ["The Example · Site", "Examples only."]


def test_site_without_author_is_its_own(collection: Collection) -> None:
    collection.sync()
    assert read_feed(collection, "a:author/*") == ["News", f"{BASE}/"]


def test_body_becomes_the_content_below_the_picture(collection: Collection) -> None:
    html = content_of(
        collection, article(more=IMAGE, body="# Head\n\n*Text* ![](https://i.example/2)\n")
    )
    assert [tag for tag, _ in html.tags] == ["p", "img", "h1", "p", "em", "img"]
    assert html.values("img", "src") == ["https://i.example/p.jpg?a=1&lt;2", "https://i.example/2"]
    assert html.values("img", "alt") == ['A "still"', ""]
    assert html.text.split() == ["Head", "Text"]


LISTED = "https://i.example/p.jpg?a=1&lt;2"
OTHER = "https://i.example/2"


@pytest.mark.parametrize(
    ("body", "pictures"),
    [
        ("A ![](https://i.example/p.jpg?a=1&amp;lt;2)\n", [LISTED]),
        ("<img alt=' src=' src='https://i.example/p.jpg?a=1&amp;lt;2'>\n", [LISTED]),
        (f"![]({OTHER}) ![](https://i.example/p.jpg?a=1&amp;lt;2)\n", [OTHER, LISTED]),
        # Another size, another address: nobody can know that it is the same picture.
        ("![](https://i.example/p.jpg?a=1)\n", [LISTED, "https://i.example/p.jpg?a=1"]),
        ("`![](https://i.example/p.jpg?a=1&amp;lt;2)`\n", [LISTED]),
        (f"<img alt=' src=' src='{OTHER}'>\n", [LISTED, OTHER]),
    ],
)
@pytest.mark.parametrize("more", ["", VIDEO], ids=["article", "video"])
def test_picture_that_the_body_shows_is_shown_once(
    collection: Collection, body: str, pictures: list[str], more: str
) -> None:
    html = content_of(collection, article(more=IMAGE + "    width: 7\n" + more, body=body))
    assert html.values("img", "src") == pictures
    assert read_feed(collection, "//m:*/@url") == pictures[:1] * 2
    assert read_feed(collection, "//m:content/@width") == (["7"] if pictures[0] == LISTED else [])
    assert html.text.count("Watch the video") == bool(more)


def test_picture_of_a_body_is_the_picture_of_the_entry(collection: Collection) -> None:
    html = content_of(collection, article(body=f"<img alt=' src=' src='{OTHER}'>\n"))
    assert html.values("img", "src") == [OTHER]
    assert read_feed(collection, "//m:*/@url") == [OTHER] * 2


@pytest.mark.parametrize("body", ["![x](/relative.png)\n", "&#0;\n", "<p> </p>\n", "<br>\n"])
def test_body_of_which_nothing_is_left_gives_way_to_the_excerpt(
    collection: Collection, body: str
) -> None:
    assert content_of(collection, article(body=body)).text == "About A title."


def test_excerpt_is_the_content_where_there_is_no_body(collection: Collection) -> None:
    html = content_of(collection, article("A &amp; <b>"))
    assert (html.text, [tag for tag, _ in html.tags]) == ("About A & .", ["p"])


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert('gone')</script>",
        "<iframe src='https://gone.example/'></iframe>",
        "<object data='https://gone.example/'><embed src='https://gone.example/'></object>",
        "<style>gone</style>",
        "<svg><a href='https://gone.example/'><circle/></a></svg>",
        "<form action='https://gone.example/'><input value='gone'><button></button></form>",
        "<p onclick='gone()' style='gone' class='gone' id='gone'>kept</p>",
        "<img src='https://i.example/' onerror='gone()' srcset='gone' loading='gone'>",
        "<video src='https://gone.example/'></video><link href='https://gone.example/'>",
        "<meta http-equiv='refresh' content='gone'><base href='https://gone.example/'>",
        "<!-- gone -->",
        "<a href='javascript:gone()'>x</a> [x](javascript:gone) <a href='data:,gone'>x</a>",
        "[x](gone.html) [x](/gone) [x](//gone.example/) [x](#gone) [x](?gone) ![](gone.png)",
        "[x](https:gone) <a href='https:/gone'>x</a> <img src='http:gone.png'>",
        "<a href='mailto:gone@gone.example'>x</a> <a href='ftp://gone.example'>x</a>",
        "<math><mtext><a href='https://gone.example/' xlink:href='gone'></a></mtext></math>",
    ],
)
def test_nothing_of_a_body_runs_styles_frames_or_is_relative(
    collection: Collection, body: str
) -> None:
    html = content_of(collection, article(body=f"kept\n\n{body}\n\nkept\n"))
    assert html.text.count("kept") >= 2
    assert "gone" not in str(html.tags)


def test_video_becomes_its_linked_still_and_a_line(collection: Collection) -> None:
    url = "https://example.org/?a=1&lt;2"
    html = content_of(collection, article(url=url, provider="A &lt; B", more=IMAGE + VIDEO))
    assert [tag for tag, _ in html.tags] == ["p", "a", "img", "p", "a", "p"]
    assert html.values("a", "href") == [url] * 2
    assert html.text.split("\n") == ["", "Watch the video at A &lt; B", "About A title."]


def test_video_without_a_still_is_a_line(collection: Collection) -> None:
    html = content_of(collection, article(more=VIDEO))
    assert [tag for tag, _ in html.tags] == ["p", "a", "p"]
    assert html.text == "Watch the video at Example\nAbout A title."


def test_picture_of_an_article_that_is_no_video_is_no_link(collection: Collection) -> None:
    html = content_of(collection, article(more=IMAGE))
    assert [tag for tag, _ in html.tags] == ["p", "img", "p"]


def test_related_coverage_is_there_from_the_threshold_on(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(min_quality=70)
    more = "related:\n" + related("At <it>", 70) + related("Below", 69) + related("Above", 71)
    html = content_of(collection, article(more=more))
    links = ["https://other.example/70?a=1&lt;2", "https://other.example/71?a=1&lt;2"]
    assert html.values("a", "href") == links
    assert html.text.endswith("Related coverage:\nAt <it> (R &lt; D)Above (R &lt; D)")
    assert read_feed(collection, "//a:link[@rel='related']/@href") == links
    assert read_feed(collection, "//a:link[@rel='related']/@title") == ["At <it>", "Above"]


def test_no_related_coverage_leaves_no_heading(collection: Collection) -> None:
    html = content_of(collection, article(more="related:\n" + related("Below", 59)))
    assert "Related" not in html.text
    assert read_feed(collection, "a:entry/a:link/@rel") == ["alternate"]


def test_same_article_is_the_same_entry_in_feeds_of_other_thresholds(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(topics={"ai": FeedSettings(min_quality=10)})
    collection.write("one.md", article(more="related:\n" + related("Below", 59)))
    collection.sync()
    entries = [
        read_atom(publish_atom(collection, each)).findtext("{*}entry/{*}content")
        for each in (EVERYTHING, AI, EXAMPLE)
    ]
    assert entries[0] and entries == entries[:1] * 3


def test_entry_is_made_of_nothing_but_its_article_and_settings(collection: Collection) -> None:
    path = collection.write("one.md", article(more="heat: 7\n" + 'secured: "QUJD;REVG"\n'))
    collection.sync()
    before = publish_atom(collection)
    collection.write(path.name, article(quality=81, more='heat: 99\nsecured: "SElK;S0xN"\n'))
    collection.sync(LATER)
    assert publish_atom(collection, now=LATER) == before
