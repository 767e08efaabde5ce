"""Makes a collection of any size: every field in use, one article in five published.

python tests/generate.py FOLDER COUNT
"""

from __future__ import annotations

import base64
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

TOPICS = [f"Topic {number}" for number in range(28)] + ["Computer Vision", "AI"]
WORDS = [
    "police",
    "trial",
    "facial",
    "recognition",
    "software",
    "office",
    "privacy",
    "commissioner",
    "report",
    "agency",
    "city",
    "don&#8217;t",
    "data",
    "law",
    "public",
    "review",
    "court",
    "system",
    "ministry",
    "camera",
    "network",
    "café",
    "study",
]


def write_articles(folder: Path, count: int, *, seed: int = 1, providers: int = 200) -> None:
    """Write `count` article files below a folder, the same for the same seed."""
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        name = f"{number:06}_{chance.getrandbits(64):016x}.txt"
        text = article_text(chance, published=number % 5 == 0, providers=providers)
        (folder / name).write_text(text, encoding="utf-8")


def article_text(chance: random.Random, *, published: bool, providers: int) -> str:
    """One article with every field of the format."""
    domain = f"provider{chance.randrange(providers)}.example"
    url = f"https://www.{domain}/{_slug(chance)}/"
    topics = "".join(f"  - {topic}\n" for topic in chance.sample(TOPICS, 2))
    secured = base64.b64encode(chance.randbytes(420)).decode()
    vector = base64.b64encode(chance.randbytes(16)).decode()
    related = "".join(_related(chance) for _ in range(chance.randrange(6)))
    return (
        f'---\ncategory: news\ntitle: "{_words(chance, 10)}"\nexcerpt: "{_words(chance, 40)}"\n'
        f"publishedDateTime: {_time(chance)}\nupdatedDateTime: {_time(chance)}\n"
        f'originalUrl: "{url}"\nwebUrl: "{url}"\nampWebUrl: "{url}?amp"\n'
        f'cdnAmpWebUrl: "https://cdn.ampproject.org/c/s/{domain}/{_slug(chance)}"\n'
        f"type: article\nquality: {chance.randint(60, 154) if published else 37}\n"
        f"heat: {chance.randrange(100) if published else -1}\n"
        f"published: {str(published).lower()}\n\n"
        f"provider:\n  name: {domain.title()}\n  domain: {domain}\n\n"
        f"topics:\n{topics}\nimages:\n{_image(chance, '  ')}    \n\n"
        f"related:\n{related or '  []'}\n"
        f'secured: "{secured};{vector}"\n---\n'
    )


def _related(chance: random.Random) -> str:
    domain = f"other{chance.randrange(500)}.example"
    return (
        f'  - title: "{_words(chance, 10)}"\n    excerpt: "{_words(chance, 30)}"\n'
        f"    publishedDateTime: {_time(chance)}\n"
        f'    webUrl: "https://{domain}/{_slug(chance)}"\n'
        f'    ampWebUrl: "https://amp.{domain}/{_slug(chance)}"\n'
        f"    type: article\n    provider:\n      name: {domain.title()}\n"
        f"      domain: {domain}\n    quality: {chance.randint(11, 100)}\n"
        f"    images:\n{_image(chance, '      ')}"
    )


def _image(chance: random.Random, indent: str) -> str:
    return (
        f'{indent}- url: "https://images.example/{_slug(chance)}.jpg?w={chance.randrange(999)}"\n'
        f"{indent}  width: {chance.randint(100, 2000)}\n"
        f"{indent}  height: {chance.randint(100, 2000)}\n"
        f"{indent}  isCached: true\n"
    )


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(WORDS, k=count)).capitalize()


def _slug(chance: random.Random) -> str:
    return f"news/{chance.getrandbits(40):x}-police-trial-of-facial-recognition"


def _time(chance: random.Random) -> str:
    moment = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(5_000_000))
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    write_articles(Path(sys.argv[1]), int(sys.argv[2]))
