"""The words of feeds and pages in the languages that have a catalogue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po
from jinja2 import Environment
from lxml import html

from feeds.config import Config
from feeds.translations import (
    CATALOGUES,
    nearest_locale,
    translations,
    words_language,
    words_version,
)
from tests.support import ROOT, Collection, Site, article, publish_feed

LANGUAGES = sorted(path.name for path in CATALOGUES.iterdir())
PAGES = ROOT / "feeds" / "pages"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def read_catalogue(path: Path) -> Catalog:
    """The catalogue of a file."""
    with path.open("rb") as file:
        return read_po(file)


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The words of the code and the templates as they are now."""
    path = tmp_path_factory.mktemp("words") / "feeds.pot"
    options = ["--quiet", "extract", "-F", str(ROOT / "pyproject.toml"), "-o", str(path)]
    CommandLineInterface().run(["pybabel", *options, str(ROOT / "feeds")])  # type: ignore[no-untyped-call]
    return read_catalogue(path)


def forms(text: str | Iterable[str] | None) -> list[str]:
    """The singular, and the plural if there is one."""
    return [text] if isinstance(text, str) else list(text or ())


def fault(message: Message) -> str:
    """What is wrong with the translation of a message."""
    if message.fuzzy:
        return "fuzzy"
    if not all(forms(message.string)):
        return "not translated"
    used = {frozenset(PLACEHOLDER.findall(text)) for text in forms(message.id)}
    if {frozenset(PLACEHOLDER.findall(text)) for text in forms(message.string)} != used:
        return "other placeholders"
    return ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_has_each_phrase_and_no_other(language: str, extracted: Catalog) -> None:
    catalogue = read_catalogue(CATALOGUES / language / "LC_MESSAGES" / "feeds.po")
    assert {message.id for message in catalogue} == {message.id for message in extracted}
    assert list(catalogue.obsolete) == []
    faults = {message.id: fault(message) for message in catalogue if message.id}
    assert {phrase: said for phrase, said in faults.items() if said} == {}


