"""Searching the site, as people and browsers do it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import quote, urljoin

import httpx
import pytest
from lxml import etree, html

from feeds.config import Config
from feeds.formats import FORMATS
from tests.browser import Visiting, accessibility_faults
from tests.support import BASE, SEEDS, Collection, Site, article
from tests.test_errors import BROWSER

OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
#: A search of each fault, and what its field says.
FAULTS = {
    "ab*": "Write at least 3 letters before a *.",
    "a b c d e f g h i j k": "Leave some words out: a search has at most 10.",
    "🎉": "Write a word, which has letters or digits.",
    "x" * 201: "Shorten it to 200 characters.",
}
GREEK = ("alpha", "beta", "gamma", "delta")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Stories on a few topics; only to be read."""
    folder = tmp_path_factory.mktemp("library")
    database = f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3"
    collection = Collection(folder, Config(articles=folder, database=database))
    collection.write("one.md", article("Clearview in court", topics=("Law", "Police")))
    collection.write("two.md", article("Trees & <leaves>", topics=("Climate",)))
    for left_out in GREEK:
        title = " ".join(word for word in GREEK if word != left_out)
        collection.write(f"{left_out}.md", article(title, topics=("Letters",)))
    site = Site(collection)
    yield site
    site.close()


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One public article and four others."""
    database = f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3"
    site = Site(Collection(SEEDS, Config(articles=SEEDS, database=database)))
    yield site
    site.close()


def page_of(response: httpx.Response, status: int = 200) -> html.HtmlElement:
    """A page that came with a status."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return html.fromstring(response.text)


def field(page: html.HtmlElement) -> html.HtmlElement:
    """The field of the header in which one searches the site."""
    (found,) = page.xpath("//header//form[@role='search']//input[@name='q']")
    return found


@pytest.mark.parametrize(
    ("path", "held"),
    [
        *((path, "") for path in ("/", "/topics/", "/topics/law/", "/build/", "/archive/")),
        ("/?q=clearview%20court", "clearview court"),
        ("/topics/law/?q=%22in%20court%22", '"in court"'),
        ("/providers/example.org/archive/2020-05/?q=clearview", "clearview"),
    ],
)
def test_every_page_has_a_field_that_searches_the_whole_site(
    library: Site, path: str, held: str
) -> None:
    page = page_of(library.get(path))
    form = field(page).getparent()
    assert urljoin(library.base + path, form.get("action")) == f"{library.base}/"
    assert (field(page).get("value"), form.get("method", "get")) == (held, "get")
    assert field(page).get("aria-label") == "Search News"


def test_results_are_a_page_that_can_be_subscribed_to(library: Site) -> None:
    page = page_of(library.get("/?q=clearview%20court"))
    assert page.findtext(".//title") == "“clearview court” · News"
    assert page.findtext(".//h1") == "“clearview court”"
    shown = page.xpath("//*[@role='article']//h2/a/text()")
    assert shown == ["Clearview in court"]
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]
    feed = f"{library.base}/feed.atom?q=clearview%20court"
    assert page.xpath("//code[@id='address-atom']/text()") == [feed]


@pytest.mark.parametrize("path", ["/", "/topics/law/", "/archive/2020-05/", "/archive/"])
@pytest.mark.parametrize("search", FAULTS)
def test_search_that_cannot_be_made_says_at_its_field_what_to_do(
    library: Site, path: str, search: str
) -> None:
    address = f"{path}?q={quote(search)}"
    page = page_of(library.get(address, accept=BROWSER), 400)
    assert page.findtext(".//h1") == "This search cannot be made"
    assert field(page).get("value") == search
    assert field(page).get("aria-invalid") == "true"
    described = page.get_element_by_id(field(page).get("aria-describedby") or "")
    assert described.text == FAULTS[search]
    line = library.get(address)
    assert line.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert line.text.startswith("400 Bad Request: q ") and line.text.count("\n") == 1


