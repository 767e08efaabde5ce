"""Random searches over random text, as a plain reading of the articles answers them.

python -m tests.searches COUNT [DATABASE] asks for more of them than the test suite does.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from random import Random

from feeds import create_app
from feeds.articles.clean import prose
from feeds.config import Config
from feeds.search import Phrase, parse_search, terms
from tests.support import Collection, article, read_article

#: Words, and what may mean something to SQLite, to PostgreSQL or to a page.
PIECES = (
    *("clearview", "Clear", "ai", "AI", "Café", "cafe\u0301", "don't", "a", "aa", "a" * 70),
    *("a" * 200, "北京大学", "京", "大学生", "สวัสดี", "ดี", "がぎ", "か", "سَلام", "ﬁne", "\ufdfa"),
    *("AND", "OR", "NOT", "NEAR(a b, 2)", "^a", "{terms}:", "terms:a", "text_index", "rowid"),
    *('"', '""', "'", "''", "\\", "\\'", ":*", "&", "|", "!", "<->", "(", ")", "%", "_", "[a-z]"),
    *(
        "\0",
        "\x1b",
        "\ue000",
        "\ue0011",
        "\ue0021",
        "\u202e",
        "\u200f",
        "\u00ad",
        "🎉",
        "\U0001f468",
    ),
    *("-", "--", "*", "**", "+", "<b>", "&amp;", "{searchTerms}", "1", "\u0661", "²", "\ufffd"),
)


def hostile(random: Random) -> str:
    """Pieces with and without spaces between them."""
    pieces = random.choices(PIECES, k=random.randint(1, 7))
    return "".join(piece + random.choice(["", " ", " ", "-", "*", '"']) for piece in pieces)


def printable(text: str) -> str:
    """What can stand between double quotes of YAML as it is."""
    return "".join(c for c in text if c.isprintable() and c not in '"\\')


def make_search(random: Random, texts: list[str]) -> str:
    """A hostile search, or one that some text may fulfil."""
    if random.random() < 0.4:
        return hostile(random)
    found = terms(random.choice(texts)) or ["a"]
    start = random.randrange(len(found))
    several = " ".join(found[start : start + random.randint(1, 3)])
    kinds = (several, f'"{several}"', f"{found[start][:3]}*", f"-{several}", f'a -"{several}"')
    return random.choice(kinds)


def has(fields: list[list[str]], phrase: Phrase) -> bool:
    """Whether the terms of a phrase follow each other in a field."""
    wanted = phrase.terms
    for field in fields:
        for at in range(len(field) - len(wanted) + 1):
            *before, last = field[at : at + len(wanted)]
            is_last = last.startswith(wanted[-1]) if phrase.ends_open else last == wanted[-1]
            if is_last and before == wanted[:-1]:
                return True
    return False


def check_searches(collection: Collection, random: Random, count: int) -> int:
    """Ask for the feeds of random searches over random text; return how many found something."""
    expected: dict[str, list[list[str]]] = {}
    texts: list[str] = []
    for number in range(40):
        title, body = (printable(hostile(random)) for _ in range(2))
        text = article(f"{title}.", url=f"https://example.org/{number}", body=f"About {body}\n")
        made = read_article(collection.write(f"s{number}.md", text))
        fields = (made.title, made.summary, prose(made.content), "Example", "AI")
        expected[made.link] = [terms(field) for field in fields]
        texts += fields
    assert not collection.sync().faults
    client = create_app(collection.config).test_client()
    found = 0
    for _ in range(count):
        written = make_search(random, texts)
        response = client.get("/feed.json", query_string={"q": written}, follow_redirects=True)
        try:
            search = parse_search(written.strip())
        except ValueError:
            assert response.status_code == (400 if written.strip() else 200), written
            continue
        assert response.status_code == 200, written
        links = {item["url"] for item in json.loads(response.data)["items"]}
        assert links == {
            link
            for link, fields in expected.items()
            if all(has(fields, phrase) != phrase.is_excluded for phrase in search)
        }, written
        found += bool(links)
    return found


if __name__ == "__main__":
    done = found = 0
    while done < int(sys.argv[1]):
        with tempfile.TemporaryDirectory() as scratch:
            url = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{scratch}/index.sqlite3"
            collection = Collection(Path(scratch), Config(articles=Path(scratch), database=url))
            found += check_searches(collection, Random(done), 500)
            collection.index.close()
        done += 500
    print(f"{done} searches, {found} of which found something, all of them right")
