"""Our feeds on other people's sites, in a real browser and from another origin."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

from tests.browser import Hosting, Visit, Visiting, wait_until
from tests.support import ROOT, Collection, Site, article

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request, Route

STATIC = ROOT / "feeds/pages/static"
MAX_AGE = 1800
IMAGES = "images:\n  - url: https://pictures.example/{}.png\n    width: 720\n    height: 450\n"


@pytest.fixture
def news(make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]) -> Site:
    """Eight articles with pictures, the last of which is the newest; two of them on law."""
    collection = make_collection()
    for day in range(1, 9):
        topics = ("AI", "Law") if day < 3 else ("AI",)
        collection.write(f"{day}.md", _story(day, topics))
    return serve(collection)


def _story(day: int, topics: tuple[str, ...] = ("AI",)) -> str:
    time = f"2020-05-{day:02}T12:00:00Z"
    more = IMAGES.format(day)
    return article(
        f"Story {day}", time=time, url=f"https://example.org/{day}", topics=topics, more=more
    )


def _page(site: Site, body: str, head: str = "") -> str:
    script = f'<script src="{site.base}/embed.js" async></script>'
    return f'<!doctype html><html lang="en-GB"><title>Host</title>{head}<body>{body}{script}'


def _element(src: str, more: str = "", fallback: str = "<b>Fallback</b>") -> str:
    return f'<news-feed src="{src}" {more}>{fallback}</news-feed>'


def _titles(page: Page, number: int, place: int = 0) -> list[str]:
    """The stories of an element, once there are so many."""
    titles = page.locator("news-feed").nth(place).locator("[part=title]")
    titles.nth(number - 1).wait_for()
    return titles.all_inner_texts()


def _asked(page: Page) -> list[str]:
    """The feeds that the page asks for from now on, by path and query."""
    requested: list[str] = []

    def note(request: Request) -> None:
        if "feed.json" in request.url:
            requested.append("/" + request.url.split("/", 3)[3])

    page.on("request", note)
    return requested


def _answer(
    page: Page, address: str, feed: object, *, status: int = 200, max_age: int = MAX_AGE
) -> list[str]:
    """Answer whatever asks for a feed, from now on; returns the methods and headers asked with."""
    requested: list[str] = []

    def answer(route: Route) -> None:
        requested.append(f"{route.request.method} {route.request.headers}")
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": f"public, s-maxage=9, max-age={max_age}",
        }
        body = feed if isinstance(feed, str) else json.dumps(feed)
        route.fulfill(status=status, body=body, headers=headers, content_type="application/json")

    page.route(lambda url: url.startswith(address) and "feed.json" in url, answer)
    return requested


def _feed(*items: Mapping[str, object], title: str = "Made up") -> dict[str, object]:
    version = "https://jsonfeed.org/version/1.1"
    return {"version": version, "title": title, "language": "en", "items": list(items)}


def _fallback_shows(page: Page) -> bool:
    return page.locator("news-feed b").is_visible()


def test_element_draws_as_many_stories_as_it_says(
    news: Site, host: Hosting, visit: Visiting
) -> None:
    limits = {"3": 3, "50": 8, "0": 5, "200": 8, "201": 5, "2.5": 5, "": 5, "+3": 5}
    body = "".join(_element(f"{news.base}/topics/ai/", f'limit="{limit}"') for limit in limits)
    page = visit(host(_page(news, body))).page
    page.locator("news-feed [part=item]").nth(sum(limits.values()) - 1).wait_for()
    drawn = [_titles(page, number, place) for place, number in enumerate(limits.values())]
    assert drawn == [[f"Story {8 - each}" for each in range(number)] for number in limits.values()]
    assert not page.locator("news-feed b").first.is_visible()


def test_story_has_its_picture_source_date_and_summary(
    news: Site, host: Hosting, visit: Visiting
) -> None:
    page = visit(host(_page(news, _element(f"{news.base}/", 'limit="1"')))).page
    _titles(page, 1)
    story = page.locator("news-feed [part=item]")
    assert story.inner_text().split("\n") == [
        "Story 8",
        "",
        "Example · 8 May 2020",
        "",
        "About Story 8.",
    ]
    assert story.locator("a").get_attribute("href") == "https://example.org/8"
    assert story.locator("time").get_attribute("datetime") == "2020-05-08T12:00:00Z"
    picture = story.locator("img")
    names = ["src", "alt", "loading", "referrerpolicy"]
    values = [picture.get_attribute(name) for name in names]
    assert values == ["https://pictures.example/8.png", "", "lazy", "no-referrer"]
    size = picture.bounding_box()
    assert size and (size["width"], size["height"]) == (96, 72)
    heading = page.locator("news-feed [part=heading] a")
    assert [heading.inner_text(), heading.get_attribute("href")] == ["News", f"{news.base}/"]


def test_element_draws_no_more_than_it_says_of_a_longer_answer(
    news: Site, host: Hosting, visit: Visiting
) -> None:
    """A built site answers with its whole feed."""
    page = visit(host("")).page
    _answer(page, f"{news.base}/", _feed(*({"title": f"Story {n}"} for n in range(9))))
    page.goto(host(_page(news, _element(f"{news.base}/", 'limit="2"'))))
    assert _titles(page, 2) == ["Story 0", "Story 1"]


@pytest.mark.parametrize(
    ("lang", "date"), [("de", "8. Mai 2020"), ("en-US", "May 8, 2020"), ("{{none}}", "May 8, 2020")]
)
def test_date_is_in_the_language_around_the_element(
    news: Site, host: Hosting, visit: Visiting, lang: str, date: str
) -> None:
    body = f'<div lang="{lang}">{_element(f"{news.base}/", "limit=1")}</div>'
    page = visit(host(_page(news, body))).page
    _titles(page, 1)
    assert page.locator("news-feed time").inner_text() == date


def test_changed_attributes_take_effect(news: Site, host: Hosting, visit: Visiting) -> None:
    page = visit(host(_page(news, _element(f"{news.base}/", 'limit="2" images="0"')))).page
    _titles(page, 2)
    element, pictures = page.locator("news-feed"), page.locator("news-feed img")
    assert pictures.count() == 0
    element.evaluate("element => element.removeAttribute('images')")
    pictures.nth(1).wait_for()
    element.evaluate("element => element.setAttribute('limit', 4)")
    assert len(_titles(page, 4)) == 4
    element.evaluate(f"element => element.setAttribute('src', '{news.base}/topics/law/')")
    page.get_by_text("Story 2", exact=True).wait_for()
    assert _titles(page, 2) == ["Story 2", "Story 1"]


@pytest.mark.parametrize(
    ("src", "address"),
    [
        ("/?topic=law&amp;topic=ai", "/feed.json?limit=5&topic=law&topic=ai"),
        ("/topics/law/?type=article", "/topics/law/feed.json?limit=5&type=article"),
        ("/topics/law", "/topics/law/feed.json?limit=5"),
    ],
)
def test_source_is_the_address_of_a_page(
    news: Site, host: Hosting, visit: Visiting, src: str, address: str
) -> None:
    opened = visit(host(""))
    requests = _asked(opened.page)
    opened.page.goto(host(_page(news, _element(news.base + src))))
    assert "Story 2" in _titles(opened.page, 2) or "Story 8" in _titles(opened.page, 5)
    assert requests[0] == address


def test_source_elsewhere_than_on_the_web_keeps_the_fallback(
    news: Site, host: Hosting, visit: Visiting
) -> None:
    sources = ("javascript:alert(1)", "data:application/json,{}", "topics/", "", f" {news.base}/")
    opened = visit(host(""))
    requests = _asked(opened.page)
    opened.page.goto(host(_page(news, "".join(map(_element, sources)) + "<news-feed></news-feed>")))
    wait_until(opened.page, "!!customElements.get('news-feed')")
    opened.settle()
    assert [each.is_visible() for each in opened.page.locator("news-feed b").all()] == [True] * 5
    assert requests == []


def test_fallback_stays_where_there_is_no_such_feed(
    news: Site, host: Hosting, visit: Visiting
) -> None:
    opened = visit(host(""))
    with opened.page.expect_response("**/feed.json*") as response:
        opened.page.goto(host(_page(news, _element(f"{news.base}/topics/none/"))))
    assert response.value.status == 404
    _assert_only_failed_to_load(opened)


def test_fallback_stays_without_an_answer(news: Site, host: Hosting, visit: Visiting) -> None:
    opened = visit(host(""))
    with opened.page.expect_event("requestfailed"):
        # Nothing listens on the discard port.
        opened.page.goto(host(_page(news, _element("http://localhost:9/"))))
    _assert_only_failed_to_load(opened)


def _assert_only_failed_to_load(opened: Visit) -> None:
    assert _fallback_shows(opened.page)
    opened.settle()
    assert opened.faults
    assert all("feed.json" in fault or "Failed to load" in fault for fault in opened.faults)
    opened.faults.clear()


def test_fallback_stays_where_the_answer_is_no_feed(
    news: Site, host: Hosting, visit: Visiting
) -> None:
    page = visit(host("")).page
    answers = ["<!doctype html>", "[]", "null", '{"items": []}', '{"version": "jsonfeed"}', ""]
    for place, answer in enumerate(answers):
        _answer(page, f"{news.base}/{place}/", answer)
    finished: list[str] = []
    page.on("requestfinished", lambda request: finished.append(request.url))
    sources = [f"{news.base}/{place}/" for place in range(len(answers))]
    page.goto(host(_page(news, "".join(map(_element, sources)))))
    page.wait_for_load_state("networkidle")
    assert sum("feed.json" in url for url in finished) == len(answers)
    assert all(each.is_visible() for each in page.locator("news-feed b").all())


def test_elements_of_one_source_share_a_request(news: Site, host: Hosting, visit: Visiting) -> None:
    page = visit(host("")).page
    requests = _asked(page)
    # Loaded twice and once more as a module, too.
    again = f'<script src="{news.base}/embed.js"></script>'
    module = f'<script src="{news.base}/embed.js" type="module"></script>'
    body = _element(f"{news.base}/") * 3 + _element(f"{news.base}/", 'limit="1"')
    page.goto(host(_page(news, body + again + module)))
    page.locator("news-feed [part=item]").nth(15).wait_for()
    assert requests == ["/feed.json?limit=5", "/feed.json?limit=1"]
    assert page.evaluate("Object.keys(window).filter((name) => /feed/i.test(name))") == []


def _with_clock(news: Site, host: Hosting, visit: Visiting, max_age: int) -> tuple[Page, list[str]]:
    """A drawn element in a page whose time the test moves on."""
    page = visit(host("")).page
    requested = _answer(page, f"{news.base}/", _feed({"title": "First"}), max_age=max_age)
    page.clock.install()
    page.goto(host(_page(news, _element(f"{news.base}/"))))
    assert _titles(page, 1) == ["First"]
    return page, requested


def _pass(page: Page, seconds: float) -> None:
    page.clock.fast_forward(int(seconds * 1000))
    # Whatever was asked for by then has reached the test.
    page.evaluate("fetch('/').then((response) => response.text())")


@pytest.mark.parametrize(("max_age", "waits"), [(300, 300), (1, 60), (10**9, 2_000_000)])
def test_element_asks_again_when_the_feed_is_old(
    news: Site, host: Hosting, visit: Visiting, max_age: int, waits: int
) -> None:
    page, requested = _with_clock(news, host, visit, max_age)
    _pass(page, waits - 30)
    assert len(requested) == 1
    _answer(page, f"{news.base}/", _feed({"title": "Second"}))
    _pass(page, 30)
    page.get_by_text("Second").wait_for()


def test_same_feed_is_not_drawn_again(news: Site, host: Hosting, visit: Visiting) -> None:
    page, requested = _with_clock(news, host, visit, MAX_AGE)
    title = page.locator("news-feed [part=title]").element_handle()
    for number in (2, 3):
        with page.expect_event("requestfinished", lambda request: "feed.json" in request.url):
            page.clock.fast_forward(MAX_AGE * 1000)
        assert len(requested) == number
    assert title.evaluate("title => title.isConnected")


def test_hidden_page_asks_once_it_is_seen(news: Site, host: Hosting, visit: Visiting) -> None:
    page, requested = _with_clock(news, host, visit, MAX_AGE)
    _set_hidden(page, True)
    _pass(page, 3 * MAX_AGE)
    assert len(requested) == 1
    with page.expect_event("requestfinished", lambda request: "feed.json" in request.url):
        _set_hidden(page, False)
    assert len(requested) == 2


def _set_hidden(page: Page, hidden: bool) -> None:
    value = json.dumps(hidden)
    page.evaluate(
        f"Object.defineProperty(document, 'hidden', {{value: {value}, configurable: true}});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )


@pytest.mark.parametrize("answer", [("no feed", 200), (_feed(), 503)])
def test_failure_keeps_what_is_drawn_and_is_mended(
    news: Site, host: Hosting, visit: Visiting, answer: tuple[object, int]
) -> None:
    opened = visit(host(""))
    page = opened.page
    _answer(page, f"{news.base}/", _feed({"title": "First"}), max_age=60)
    page.clock.install()
    page.goto(host(_page(news, _element(f"{news.base}/"))))
    _titles(page, 1)
    failed = _answer(page, f"{news.base}/", answer[0], status=answer[1], max_age=60)
    with page.expect_event("requestfinished", lambda request: "feed.json" in request.url):
        page.clock.fast_forward(60_000)
    assert _titles(page, 1) == ["First"]
    # After a failure it waits as long as for a feed that says nothing.
    _pass(page, MAX_AGE - 60)
    assert len(failed) == 1
    _answer(page, f"{news.base}/", _feed({"title": "Mended"}))
    _pass(page, 60)
    page.get_by_text("Mended").wait_for()
    opened.settle()
    assert all("503" in fault for fault in opened.faults)
    opened.faults.clear()


def test_removed_element_asks_no_more_until_it_is_back(
    news: Site, host: Hosting, visit: Visiting
) -> None:
    page, requested = _with_clock(news, host, visit, MAX_AGE)
    element = page.locator("news-feed").element_handle()
    element.evaluate("element => element.remove()")
    _pass(page, 3 * MAX_AGE)
    assert len(requested) == 1
    with page.expect_event("requestfinished", lambda request: "feed.json" in request.url):
        element.evaluate("element => document.body.append(element)")
    assert len(requested) == 2


def test_changed_element_waits_anew(news: Site, host: Hosting, visit: Visiting) -> None:
    page, requested = _with_clock(news, host, visit, MAX_AGE)
    page.clock.fast_forward((MAX_AGE - 60) * 1000)
    with page.expect_event("requestfinished", lambda request: "feed.json" in request.url):
        page.locator("news-feed").evaluate("element => element.setAttribute('limit', 2)")
    _pass(page, MAX_AGE - 60)
    assert len(requested) == 2


def test_removed_element_ignores_what_it_asked_for(
    news: Site, host: Hosting, visit: Visiting
) -> None:
    page = visit(host("")).page
    routes: list[Route] = []
    page.route("**/feed.json*", lambda route: routes.append(route))
    with page.expect_request("**/feed.json*"):
        page.goto(host(_page(news, _element(f"{news.base}/"))))
    element = page.locator("news-feed").element_handle()
    element.evaluate("element => element.remove()")
    with page.expect_event("requestfinished", lambda request: "feed.json" in request.url):
        routes[0].continue_()
    assert element.evaluate("element => !!element.shadowRoot.querySelector('slot')")


def test_host_styles_parts_and_properties(news: Site, host: Hosting, visit: Visiting) -> None:
    style = """<style>
      body { font: 20px monospace; color: rgb(1, 2, 3) }
      news-feed { --news-accent: rgb(4, 5, 6); --news-quiet: rgb(7, 8, 9); --news-gap: 3px;
        --news-line: rgb(10, 11, 12) }
      #other { --news-font: 30px serif; --news-text: rgb(13, 14, 15) }
      news-feed::part(heading) { text-transform: uppercase }
    </style>"""
    elements = _element(f"{news.base}/", "limit=1") + _element(f"{news.base}/", "limit=1 id=other")
    page = visit(host(_page(news, elements, style))).page
    page.locator("news-feed [part=item]").nth(1).wait_for()

    def computed(selector: str, name: str, place: int = 0) -> object:
        script = f"element => getComputedStyle(element)['{name}']"
        return page.locator(f"news-feed {selector}").nth(place).evaluate(script)

    assert computed("[part=title]", "color") == "rgb(4, 5, 6)"
    assert computed("[part=meta]", "color") == "rgb(7, 8, 9)"
    assert computed("[part=item]", "paddingTop") == "3px"
    assert computed("[part=item]", "borderTopColor") == "rgb(10, 11, 12)"
    assert computed("[part=heading]", "textTransform") == "uppercase"
    # Without a word of the host, its own font and colour.
    assert computed("[part=item]", "fontSize") == "20px"
    assert computed("[part=item]", "color") == "rgb(1, 2, 3)"
    assert computed("[part=item]", "fontSize", 1) == "30px"
    assert computed("[part=item]", "color", 1) == "rgb(13, 14, 15)"
    # The picture stands beside its text, and a long summary is cut.
    assert computed("[part=item]", "display") == "flex"
    assert computed("[part=summary]", "webkitLineClamp") == "3"


def test_element_looks_like_the_frame(news: Site, host: Hosting, visit: Visiting) -> None:
    body = _element(f"{news.base}/") + _frame(f"{news.base}/embed/")
    page = visit(host(_page(news, body))).page
    _titles(page, 5)
    looks = """(elements, names) => elements.slice(0, 1).map((element) => {
      const style = getComputedStyle(element);
      return [element.textContent, ...names.map((name) => style[name])];
    })"""
    for part, selector, names in (
        ("heading] a", "h1 a", ["fontWeight", "fontSize", "textDecorationLine"]),
        ("title]", "h2 a", ["fontWeight", "fontSize", "textDecorationLine"]),
        ("meta]", "p", ["fontSize"]),
    ):
        drawn = page.locator(f"news-feed [part={part}").evaluate_all(looks, names)
        assert drawn == page.frames[1].locator(selector).evaluate_all(looks, names)


@pytest.mark.parametrize("place", ["frame", "element"])
def test_dead_picture_leaves_nothing(
    news: Site, host: Hosting, visit: Visiting, place: str
) -> None:
    opened = visit(host(""))
    opened.page.route(
        "https://pictures.example/8.png", lambda route: route.fulfill(status=404, body="gone")
    )
    body = _element(f"{news.base}/") if place == "element" else _frame(f"{news.base}/embed/")
    opened.page.goto(host(_page(news, body)))
    top = opened.page if place == "element" else opened.page.frames[1]
    top.locator("img[src$='7.png']").first.wait_for(state="attached")
    top.locator("img[src$='8.png']").wait_for(state="detached")
    assert top.locator("img").count() == 4
    assert opened.faults and all("404" in fault for fault in opened.faults)
    opened.faults.clear()


def test_frame_lets_the_page_around_it_show_through(
    news: Site, host: Hosting, visit: Visiting
) -> None:
    style = "<style>body { background: rgb(250, 240, 200) }</style>"
    frames = _frame(f"{news.base}/embed/") + _frame(f"{news.base}/embed/?theme=dark")
    # Without a script, so that both stay as high as they are.
    page = visit(host(f"<!doctype html>{style}{frames}"), dark=True).page
    shown = [b64encode(frame.screenshot()).decode() for frame in page.locator("iframe").all()]
    corners = page.evaluate(
        """async (pictures) => Promise.all(pictures.map(async (data) => {
          const image = new Image();
          image.src = `data:image/png;base64,${data}`;
          await image.decode();
          const drawing = new OffscreenCanvas(9, 9).getContext("2d");
          drawing.drawImage(image, 0, 0);
          return [...drawing.getImageData(4, 4, 1, 1).data];
        }))""",
        shown,
    )
    # A browser puts a dark ground under a dark frame on a page that is light.
    assert corners == [[250, 240, 200, 255], [18, 18, 18, 255]]


def test_element_works_under_a_strict_policy(news: Site, host: Hosting, visit: Visiting) -> None:
    policy = (
        f"default-src 'none'; script-src {news.base}; connect-src {news.base}; img-src *;"
        f" style-src 'none'; frame-src {news.base}; require-trusted-types-for 'script'"
    )
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    frame = f'<iframe src="{news.base}/embed/" height="9" title="News"></iframe>'
    page = visit(host(_page(news, _element(f"{news.base}/") + frame, head))).page
    _titles(page, 5)
    display = "element => getComputedStyle(element).display"
    assert page.locator("news-feed [part=item]").first.evaluate(display) == "flex"
    wait_until(page, "document.querySelector('iframe').clientHeight > 400")


def test_nothing_of_a_hostile_feed_runs(news: Site, host: Hosting, visit: Visiting) -> None:
    script = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    svg = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='alert(3)'/>"
    item = {
        "title": script,
        "summary": script,
        "authors": [{"name": script}],
        "date_published": script,
        "url": "javascript:alert(4)",
        "image": svg,
    }
    other = {"title": "Other", "url": " JavaScript:alert(5)", "image": "javascript:alert(6)"}
    page = visit(host("")).page
    _answer(page, f"{news.base}/", _feed(item, other, title=script))
    page.goto(host(_page(news, _element(f"{news.base}/"))))
    assert _titles(page, 2) == [script, "Other"]
    for title in page.locator("news-feed a[part=title]").all():
        title.click()
    assert page.locator("news-feed :is(li [href], img, script)").count() == 0


def test_secure_page_shows_only_secure_pictures(news: Site, host: Hosting, visit: Visiting) -> None:
    page = visit(host("")).page
    pictures = ("http://pictures.example/1.png", "https://pictures.example/2.png")
    items = [{"title": picture, "image": picture} for picture in pictures]
    _answer(page, "https://news.example/", _feed(*items))
    script = (STATIC / "embed.js").read_text(encoding="utf-8")
    html = f"<!doctype html>{_element('https://news.example/')}<script>{script}</script>"
    for address in ("http://host.example/", "https://host.example/"):
        page.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
    shown = "images => images.map((image) => image.getAttribute('src'))"
    page.goto("https://host.example/")
    _titles(page, 2)
    assert page.locator("news-feed img").evaluate_all(shown) == [pictures[1]]
    page.goto("http://host.example/")
    _titles(page, 2)
    assert page.locator("news-feed img").evaluate_all(shown) == list(pictures)


@pytest.mark.parametrize(("script", "most"), [("embed.js", 5500), ("frame.js", 1000)])
def test_script_is_small(script: str, most: int) -> None:
    assert len((STATIC / script).read_bytes()) < most


def _frame(address: str) -> str:
    return f'<iframe src="{address}" title="News" width="400" height="20"></iframe>'


@pytest.mark.parametrize("kind", ["async", 'type="module"'])
def test_frame_becomes_as_high_as_its_content(
    news: Site, host: Hosting, visit: Visiting, kind: str
) -> None:
    script = f'<script src="{news.base}/embed.js" {kind}></script>'
    page = visit(host(_frame(f"{news.base}/embed/?limit=3") + script)).page
    wait_until(page, "document.querySelector('iframe').clientHeight > 300")
    frame, height = page.frames[1], "document.documentElement.getBoundingClientRect().height"
    element = page.locator("iframe")
    assert element.evaluate("frame => frame.clientHeight") == frame.evaluate(f"Math.ceil({height})")
    frame.evaluate("document.querySelector('main').lastElementChild.remove()")
    wait_until(page, "document.querySelector('iframe').clientHeight < 300")
    assert element.evaluate("frame => frame.clientHeight") == frame.evaluate(f"Math.ceil({height})")


def test_frame_without_a_parent_sends_no_messages(news: Site, visit: Visiting) -> None:
    page = visit(news.base + "/embed/").page
    page.evaluate(
        "window.heard = []; addEventListener('message', (event) => heard.push(event.data))"
    )
    page.evaluate("document.body.append('more')")
    page.wait_for_timeout(300)
    assert page.evaluate("heard") == []


def test_frame_of_another_site_is_left_as_it_is(news: Site, host: Hosting, visit: Visiting) -> None:
    other = host(
        {
            "/embed/": _height_message("700"),
            "/pretends": _height_message("800", news.base + "/embed/"),
        }
    )
    body = _frame(other + "embed/") + _frame(other + "pretends") + _frame(news.base + "/embed/")
    page = visit(host(_page(news, body))).page
    wait_until(page, "document.querySelectorAll('iframe')[2].clientHeight > 300")
    wait_until(page, "frames[0].length === 0 && frames[1].length === 0")
    heights = "frames => frames.map((frame) => frame.clientHeight).slice(0, 2)"
    assert page.locator("iframe").evaluate_all(heights) == [20, 20]


def _height_message(height: str, src: str = "") -> str:
    """Return a page that tells its parent a height."""
    message = f'{{"context":"iframe.resize","src":"{src}","height":{height}}}'
    return f"<script>parent.postMessage('{message}', '*')</script>"


def _with_silent_frame(news: Site, host: Hosting, visit: Visiting) -> Page:
    """A page with a frame of ours that says nothing by itself; `heights` notes those it gets."""
    page = visit(host("")).page
    page.route(
        f"{news.base}/silent", lambda route: route.fulfill(body="", content_type="text/html")
    )
    page.goto(host(_page(news, _frame(f"{news.base}/silent"))))
    wait_until(page, "!!customElements.get('news-feed')")
    page.evaluate("""() => {
      window.heights = [];
      const frame = document.querySelector("iframe");
      const note = () => heights.push(frame.style.height);
      new MutationObserver(note).observe(frame, { attributes: true });
    }""")
    return page


_OTHER_MESSAGES = [
    '{"context":"iframe.resize","height":0}',
    '{"context":"iframe.resize","height":10001}',
    '{"context":"iframe.resize","height":"300"}',
    '{"context":"iframe.resize","height":null}',
    '{"context":"iframe.resize"}',
    '{"context":"other","height":300}',
    {"context": "iframe.resize", "height": 300},
    "null",
    "300",
    "no JSON",
]


def test_frame_keeps_its_height_after_other_messages(
    news: Site, host: Hosting, visit: Visiting
) -> None:
    page = _with_silent_frame(news, host, visit)
    last = '{"context":"iframe.resize","height":44.5}'
    page.frames[1].evaluate(
        "all => all.forEach((said) => parent.postMessage(said, '*'))", [*_OTHER_MESSAGES, last]
    )
    wait_until(page, "heights.includes('44.5px')")
    assert page.evaluate("heights") == ["44.5px"]


def test_messages_of_other_windows_resize_nothing(
    news: Site, host: Hosting, visit: Visiting
) -> None:
    page = _with_silent_frame(news, host, visit)
    message = '{"context":"iframe.resize","height":300}'
    page.evaluate("message => { postMessage(message, '*'); }", message)
    # Another frame of the same site, which the page does not show as one of its own.
    page.frames[1].evaluate(
        "message => { const frame = document.body.appendChild(document.createElement('iframe'));"
        " frame.contentWindow.eval(`top.postMessage('${message}', '*')`); }",
        message,
    )
    page.frames[1].evaluate('parent.postMessage(\'{"context":"iframe.resize","height":9}\', \'*\')')
    wait_until(page, "heights.includes('9px')")
    assert page.evaluate("heights") == ["9px"]


def test_frame_that_came_from_elsewhere_is_left_as_it_is(
    news: Site, host: Hosting, visit: Visiting
) -> None:
    page = _with_silent_frame(news, host, visit)
    elsewhere = host(f"<script>location.replace('{news.base}/silent')</script>")
    page.evaluate(
        """address => {
          const frame = document.createElement("iframe");
          frame.src = address;
          document.body.prepend(frame);
        }""",
        elsewhere,
    )
    wait_until(page, "document.querySelector('iframe').clientHeight === 150")
    moved = next(
        frame for frame in page.frames[1:] if frame.frame_element().get_attribute("width") is None
    )
    moved.wait_for_url(f"{news.base}/silent")
    forward = "message => parent.postMessage(message, '*')"
    moved.evaluate(forward, '{"context":"iframe.resize","height":300}')
    page.evaluate("new Promise((resolve) => setTimeout(resolve, 100))")
    assert page.locator("iframe").first.evaluate("frame => frame.style.height") == ""


def test_module_knows_our_frames_by_their_path(news: Site, host: Hosting, visit: Visiting) -> None:
    addresses = ("embed", "embed/", "embed/?limit=1#top", "embedded", "?to=/embed/", "#/embed/")
    pages = dict.fromkeys(["/", "/embed", "/embed/", "/embedded"], _height_message("77"))
    other = host(pages)
    script = f'<script src="{news.base}/embed.js" type="module"></script>'
    page = visit(host(script)).page
    wait_until(page, "!!customElements.get('news-feed')")
    frames = json.dumps("".join(_frame(other + address) for address in addresses))
    page.evaluate(f"document.body.insertAdjacentHTML('beforeend', {frames})")
    page.wait_for_load_state("networkidle")
    heights = page.locator("iframe").evaluate_all("all => all.map((frame) => frame.clientHeight)")
    assert heights == [77, 77, 77, 20, 20, 20]