@pytest.mark.parametrize(
    ("sent", "answered"),
    [("/?q=", "/"), ("/?q=+", "/"), ("/?q=Clearview++Court", "/?q=clearview%20court")],
)
def test_form_leads_to_the_one_address_of_its_search(
    library: Site, sent: str, answered: str
) -> None:
    response = library.get(sent)
    assert (response.status_code, response.headers["Location"]) == (301, library.base + answered)
    assert library.get(answered).status_code == 200


@pytest.mark.parametrize(
    ("path", "said", "suggested"),
    [
        ("/?q=nothing", "Nothing found for “nothing”.", {}),
        ("/?q=polce", "Nothing found for “polce”.", {"Police": "/topics/police/"}),
        ("/?q=-about%20-example", "Nothing found for “-about -example”.", {}),
        ("/?q=%22court%20clearview%22", "Nothing found for “court clearview”.", {}),
        (
            "/topics/law/?q=court%20clearview%20climte%20-trees",
            "Nothing found for “court clearview climte -trees”.",
            {"“court clearview -trees” in Law": "/topics/law/?q=court%20clearview%20-trees"},
        ),
        (
            "/?q=%22exampel%20org%22%20-y",
            'Nothing found for “"exampel org" -y”.',
            {"Example": "/providers/example.org/"},
        ),
        # Databases take long for beginnings of words, so they are not tried again.
        ("/?q=clear%2A%20zzz%20court", "Nothing found for “clear* zzz court”.", {}),
        # One less of these four finds a story each time.
        (
            "/?q=alpha%20beta%20gamma%20delta",
            "Nothing found for “alpha beta gamma delta”.",
            {
                "“beta gamma delta”": "/?q=beta%20gamma%20delta",
                "“alpha gamma delta”": "/?q=alpha%20gamma%20delta",
                "“alpha beta delta”": "/?q=alpha%20beta%20delta",
            },
        ),
    ],
)
def test_search_without_results_suggests_others(
    library: Site, path: str, said: str, suggested: dict[str, str]
) -> None:
    page = page_of(library.get(path))
    assert page.xpath("//*[@class='body']/p/text()") == [said]
    links = page.xpath("//*[@class='body']//*[@class='names']//a")
    assert {link.text: urljoin(path, link.get("href")) for link in links} == suggested
    feed = library.get(path.replace("?", "feed.json?"))
    assert (feed.status_code, feed.json()["items"]) == (200, [])


def test_builder_has_a_field_of_words(library: Site) -> None:
    (form,) = page_of(library.get("/build/?topic=law")).find_class("builder")
    form.fields["q"] = "Clearview  -trees"
    answer = library.client.get("/build/", params=form.form_values(), follow_redirects=True)
    assert str(answer.url) == f"{library.base}/build/?q=clearview%20-trees&topic=law"
    (form,) = page_of(answer).find_class("builder")
    assert form.fields["q"] == "clearview -trees"
    feed = f"{library.base}/topics/law/feed.atom?q=clearview%20-trees"
    assert form.xpath(".//input[@id='built-atom']/@value") == [feed]
    form.fields["q"] = ""
    answer = library.client.get("/build/", params=form.form_values(), follow_redirects=True)
    assert str(answer.url) == f"{library.base}/build/?topic=law"


@pytest.mark.parametrize("search", FAULTS)
def test_builder_says_at_the_field_of_words_what_to_do(library: Site, search: str) -> None:
    page = page_of(library.get(f"/build/?topic=law&q={quote(search)}&exclude=nope"), 400)
    (form,) = page.find_class("builder")
    assert (form.fields["q"], form.xpath(".//input[@checked]/@value")) == (search, ["law"])
    fault = page.get_element_by_id("fault-q")
    assert fault.text_content().strip() == FAULTS[search]
    (words,) = (each for each in form.iter("input") if each.get("name") == "q")
    assert "fault-q" in (words.get("aria-describedby") or "").split()
    assert page.get_element_by_id("result").get("hidden") is not None