class _Words(HTMLParser):
    """Collects the words of a page that come from no catalogue."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found += re.findall(r"[^\W\d_]{2,}", data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        shown = ("title", "aria-label", "alt", "placeholder")
        for name, value in attrs:
            if name in shown:
                self.handle_data(value or "")


@pytest.mark.parametrize("path", sorted(PAGES.glob("templates/*.html")), ids=lambda p: p.name)
def test_template_has_no_word_that_is_in_no_catalogue(path: Path) -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"])
    tokens = environment.lex(path.read_text("utf-8"))
    text, names, is_translated = "", list[str](), False
    for _, kind, value in tokens:
        if kind == "block_begin":
            names = []
        elif kind == "name":
            names.append(value)
        elif kind == "block_end":
            is_translated = names[0] in ("trans", "pluralize")
        elif kind == "data" and not is_translated:
            text += value
    page = _Words()
    page.feed(text)
    assert page.found == []


@pytest.mark.parametrize("path", sorted(PAGES.glob("static/*.js")), ids=lambda p: p.name)
def test_script_has_no_words_of_its_own(path: Path) -> None:
    code = re.sub(r"(?m)^\s*//.*|\s// .*", "", path.read_text("utf-8"))
    assert re.findall(r"""["'`](?:[A-Z][a-z]+(?: [^"'`]*)?|[^"'`\n]* found)["'`]""", code) == []


@pytest.mark.parametrize(
    ("language", "word", "direction"),
    [
        ("en", "Topics", "ltr"),
        ("EN-nz", "Topics", "ltr"),
        ("de", "Themen", "ltr"),
        ("de-CH-1996", "Themen", "ltr"),
        ("de-DE-u-co-phonebk", "Themen", "ltr"),
        ("fr-CA", "Sujets", "ltr"),
        ("es-419", "Temas", "ltr"),
        ("pt-BR", "Temas", "ltr"),
        ("ja", "トピック", "ltr"),
        ("zh", "主题", "ltr"),
        ("zh-SG", "主题", "ltr"),
        ("cmn", "主题", "ltr"),
        ("zh-Hans-TW", "主题", "ltr"),
        ("zh-TW", "主題", "ltr"),
        ("zh-Hant", "主題", "ltr"),
        ("ar-EG", "المواضيع", "rtl"),
        ("iw", "נושאים", "rtl"),
    ],
)
def test_language_has_the_words_of_the_nearest_catalogue(
    language: str, word: str, direction: str
) -> None:
    assert translations(language).gettext("Topics") == word
    assert words_language(language) == language
    assert nearest_locale(language).text_direction == direction


@pytest.mark.parametrize(
    ("language", "direction"),
    [("nb", "ltr"), ("fa-IR", "rtl"), ("tlh", "ltr"), ("x", "ltr"), ("und", "ltr")],
)
def test_language_without_a_catalogue_has_english_words(language: str, direction: str) -> None:
    assert translations(language).gettext("Topics") == "Topics"
    assert words_language(language) == "en"
    assert nearest_locale(language).text_direction == direction


@pytest.mark.parametrize(
    ("language", "numbers"),
    [
        ("en", [(1,), (0, 2, 11)]),
        ("fr", [(0, 1), (2, 11)]),
        ("ja", [(0, 1, 2, 11)]),
        ("he", [(1,), (2,), (0, 3, 20)]),
        ("ar", [(0,), (1,), (2,), (3, 10, 103), (11, 99, 111), (100, 102)]),
    ],
)
def test_numbers_choose_the_plural_forms_of_the_language(
    language: str, numbers: list[tuple[int, ...]]
) -> None:
    said = translations(language).ngettext
    found = [
        {said("All %(number)s topic", "All %(number)s topics", n) for n in of} for of in numbers
    ]
    assert [len(texts) for texts in found] == [1] * len(numbers)


@pytest.fixture
def make_site(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> Callable[[str], Site]:
    """Serves two stories of one topic in a language."""

    def make(language: str) -> Site:
        collection = make_collection(language=language)
        related = (
            'related:\n  - title: "Other"\n    webUrl: "https://b.example/o"\n'
            '    quality: 80\n    provider:\n      name: "B"\n      domain: b.example\n'
        )
        collection.write("a.md", article("First", more=related))
        collection.write("b.md", article("Second", time="2020-04-02T00:00:00Z"))
        return serve(collection)

    return make


@pytest.mark.parametrize(
    ("language", "root", "body", "story", "newest", "day", "months"),
    [
        ("en", ("en", None), "", "", "Newest stories", "18 May 2020", ["May", "April"]),
        ("en-US", ("en-US", None), "", "", "Newest stories", "May 18, 2020", ["May", "April"]),
        ("de-AT", ("de-AT", None), "", "", "Neueste Artikel", "18. Mai 2020", ["Mai", "April"]),
        ("ja", ("ja", None), "", "", "新着記事", "2020年5月18日", ["5月", "4月"]),
        ("he", ("he", "rtl"), "", "", "הכתבות האחרונות", "18 במאי 2020", ["מאי", "אפריל"]),
        ("nb", ("nb", None), "en", "nb", "Newest stories", "18 May 2020", ["May", "April"]),
        ("fa", ("fa", "rtl"), "en", "fa", "Newest stories", "18 May 2020", ["May", "April"]),
    ],
)
def test_pages_are_in_the_language_of_the_site(
    make_site: Callable[[str], Site],
    language: str,
    root: tuple[str, str | None],
    body: str,
    story: str,
    newest: str,
    day: str,
    months: list[str],
) -> None:
    site = make_site(language)
    for address in ("/", "/topics/ai/embed/"):
        page = html.fromstring(site.get(address).text)
        assert (page.get("lang"), page.get("dir")) == root
        assert page.xpath("string(//body/@lang)") == body
        assert page.xpath("string(//body/@dir)") == ("ltr" if body else "")
        assert page.xpath("string(//time)") == day
        assert page.xpath("string(//*[@role='article']//*[@dir]/@lang)") == story
    assert newest in site.get("/").text
    history = html.fromstring(site.get("/archive/").text)
    assert history.xpath("//ul[@class='months']/li/a/text()") == months


@pytest.mark.parametrize(
    ("language", "subtitle", "coverage"),
    [
        ("en", "Every topic and every provider", "Related coverage:"),
        ("pt-BR", "Todos os temas e todas as fontes", "Mais cobertura:"),
        ("nb", "Every topic and every provider", "Related coverage:"),
    ],
)
def test_feeds_are_in_the_language_of_the_site(
    make_site: Callable[[str], Site], language: str, subtitle: str, coverage: str
) -> None:
    feed = publish_feed(make_site(language).collection).body.decode()
    assert f"<subtitle>{subtitle}</subtitle>" in feed
    assert f"&lt;p&gt;{coverage}&lt;/p&gt;" in feed


def test_another_translation_may_change_feeds() -> None:
    # A new catalogue must not go unnoticed by readers that ask by date.
    german, french = words_version("de"), words_version("fr")
    assert german != french
    assert (words_version("en"), words_version("nb")) == (0, 0)
    assert str(german) in Config(language="de").fingerprint()
    assert Config().fingerprint().endswith("{}]")
