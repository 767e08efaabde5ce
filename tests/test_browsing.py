"""Pages in a real browser, as subscribers and owners of other sites use them."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import feedparser
import pytest
from reader import make_reader

from tests.browser import Hosting, Visit, Visiting, accessibility_faults, overflow, wait_until
from tests.support import ROOT, Collection, Site, article

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

SCREENSHOT = ROOT / "tests" / "golden" / "page.png"
STORIES = (
    ("A robot that learns to fold laundry by watching people do it badly", "Quanta", "Robotics"),
    ("Regulators weigh rules for models that write software", "Reuters", "Law"),
    ("Satellites map every tree outside a forest, and find a billion more", "BBC News", "Climate"),
    ("Why the chips in hospital scanners are running short", "Wired", "Health"),
    ("Court rules that training data is not a licence", "The Guardian", "Law"),
    ("How a village in Wales kept its bus by writing its own timetable", "RNZ", "Transport"),
    ("The quiet return of the open web", "Ars Technica", "Publishing"),
)


@pytest.fixture
def shop(collection: Collection, serve: Callable[[Collection], Site]) -> Site:
    """Stories of seven topics and providers, all of them on AI too, a day apart."""
    for number, (title, provider, topic) in enumerate(STORIES):
        domain = provider.lower().replace(" ", "") + ".example"
        picture = f'images:\n  - url: "https://images.example/{number}.svg"\n'
        other, paper, _ = STORIES[number - 1]
        related = (
            f'related:\n  - title: "{other}"\n    webUrl: "https://r.example/{number}"\n'
            f'    quality: 80\n    provider:\n      name: "{paper}"\n'
        )
        text = article(
            title,
            quality=90 - 5 * number,
            time=f"2020-05-{18 - number}T06:00:00Z",
            url=f"https://{domain}/{number}",
            topics=("AI", topic),
            provider=provider,
            domain=domain,
            more=picture + (related if number % 2 else ""),
        )
        about = "What happened, who says so, and what may come of it: the story in two sentences."
        collection.write(f"{number}.md", text.replace(f"About {title}.", about))
    return serve(collection)


def address(visit: Visit) -> str:
    """The address that the builder gives."""
    return visit.page.get_by_role("textbox", name="Atom").last.input_value()


def test_address_of_a_feed_is_selected_by_a_click_and_wraps(shop: Site, visit: Visiting) -> None:
    for javascript in (True, False):
        page = visit(shop.base + "/topics/law/", javascript=javascript).page
        page.get_by_role("radio", name="RSS").check()
        shown = [code for code in page.locator(".address code").all() if code.is_visible()]
        assert [code.inner_text() for code in shown] == [f"{shop.base}/topics/law/feed.rss"]
        (code,) = shown
        code.click()
        assert page.evaluate("getSelection().toString()") == code.inner_text()
        cut = "(field) => [field.scrollWidth - field.clientWidth, getComputedStyle(field).overflow]"
        assert code.evaluate(cut) == [0, "visible"]


STORY_PLACE = """() => {
  const story = document.querySelector("[role=article]");
  const link = story.querySelector("h2 a, h3 a");
  return { top: story.getBoundingClientRect().top, isReached: document.activeElement === link };
}"""


@pytest.mark.parametrize(("width", "top"), [(1280, 300), (390, 420)])
@pytest.mark.parametrize("path", ["/", "/topics/ai/"])
def test_first_story_is_near_the_top_and_few_stops_away(
    shop: Site, visit: Visiting, width: int, top: int, path: str
) -> None:
    page = visit(shop.base + path, width=width).page
    assert page.evaluate(STORY_PLACE)["top"] <= top
    stops = 0
    while not page.evaluate(STORY_PLACE)["isReached"] and stops < 10:
        page.keyboard.press("Tab")
        stops += 1
    # The last stop is the story's own.
    assert stops <= 8 + 1


def test_skip_link_leads_past_the_header(shop: Site, visit: Visiting) -> None:
    page = visit(shop.base + "/topics/").page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "find"


def test_subscribe_button_of_a_phone_unfolds_the_address(shop: Site, visit: Visiting) -> None:
    page = visit(shop.base + "/topics/ai/", width=390, javascript=False).page
    assert not page.locator("#address-atom").is_visible()
    page.locator("summary", has_text="Subscribe").click()
    assert page.locator("#address-atom").is_visible()
    page.get_by_text("In a web reader or an app").click()
    assert page.get_by_role("link", name="In an app on this device").is_visible()


def test_reader_subscribes_to_the_address_of_a_page(shop: Site, visit: Visiting) -> None:
    page = visit(shop.base + "/topics/law/").page
    found = page.eval_on_selector("link[rel=alternate]", "(link) => link.href")
    with make_reader(":memory:") as reader:
        reader.add_feed(found)
        reader.update_feeds()
        assert {entry.title for entry in reader.get_entries()} == {STORIES[1][0], STORIES[4][0]}


def test_copy_button_copies_the_address(shop: Site, visit: Visiting) -> None:
    page = visit(shop.base + "/topics/ai/").page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for name, file in (("Atom", "feed.atom"), ("RSS", "feed.rss"), ("JSON Feed", "feed.json")):
        page.get_by_role("radio", name=name).check()
        page.get_by_role("button", name=f"Copy {name}", exact=True).click()
        page.get_by_role("button", name=f"Copied {name}", exact=True).wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == f"{shop.base}/topics/ai/{file}"
        assert page.get_by_role("status").last.inner_text() == f"Copied {name}"
        assert page.evaluate("document.activeElement.textContent") == f"Copied {name}"


def test_copy_button_works_without_the_clipboard_of_secure_pages(
    shop: Site, visit: Visiting
) -> None:
    page = visit(shop.base + "/topics/ai/").page
    page.context.grant_permissions(["clipboard-read"])
    page.evaluate("navigator.clipboard.writeText = undefined")
    page.get_by_role("radio", name="RSS").check()
    page.get_by_role("button", name="Copy RSS").click()
    page.get_by_role("button", name="Copied RSS").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{shop.base}/topics/ai/feed.rss"


def test_dead_picture_leaves_no_gap(shop: Site, visit: Visiting) -> None:
    opened = visit("about:blank")
    opened.page.route("https://images.example/0.svg", lambda route: route.fulfill(status=404))
    opened.page.goto(shop.base + "/topics/ai/")
    story = opened.page.locator("[role=article]").first
    story.locator("img").wait_for(state="detached")
    assert story.locator(".picture").count() == 0
    assert opened.page.locator("[role=article] img").count() == 6
    assert all("404" in fault for fault in opened.faults)
    opened.faults.clear()


def test_paper_shows_no_controls(shop: Site, visit: Visiting) -> None:
    page = visit(shop.base + "/").page
    page.emulate_media(media="print")
    assert page.get_by_role("link", name=STORIES[0][0]).first.is_visible()
    for control in page.locator("button, input, summary, nav, form").all():
        assert not control.is_visible()
    assert page.locator(".address code").first.is_visible()


def test_names_are_found_as_one_types(shop: Site, visit: Visiting) -> None:
    page = visit(shop.base + "/").page
    topics, providers = page.locator("#topics li a"), page.locator("#providers li a")
    assert (topics.count(), providers.count()) == (7, 7)
    page.get_by_role("searchbox", name="Find a topic").press_sequentially("q")
    page.get_by_text("None of that name.").wait_for()
    assert (topics.count(), providers.all_inner_texts()) == (0, ["Quanta"])
    assert page.get_by_role("status").last.inner_text() == "1 found"
    page.get_by_role("searchbox", name="Find a topic").fill("")
    topics.nth(6).wait_for()
    assert page.url == shop.base + "/"


def test_builder_follows_each_choice(shop: Site, visit: Visiting) -> None:
    opened = visit(shop.base + "/")
    page = opened.page
    assert address(opened) == f"{shop.base}/feed.atom"
    assert page.locator("#rate").inner_text() == "7.0"
    with page.expect_response(re.compile("/build/")):
        page.get_by_role("checkbox", name="AI").check()
    with page.expect_response(re.compile("/build/")):
        page.get_by_label("Exclude: A topic or provider").fill("the guardian")
        page.keyboard.press("Enter")
    page.get_by_role("checkbox", name="The Guardian", checked=True).wait_for()
    assert page.get_by_label("Exclude: A topic or provider").input_value() == ""
    chosen = f"{shop.base}/topics/ai/feed.atom?exclude=theguardian.example"
    assert address(opened) == chosen
    assert page.locator("#rate").inner_text() == "6.0"
    with page.expect_response(re.compile("/build/")):
        page.get_by_role("slider").focus()
        for _ in range(17):
            page.keyboard.press("ArrowRight")
        # At once, before the server says so too.
        assert page.locator("#cut").inner_text() == "77"
        assert page.locator("#rate").inner_text() == "3.0"
    page.locator(f"#built-atom[value='{chosen}&min_quality=77']").wait_for()
    assert page.locator("#rate").inner_text() == "3.0"
    entries = feedparser.parse(address(opened)).entries
    assert [entry.title for entry in entries] == [STORIES[n][0] for n in (0, 1, 2)]
    with page.expect_navigation():
        page.get_by_role("link", name="See its page").click()
    assert page.locator("[role=article] h2").all_inner_texts() == [STORIES[n][0] for n in (0, 1, 2)]


def test_builder_keeps_what_is_chosen_while_the_server_is_slow(shop: Site, visit: Visiting) -> None:
    opened = visit(shop.base + "/build/")
    page = opened.page
    page.evaluate(
        """() => {
          const fetched = fetch;
          window.fetch = async (...asked) => {
            const response = await fetched(...asked);
            await new Promise((later) => setTimeout(later, 300));
            return response;
          };
        }"""
    )
    page.get_by_role("checkbox", name="AI").check()
    # The first answer comes after the second choice, and before that is asked for.
    page.wait_for_timeout(400)
    page.get_by_role("checkbox", name="Law").check()
    page.locator(f"#built-atom[value='{shop.base}/feed.atom?topic=ai&topic=law']").wait_for()
    assert page.locator("input:checked").count() == 2


def test_builder_leaves_the_focus_where_it_is(shop: Site, visit: Visiting) -> None:
    opened = visit(shop.base + "/build/")
    page = opened.page
    page.get_by_role("checkbox", name="Law").focus()
    with page.expect_response(re.compile("/build/")):
        page.keyboard.press("Space")
    page.locator(f"#built-atom[value='{shop.base}/topics/law/feed.atom']").wait_for()
    page.keyboard.press("Space")
    page.locator(f"#built-atom[value='{shop.base}/feed.atom']").wait_for()
    assert page.locator("input:checked").count() == 0


def test_builder_agrees_with_itself_after_going_back(shop: Site, visit: Visiting) -> None:
    opened = visit(shop.base + "/build/")
    page = opened.page
    page.get_by_role("checkbox", name="Law").check()
    chosen = page.locator(f"#built-atom[value='{shop.base}/topics/law/feed.atom']")
    chosen.wait_for()
    with page.expect_navigation():
        page.get_by_role("link", name="See its page").click()
    page.go_back()
    # What a browser fills in again is its own affair, and it goes by places on the page.
    page.wait_for_load_state("networkidle")
    boxes = {"Law": "/topics/law/", "AI": "/topics/ai/"}
    checked = [path for name, path in boxes.items() if box(page, name).is_checked()]
    path = checked[0] if checked else "/"
    page.locator(f"#built-atom[value='{shop.base}{path}feed.atom']").wait_for()


def box(page: Page, name: str) -> Locator:
    return page.get_by_role("checkbox", name=name, exact=True)


def test_builder_says_what_it_does_not_know_and_offers_no_stale_address(
    shop: Site, visit: Visiting
) -> None:
    opened = visit(shop.base + "/build/")
    page = opened.page
    field = page.get_by_label("Exclude: A topic or provider")
    field.fill("Guardain")
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert").filter(has_text="There is no topic or provider “Guardain”.")
    alert.wait_for()
    assert field.input_value() == "Guardain"
    assert not page.locator("#result").is_visible()
    assert len(opened.faults) == 1 and "404" in opened.faults.pop()
    field.fill("wired.example")
    page.keyboard.press("Enter")
    page.locator("#result").wait_for()
    assert address(opened) == f"{shop.base}/feed.atom?exclude=wired.example"
    assert alert.count() == 0


def test_builder_offers_what_may_have_been_meant(shop: Site, visit: Visiting) -> None:
    for javascript in (True, False):
        opened = visit(shop.base + "/build/?topic=law", javascript=javascript)
        page = opened.page
        page.get_by_label("Exclude: A topic or provider").fill("The Guardain")
        page.keyboard.press("Enter")
        offer = page.get_by_role("link", name="The Guardian")
        offer.wait_for()
        if javascript:
            assert accessibility_faults(page) == []
        with page.expect_navigation():
            offer.click()
        assert address(opened) == f"{shop.base}/topics/law/feed.atom?exclude=theguardian.example"
        assert len(opened.faults) == 1 and "404" in opened.faults.pop()


def test_choices_survive_a_reload(shop: Site, visit: Visiting) -> None:
    opened = visit(shop.base + "/build/")
    page = opened.page
    box(page, "Law").check()
    page.wait_for_url(f"{shop.base}/build/?topic=law")
    page.reload()
    assert box(page, "Law").is_checked()
    assert address(opened) == f"{shop.base}/topics/law/feed.atom"
    # The form on another page leaves the address of that page alone.
    page.goto(shop.base + "/")
    box(page, "Law").check()
    page.locator(f"#built-atom[value='{shop.base}/topics/law/feed.atom']").wait_for()
    assert page.url == shop.base + "/"


def test_slider_goes_where_there_is_nothing_to_choose(shop: Site, visit: Visiting) -> None:
    opened = visit(shop.base + "/build/")
    page = opened.page
    box(page, "Climate").check()
    page.get_by_text("All of these stories have quality 80.").wait_for()
    assert not page.get_by_role("slider").is_visible()
    box(page, "Climate").uncheck()
    page.get_by_role("slider").wait_for()


def test_builder_says_that_the_server_does_not_answer(shop: Site, visit: Visiting) -> None:
    opened = visit(shop.base + "/build/")
    opened.page.context.set_offline(True)
    opened.page.get_by_role("checkbox", name="Law").check()
    opened.page.get_by_role("alert").filter(has_text="does not answer").wait_for()
    assert opened.faults
    opened.faults.clear()


def test_builder_works_without_a_script(shop: Site, visit: Visiting) -> None:
    opened = visit(shop.base + "/", javascript=False)
    page = opened.page
    assert not page.get_by_role("button", name="Copy Atom").first.is_visible()
    page.get_by_role("checkbox", name="Law").check()
    page.get_by_label("Exclude: A topic or provider").fill("Reuters")
    page.get_by_role("button", name="Make the feed").click()
    assert page.url == f"{shop.base}/build/?exclude=reuters.example&topic=law"
    page.get_by_role("checkbox", name="Reuters", checked=True).uncheck()
    page.get_by_role("button", name="Make the feed").click()
    assert address(opened) == f"{shop.base}/topics/law/feed.atom"
    page.goto(shop.base + "/")
    page.get_by_role("searchbox", name="Find a topic").fill("quan")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("#providers li a").all_inner_texts() == ["Quanta"]


@pytest.mark.parametrize("path", ["/", "/topics/ai/", "/build/"])
def test_colours_follow_the_system(shop: Site, visit: Visiting, path: str) -> None:
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    colours = [visit(shop.base + path, dark=dark).page.evaluate(paper) for dark in (False, True)]
    assert colours == ["rgb(253, 252, 250)", "rgb(22, 23, 26)"]


@pytest.mark.parametrize(("theme", "inks"), [("", "LL"), ("dark", "DD"), ("auto", "LD")])
def test_frame_is_light_unless_another_theme_is_chosen(
    shop: Site, visit: Visiting, theme: str, inks: str
) -> None:
    ink = "getComputedStyle(document.body).color"
    frame = f"{shop.base}/topics/ai/embed/" + (f"?theme={theme}" if theme else "")
    found = [visit(frame, dark=dark).page.evaluate(ink) for dark in (False, True)]
    known = {"L": "rgb(27, 28, 32)", "D": "rgb(236, 234, 230)"}
    assert found == [known[letter] for letter in inks]


def test_embed_block_has_three_ways_and_a_live_preview(shop: Site, visit: Visiting) -> None:
    page = visit(shop.base + "/topics/law/").page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_text("Embed", exact=True).click()
    for name in ("A frame", "An element in your page's own style", "oEmbed"):
        page.get_by_role("button", name=f"Copy {name}").click()
        page.get_by_role("button", name=f"Copied {name}").wait_for()
        assert f"{shop.base}/topics/law/" in page.evaluate("navigator.clipboard.readText()")
    preview = page.frame_locator("iframe[title='Preview of the frame']")
    preview.get_by_role("link", name=STORIES[1][0]).wait_for()


def test_code_and_preview_follow_what_is_chosen_for_them(shop: Site, visit: Visiting) -> None:
    page = visit(shop.base + "/topics/law/?exclude=climate&q=court%20rul%2A").page
    page.get_by_text("Embed", exact=True).click()
    frame, element = page.locator("#embed-frame"), page.locator("#embed-element")
    usual = frame.input_value()
    page.get_by_label("Theme of the frame").select_option("Dark")
    page.get_by_label("Number of stories").fill("2")
    page.get_by_label("Width of the frame in pixels").fill("400")
    page.get_by_label("Pictures").uncheck()
    made = frame.input_value()
    query = "?exclude=climate&amp;images=0&amp;limit=2&amp;q=court%20rul%2A&amp;theme=dark"
    assert f'src="{shop.base}/topics/law/embed/{query}"' in made
    assert 'width="400" height="224"' in made
    assert 'limit="2" images="0">' in element.input_value()
    preview = page.locator("#embed-preview")
    assert [preview.get_attribute(name) for name in ("width", "height")] == ["400", "224"]
    page.frame_locator("#embed-preview").locator("[data-theme=dark] .plain").wait_for()
    # What is no number changes nothing.
    page.get_by_label("Number of stories").fill("0")
    assert frame.input_value() == made
    page.get_by_label("Theme of the frame").select_option("Light")
    page.get_by_label("Number of stories").fill("5")
    page.get_by_label("Width of the frame in pixels").fill("")
    page.get_by_label("Pictures").check()
    assert frame.input_value() == usual


def test_snippets_of_a_page_work_in_other_sites(shop: Site, visit: Visiting, host: Hosting) -> None:
    page = visit(shop.base + "/topics/law/?q=sto%2A%20two").page
    ways = [page.locator(f"#embed-{way}").input_value() for way in ("frame", "element")]
    answer = shop.client.get("/oembed", params={"url": page.locator("#embed-page").input_value()})
    for snippet in (*ways, answer.json()["html"]):
        other = visit(host(f"<!doctype html><title>x</title><h1>Another site</h1>{snippet}")).page
        for story in (STORIES[1], STORIES[4]):
            if "iframe" in snippet:
                stories = other.frame_locator("iframe").get_by_role("link", name=story[0])
            else:
                stories = other.locator("news-feed").get_by_role("link", name=story[0])
            stories.wait_for()
        # Each asks for the one address at once. A frame is listed when all of it is loaded.
        listed = "performance.getEntriesByType('resource')"
        wait_until(other, f"{listed}.some(({{ name }}) => name.endsWith('q=sto%2A%20two'))")


def test_frame_takes_the_height_that_its_snippet_gives_it(shop: Site, visit: Visiting) -> None:
    for path, stories in (
        ("/topics/ai/embed/", 5 * 97),
        ("/topics/law/embed/?limit=2", 2 * 97),
        ("/topics/ai/embed/?images=0", 5 * 80),
    ):
        for width in (320, 600):
            page = visit(shop.base + path, width=width).page
            height = page.evaluate("document.documentElement.getBoundingClientRect().height")
            assert height == 64 + stories
            lowest = (
                "[...document.querySelectorAll('.row p')].map((p) => p.getBoundingClientRect())"
            )
            rows = (
                "[...document.querySelectorAll('.row')].map((row) => row.getBoundingClientRect())"
            )
            ends = page.evaluate(f"[{lowest}, {rows}].map((all) => all.map((box) => box.bottom))")
            assert all(text <= row for text, row in zip(*ends, strict=True))
            assert overflow(page) == 0


@pytest.mark.parametrize("path", ["/", "/topics/ai/", "/build/", "/archive/", "/feed.atom"])
def test_other_pages_refuse_to_stand_in_other_sites(
    shop: Site, visit: Visiting, host: Hosting, path: str
) -> None:
    opened = visit(
        host(f"<!doctype html><title>x</title><iframe src='{shop.base}{path}'></iframe>")
    )
    (framed,) = opened.page.frames[1:]
    assert not framed.url.startswith(shop.base)
    assert [fault for fault in opened.faults if "frame-ancestors" in fault]
    opened.faults.clear()


def test_titles_of_hostile_names_do_not_leave_their_attributes(
    collection: Collection, serve: Callable[[Collection], Site], visit: Visiting, host: Hosting
) -> None:
    name = '\\"><script>window.pwned = 1</script>'
    collection.write("one.md", article(topics=(name,), provider=name))
    site = serve(collection)
    page = visit(site.base + "/providers/example.org/").page
    shown = page.locator("#embed-element").input_value()
    other = visit(host(f"<!doctype html><title>x</title>{shown}")).page
    other.locator("news-feed").get_by_role("link", name="A title").wait_for()
    assert other.evaluate("window.pwned") is None


def _picture(route: Route) -> None:
    """A picture of its own for each story of the screenshot."""
    number = int(Path(route.request.url).stem)
    hue = 25 + 47 * number % 360
    route.fulfill(
        content_type="image/svg+xml",
        body=f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 168 112">
<rect width="168" height="112" fill="hsl({hue} 42% 78%)"/>
<circle cx="{40 + 13 * number}" cy="38" r="20" fill="hsl({hue} 60% 92%)"/>
<path d="M0 112 L{50 + 8 * number} 52 L110 112Z" fill="hsl({hue} 38% 48%)"/>
<path d="M60 112 L{120 + 4 * number} 66 L168 104V112Z" fill="hsl({hue} 40% 36%)"/></svg>""",
    )


