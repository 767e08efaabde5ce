from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from urllib.parse import urlencode

import pytest

from feeds.config import Config
from feeds.formats import FORMATS
from feeds.text import clean_text
from tests.browser import Hosting, Visit, Visiting, accessibility_faults, overflow
from tests.support import Collection, Site, article
from tests.xss import HALVES, read_strings, write_marked

pytestmark = pytest.mark.slow

#: Every kind of page.
PAGES = (
    "/",
    "/?find=exam",
    "/?q=exampel",
    "/?topic=ai&topic=law",
    "/topics/",
    "/topics/ai/",
    "/topics/ai/archive/",
    "/topics/ai/archive/2020-05/",
    "/topics/ai/embed/",
    "/topics/ai/embed/?theme=dark",
    "/providers/",
    "/providers/example.org/",
    "/build/",
    "/build/?topic=ai&topic=law&min_quality=85",
)
HOSTILE_PAGES = (
    *("/", "/topics/t0/", "/topics/t0/archive/", "/topics/t0/embed/?limit=100"),
    *("/topics/", "/providers/", "/providers/p3.example/", "/providers/p85.example/", "/build/"),
    "/build/?topic=t0&exclude=p85.example",
    *(f"/topics/t0/feed.{suffix}?limit=100" for suffix in FORMATS),
)
#: In every frame, with what shadow roots hold: what of markup could run.
DANGERS = """() => {
  const found = window.pwned === undefined ? [] : ["pwned"];
  const addresses = ["href", "src", "action", "formaction", "xlink:href", "data", "poster", "cite"];
  const look = (root) => {
    for (const element of root.querySelectorAll("*")) {
      for (const { name, value } of element.attributes) {
        const scheme = addresses.includes(name) && new URL(value, document.baseURI).protocol;
        const known = ["http:", "https:", "feed:"].includes(scheme);
        if (/^on|^srcdoc$/i.test(name) || (scheme && !known)) found.push(element.outerHTML);
      }
      if (element.shadowRoot) look(element.shadowRoot);
    }
  };
  look(document);
  return found;
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """Serves what is written into a collection to the tests of this module."""
    sites: list[Site] = []

    def start(write: Callable[[Collection], object]) -> Site:
        folder = tmp_path_factory.mktemp("articles")
        database = f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3"
        collection = Collection(folder, Config(articles=folder, database=database))
        write(collection)
        sites.append(Site(collection))
        return sites[-1]

    yield start
    for site in sites:
        site.close()


@pytest.fixture(scope="module")
def varied(served: Callable[..., Site]) -> Site:
    """Two topics, three providers, pictures, a video and related stories."""
    return served(_write_varied)


def _write_varied(collection: Collection) -> None:
    picture = 'images:\n  - url: "https://images.example/{}.jpg"\n    width: 640\n    height: 480\n'
    related = (
        'related:\n  - title: "The same elsewhere"\n    webUrl: "https://other.example/"\n'
        '    quality: 70\n    provider:\n      name: "Other"\n'
    )
    for number in range(12):
        name = ("example.org", "example.net", "provider-of-a-long-name.example.com")[number % 3]
        text = article(
            f"Story {number} of what machines do and what the law says of it",
            quality=70 + 2 * number,
            time=f"2020-{4 + number % 2:02}-{number + 1:02}T02:41:00Z",
            url=f"https://{name}/stories/{number}/",
            topics=(("AI",), ("Law",), ("AI", "Law"))[number % 3],
            provider=name.partition(".")[0].title(),
            domain=name,
            more=picture.format(number) * (number % 2) + related * (number % 4 == 0),
        )
        kind = "video" if number == 5 else "article"
        collection.write(f"{number}.md", text.replace("type: article", f"type: {kind}"))


@pytest.fixture(scope="module")
def hostile(served: Callable[..., Site]) -> Site:
    """A hundred articles that say a script in every field."""
    return served(write_marked)


@pytest.fixture(scope="module")
def titles() -> list[str]:
    """The titles of the hostile articles, the oldest first."""
    return [clean_text(string) for string in read_strings()]


def assert_harmless(visit: Visit) -> None:
    """Nothing ran in any frame, and nothing in it could."""
    for frame in visit.frames:
        assert frame.evaluate(DANGERS) == [], frame.url


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_no_accessibility_fault(path: str, varied: Site, visit: Visiting) -> None:
    page = visit(varied.base + path).page
    page.evaluate(
        "for (const d of document.querySelectorAll('.subscribe details, #embed')) d.open = true"
    )
    if "embed/" in path:
        # axe 4 takes the ground of a transparent page for white, also where the browser's is dark.
        page.evaluate("document.documentElement.style.background = 'Canvas'")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="light")
        assert accessibility_faults(page) == [], width
        # Nothing else differs.
        page.emulate_media(color_scheme="dark")
        assert accessibility_faults(page, "color-contrast") == [], width


@pytest.mark.parametrize("accent", ["#ffff00", "#0000ff", "#fff", "#000"])
def test_any_colour_of_the_settings_can_be_read(
    accent: str,
    make_collection: Callable[..., Collection],
    serve: Callable[[Collection], Site],
    visit: Visiting,
) -> None:
    collection = make_collection(accent=accent)
    collection.write("one.md", article())
    base = serve(collection).base
    for dark in (False, True):
        page = visit(base + "/", width=390, dark=dark).page
        assert accessibility_faults(page, "color-contrast") == [], dark


def test_error_page_has_no_accessibility_fault_and_leads_on(varied: Site, visit: Visiting) -> None:
    opened = visit("about:blank")
    for path, status in (("/?q=ab*", "400"), ("/topics/laws/", "404")):
        opened.page.goto(varied.base + path)
        opened.settle()
        assert all(status in fault for fault in opened.faults)
        opened.faults.clear()
        for width in (1280, 320):
            opened.page.set_viewport_size({"width": width, "height": 900})
            assert accessibility_faults(opened.page) == [], (path, width)
            assert overflow(opened.page) <= 0
    opened.page.click("main .names a")
    assert opened.page.url == f"{varied.base}/topics/law/"


@pytest.mark.parametrize("path", PAGES)
def test_pages_do_not_scroll_sideways(path: str, varied: Site, visit: Visiting) -> None:
    page = visit(varied.base + path).page
    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert overflow(page) == 0, width


@pytest.mark.parametrize("path", HOSTILE_PAGES)
def test_hostile_articles_run_no_script_on_pages(path: str, hostile: Site, visit: Visiting) -> None:
    assert_harmless(visit(hostile.base + path))


def test_hostile_titles_show_as_text_on_pages(
    hostile: Site, titles: list[str], visit: Visiting
) -> None:
    opened = visit(f"{hostile.base}/topics/t0/")
    shown = set(opened.page.locator("[role=article] h2").all_inner_texts())
    older = opened.page.locator("a[rel=prev]")
    while older.count():
        opened.page.goto(older.evaluate("({ href }) => href"))
        shown |= set(opened.page.locator("[role=article] h2").all_inner_texts())
        assert_harmless(opened)
    assert shown == set(titles)


def test_hostile_titles_show_as_text_in_a_frame(
    hostile: Site, titles: list[str], visit: Visiting, host: Hosting
) -> None:
    address = f"{hostile.base}/topics/t0/embed/?limit=100"
    opened = visit(host(f'<!doctype html><iframe src="{address}"></iframe>'))
    frame = opened.page.frames[1]
    assert sorted(frame.locator("[role=article] h2").all_inner_texts()) == sorted(titles)
    assert_harmless(opened)


def test_hostile_titles_show_as_text_in_the_element(
    hostile: Site, titles: list[str], visit: Visiting, host: Hosting
) -> None:
    elements = "".join(
        f'<news-feed src="{hostile.base}/topics/{half.lower()}/" limit="50"></news-feed>'
        for half in HALVES
    )
    script = f'<script src="{hostile.base}/embed.js" async></script>'
    opened = visit(host(f"<!doctype html>{script}{elements}"))
    stories = opened.page.locator("news-feed [part=title]")
    stories.nth(99).wait_for()
    assert sorted(stories.all_inner_texts()) == sorted(titles)
    assert_harmless(opened)


def test_hostile_bodies_run_no_script_where_a_reader_shows_them(
    hostile: Site, visit: Visiting, host: Hosting
) -> None:
    trusting = """<!doctype html><script>