def test_browsers_find_the_search_of_the_site(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    title = "Süd & <Nord> weekly news"
    kind = "application/opensearchdescription+xml"
    site = serve(make_collection(title=title, language="de", base_url=f"{BASE}/under"))
    for path in ("/", "/topics/", "/nowhere"):
        page = html.fromstring(site.get(path, accept=BROWSER).text)
        (link,) = (link for link in page.iter("link") if link.get("rel") == "search")
        assert (link.get("type"), link.get("title")) == (kind, title)
        described = urljoin(f"{BASE}/under{path}", link.get("href") or "")
        assert described == f"{BASE}/under/opensearch.xml"
    answer = site.get("/opensearch.xml")
    assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert site.get("/opensearch.xml", if_none_match=answer.headers["ETag"]).status_code == 304
    root = etree.fromstring(answer.content)
    # The specification allows 16 characters.
    assert root.findtext(f"{OPENSEARCH}ShortName") == "Süd & <Nord> wee"
    assert root.findtext(f"{OPENSEARCH}Description") == f"{title} durchsuchen"
    assert root.findtext(f"{OPENSEARCH}InputEncoding") == "UTF-8"
    assert root.findtext(f"{OPENSEARCH}Language") == "de"
    assert root.findtext(f"{OPENSEARCH}Image") == f"{BASE}/under/favicon.ico"
    urls = {url.get("type"): url.get("template") for url in root.iter(f"{OPENSEARCH}Url")}
    assert urls == {
        "text/html": f"{BASE}/under/?q={{searchTerms}}",
        "application/atom+xml": f"{BASE}/under/feed.atom?q={{searchTerms}}",
        "application/rss+xml": f"{BASE}/under/feed.rss?q={{searchTerms}}",
        kind: f"{BASE}/under/opensearch.xml",
    }


@pytest.mark.parametrize("search", ["clearview", "stocktake%20trial", "%22police%20stocktake%22"])
def test_search_of_the_seeds_finds_the_public_story_in_every_format(
    seeds: Site, search: str
) -> None:
    title = "Police 'stocktake' surveillance tech after Clearview AI facial recognition trial"
    for at in ("/", "/topics/ai/", "/providers/rnz.co.nz/"):
        files = ["", "embed/", *(form.file for form in FORMATS.values())]
        for file in (*files, *(f"archive/2020-05.{suffix}" for suffix in FORMATS)):
            answer = seeds.get(f"{at}{file}?q={search}")
            assert answer.status_code == 200
            assert title in unescape(answer.text), file
    nothing = seeds.get("/feed.json?q=stocktake%20-trial")
    assert (nothing.status_code, nothing.json()["items"]) == (200, [])


#: Addresses at which a word is searched for.
SEARCHES = (
    *("/?q={}", "/feed.atom?q={}", "/feed.rss?q={}", "/feed.json?q={}", "/archive/?q={}"),
    *("/topics/ai/?q={}", "/providers/rnz.co.nz/feed.json?q={}", "/embed/?q={}"),
    *("/?q={}%20clearview", "/?q=-{}%20clearview", "/?q={}%2A%20stocktake%20trial"),
    *(
        "/build/?q={}",
        "/build/?q={}&topic=ai",
        "/archive/2021-04/?q={}",
        "/archive/2021-04.atom?q={}",
    ),
    "/oembed?url={base}%2Ffeed.atom%3Fq%3D{}",
)


@pytest.mark.parametrize("address", SEARCHES)
def test_word_of_hidden_articles_is_answered_as_one_that_stands_nowhere(
    seeds: Site, address: str
) -> None:
    answers = []
    for word in ("biometrics", "zzzzzzzzzz"):
        answer = seeds.get(address.replace("{}", word).replace("{base}", quote(seeds.base)))
        lasting = {
            name: value.replace(word, "")
            for name, value in answer.headers.items()
            if name.lower() not in ("date", "etag", "x-request-id")
        }
        # The id of a feed is made of all that its selection has.
        text = re.sub("urn:uuid:[0-9a-f-]+", "", answer.text.replace(word, ""))
        answers.append((answer.status_code, text, lasting))
    assert answers[0] == answers[1]


#: Searches that try to be something else, and whether one can be made of them.
HOSTILE = {
    "<script>alert(1)</script>": True,
    "'\"><img src=x onerror=alert(1)>": True,
    "{searchTerms} {{ 7 * 7 }} %(words)s": True,
    "a\0b\x1bc": True,
    "\u202eabc\u200f \u2066def": True,
    "\ud7ff\ue001 x\ufffe": True,
    "x" * 200: True,
    "&amp; AND OR NOT NEAR(a b)": True,
    "' UNION SELECT 1 --": True,
    "🎉 🎉": False,
    "x " * 10: True,
    "x " * 99: False,
}


@pytest.mark.parametrize("search", HOSTILE)
def test_hostile_search_is_shown_and_not_run(library: Site, search: str) -> None:
    status = 200 if HOSTILE[search] else 400
    oembed = f"/oembed?url={quote(f'{library.base}/?q={quote(search)}', safe='')}"
    for path in ("/", "/topics/law/", "/build/", "/embed/", "/archive/", "/archive/2020-05/"):
        address = f"{path}?q={quote(search)}"
        answer = library.client.get(address, headers={"accept": BROWSER}, follow_redirects=True)
        # A month may have no such stories.
        assert answer.status_code in (status, 404 if "2020" in path else status), path
        page = html.fromstring(answer.text)
        assert not page.xpath("//img[@onerror] | //script[not(@src or @type)]")
        assert "<script>alert" not in answer.text
    for name in FORMATS:
        answer = library.client.get(f"/feed.{name}?q={quote(search)}", follow_redirects=True)
        assert answer.status_code == status
        if name != "json" and status == 200:
            etree.fromstring(answer.content)
    assert library.get(oembed).status_code == (200 if status == 200 else 404)


@pytest.mark.slow
def test_person_finds_a_story_by_words(library: Site, visit: Visiting) -> None:
    page = visit(f"{library.base}/topics/climate/", javascript=False).page
    searched = page.get_by_role("searchbox", name="Search News")
    searched.fill("Clearview “in court”")
    searched.press("Enter")
    page.get_by_role("link", name="Clearview in court").wait_for()
    assert page.url == f"{library.base}/?q=clearview%20%22in%20court%22"
    assert page.get_by_role("searchbox", name="Search News").input_value() == 'clearview "in court"'


@pytest.mark.slow
def test_builder_follows_its_field_of_words(library: Site, visit: Visiting) -> None:
    opened = visit(f"{library.base}/build/?topic=letters")
    page = opened.page
    words = page.get_by_role("searchbox", name="Words")
    words.fill("al*")
    words.press("Enter")
    page.get_by_text(FAULTS["ab*"]).wait_for()
    assert not page.locator("#result").is_visible()
    assert len(opened.faults) == 1 and "400" in opened.faults.pop()
    words.fill("alph*")
    words.press("Tab")
    page.wait_for_url("**/build/?q=alph%2A&topic=letters")
    page.locator("#result").wait_for()
    assert accessibility_faults(page) == []
    assert words.input_value() == "alph*"
    page.reload()
    assert words.input_value() == "alph*"
    feed = f"{library.base}/topics/letters/feed.atom?q=alph%2A"
    assert page.locator("#built-atom").input_value() == feed
    # Elsewhere the browser alone remembers what was typed before somebody went on.
    page.goto(f"{library.base}/")
    words.fill("clearview")
    words.press("Enter")
    page.locator(f"#built-atom[value='{library.base}/feed.atom?q=clearview']").wait_for()
    with page.expect_navigation():
        page.get_by_role("link", name="See its page").click()
    page.go_back()
    page.wait_for_load_state("networkidle")
    query = "?q=clearview" if words.input_value() else ""
    page.locator(f"#built-atom[value='{library.base}/feed.atom{query}']").wait_for()