def test_screenshot_of_the_readme_is_that_of_a_page(
    shop: Site, visit: Visiting, tmp_path: Path
) -> None:
    """`RENEW_GOLDEN=1` makes it anew."""
    opened = visit("about:blank", width=1280, height=860)
    page = opened.page
    page.route("https://images.example/*", _picture)
    page.goto(shop.base + "/topics/ai/")
    page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
    made = page.screenshot(path=tmp_path / "page.png")
    if os.environ.get("RENEW_GOLDEN"):
        SCREENSHOT.write_bytes(made)
    known = SCREENSHOT.read_bytes()
    # Fonts differ among machines, so they are compared from afar.
    difference = visit("about:blank").page.evaluate(
        """async (pictures) => {
          const far = await Promise.all(pictures.map(async (data) => {
            const image = new Image();
            image.src = `data:image/png;base64,${data}`;
            await image.decode();
            const drawing = new OffscreenCanvas(64, 43).getContext("2d");
            drawing.imageSmoothingQuality = "high";
            drawing.drawImage(image, 0, 0, 64, 43);
            return [image.width, ...drawing.getImageData(0, 0, 64, 43).data];
          }));
          if (far[0][0] !== far[1][0]) return 255;
          const apart = far[0].map((value, at) => Math.abs(value - far[1][at]));
          return apart.reduce((sum, value) => sum + value) / apart.length;
        }""",
        [b64encode(picture).decode() for picture in (made, known)],
    )
    assert difference < 6


def test_hebrew_pages_run_from_right_to_left(
    make_collection: Callable[..., Collection],
    serve: Callable[[Collection], Site],
    visit: Visiting,
) -> None:
    collection = make_collection(language="he")
    for quality in (60, 80, 80):
        collection.write(f"{quality}.md", article(quality=quality))
    page = visit(serve(collection).base + "/", width=390).page
    assert overflow(page) == 0
    page.locator("summary", has_text="הרשמה").click()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="העתקה Atom").first.click()
    page.get_by_role("button", name="הועתק Atom").first.wait_for()
    # A name in Latin letters stands at the right too.
    reach = """(heading) => {
      const range = document.createRange();
      range.selectNodeContents(heading);
      return heading.getBoundingClientRect().right - range.getBoundingClientRect().right;
    }"""
    assert page.locator("h1").evaluate(reach) == 0
    # The least quality is at the right, in the plot as at the slider.
    assert page.locator("#plot svg").evaluate("(plot) => getComputedStyle(plot).scale") == "-1 1"