fetch(new URLSearchParams(location.search).get("feed")).then((got) => got.json()).then((feed) => {
  for (const item of feed.items) {
    const article = document.createElement("article");
    article.innerHTML = item.content_html;
    document.body.append(article);
  }
});
</script>"""
    feed = f"{hostile.base}/topics/t0/feed.json?limit=100"
    opened = visit(host(trusting) + "?" + urlencode({"feed": feed}))
    opened.page.locator("article").nth(99).wait_for(state="attached")
    assert_harmless(opened)


def test_hostile_topics_run_no_script_where_they_are_embedded(
    hostile: Site, visit: Visiting, host: Hosting
) -> None:
    opened = visit(f"{hostile.base}/topics/")
    links = opened.page.locator("main ul a")
    snippets = ""
    for topic in links.evaluate_all("(links) => links.map(({ href }) => href)")[::20]:
        opened.page.goto(topic)
        fields = opened.page.locator("#embed textarea").all()
        snippets += "".join(field.input_value() for field in fields)
        opened.page.locator("#embed summary").click()
        opened.page.frame_locator("#embed iframe").locator("h1").wait_for()
        assert_harmless(opened)
    assert snippets.count("<iframe") == snippets.count("<news-feed") == 5
    opened = visit(host(f"<!doctype html>{snippets}"))
    opened.page.locator("news-feed [part=title]").nth(4).wait_for()
    assert_harmless(opened)


def test_hostile_searches_run_no_script(hostile: Site, visit: Visiting) -> None:
    opened = visit(f"{hostile.base}/topics/")
    for string in read_strings()[::20]:
        opened.page.goto(f"{hostile.base}/?{urlencode({'find': string})}")
        assert_harmless(opened)


def test_hostile_searches_run_no_script_as_one_types(hostile: Site, visit: Visiting) -> None:
    opened = visit(f"{hostile.base}/topics/")
    for string in read_strings()[::20]:
        with opened.page.expect_response("**/topics/?find=*"):
            opened.page.get_by_role("searchbox", name="Find a topic").fill(string)
        assert_harmless(opened)


def test_hostile_names_run_no_script_in_the_builder(hostile: Site, visit: Visiting) -> None:
    opened = visit(f"{hostile.base}/build/")
    for group in ("topic", "provider", "type"):
        boxes = opened.page.locator(f"input[type=checkbox][name={group}]")
        with opened.page.expect_response("**/build/?*"):
            boxes.nth(3).check()
        assert_harmless(opened)


def test_hostile_strings_run_where_nothing_escapes_them(visit: Visiting, host: Hosting) -> None:
    frames = [f'<iframe srcdoc="{escape(string)}"></iframe>' for string in read_strings()]
    opened = visit(host("<!doctype html>" + "".join(frames)))
    opened.settle()
    ran = [fault for fault in opened.faults if fault.startswith(("alert", "confirm", "prompt"))]
    assert len(ran) > 40
    opened.faults.clear()


FAULTS = {
    "<script>alert('hello')</script>": "alert: hello",
    "<script>console.error('hello')</script>": "error: hello",
    "<script>console.warn('hello')</script>": "warning: hello",
    "<script>throw Error('hello')</script>": "uncaught: hello",
    "<script src='http://other.example/a.js'></script>": "foreign: script http://other.example/a.js",
    "<link rel=stylesheet href='http://localhost:1/a.css'>": "failed: http://localhost:1/a.css",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>": "alert: 1",
    "<meta http-equiv=Content-Security-Policy content=\"style-src 'none'\"><p style='top:0'>": (
        "policy of http://localhost"
    ),
}


@pytest.mark.parametrize("html", FAULTS)
def test_visits_note_what_goes_wrong(html: str, visit: Visiting, host: Hosting) -> None:
    opened = visit(host("<!doctype html>" + html))
    opened.settle()
    assert [fault for fault in opened.faults if fault.startswith(FAULTS[html])]
    opened.faults.clear()


def test_visits_see_a_picture_of_another_host(visit: Visiting, host: Hosting) -> None:
    page = visit(host("<!doctype html><img src='https://images.example/a.jpg'>")).page
    assert page.evaluate("document.images[0].naturalWidth") == 1
