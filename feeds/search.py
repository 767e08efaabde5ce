"""The terms of text and of a search, which are the same for every database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

#: Limits of a search: its characters as they are written, and its words.
MAX_SEARCH_LENGTH = 200
MAX_WORDS = 10
#: Letters before a `*`. To find fewer, a database would merge much of its index.
MIN_PREFIX_LENGTH = 3
#: Letters of a word that are compared. PostgreSQL takes no lexeme of more than 2,046 bytes.
MAX_TERM_LENGTH = 64

# Scripts that put no space between words: Thai, Lao, Tibetan, Burmese, Khmer, kana and Han.
_UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u302f\u3031-\u303a"
    "\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_RUN = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
# The other bytes are of UTF-8, which is much faster to translate than text is.
_SPACES = bytes(c if c > 127 or chr(c).isalnum() else 32 for c in range(256))
_QUOTES = str.maketrans("“”„«»", '"' * 5)
_PHRASE = re.compile(r'(?P<minus>-?)(?:"(?P<quoted>[^"]*)"?|(?P<word>[^\s"*]+))(?P<star>\*?)')


class _Letters(dict[int, str]):
    """What each character is in a word: a space, nothing, or itself."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category, accent = unicodedata.category(character), unicodedata.combining(character)
        # Classes of Unicode: 10 to 36 are points of Hebrew and Arabic, 200 and up are accents.
        # Lower ones, such as the voicing marks of kana, make another letter.
        if accent >= 200 or 10 <= accent <= 36 or category == "Cf":
            kept = ""
        else:
            kept = character if category[0] in "LMN" else " "
        if code < 0x3000:  # those that text repeats, so that the table stays small
            self[code] = kept
        return kept


_LETTERS = _Letters()


def words(text: str) -> list[str]:
    """Return the words of text, without their case, accents and compatibility forms.

    Letters of a script without spaces that follow each other are one word.
    """
    if not text.isascii():
        # Caseless matching of Unicode 16 (section 3.13, D146), but without accents.
        text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        text = _NOT_ASCII.sub(lambda found: found[0].translate(_LETTERS), text)
        text = unicodedata.normalize("NFC", text)
    found = text.lower().encode().translate(_SPACES).decode().split()
    if text.isascii() or not _IS_UNSPACED.search(text):
        return found
    return [run for word in found for run in _RUN.findall(word)]


def terms(text: str) -> list[str]:
    """Return the terms by which text is found, in their order.

    A word is a term. In a script without spaces, each letter is one together with the next,
    so that any two letters are found.
    """
    return _terms(words(text))


def _terms(found: Iterable[str]) -> list[str]:
    made: list[str] = []
    for word in found:
        if word[0] >= "\u0e00" and _IS_UNSPACED.match(word):
            made += [word[at : at + 2] for at in range(len(word))]
        else:
            made.append(word[:MAX_TERM_LENGTH])
    return made


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """Words that must, or must not, follow each other in an article."""

    words: tuple[str, ...]
    #: Whether the last word is only the beginning of one.
    is_prefix: bool = False
    is_excluded: bool = False

    @property
    def terms(self) -> list[str]:
        """The terms that follow each other in such text. The last may be a beginning."""
        made = _terms(self.words)
        # The last letter of a script without spaces may be followed by another.
        is_pair = len(self.words[-1]) > 1 and _IS_UNSPACED.match(self.words[-1])
        return made[:-1] if is_pair else made

    @property
    def ends_open(self) -> bool:
        """Whether the last term is only the beginning of one."""
        last = self.words[-1]
        return self.is_prefix or (len(last) == 1 and bool(_IS_UNSPACED.match(last)))

    def __str__(self) -> str:
        text = " ".join(self.words)
        quoted = f'"{text}"' if len(self.words) > 1 else text
        return f"{'-' * self.is_excluded}{quoted}{'*' * self.is_prefix}"


Search = tuple[Phrase, ...]

#: What may be wrong with a search.
Fault = Literal["prefix", "length", "words", "empty"]


class SearchError(ValueError):
    """A search that cannot be made, with a message that says what to do."""

    def __init__(self, fault: Fault, problem: str) -> None:
        super().__init__(problem)
        self.fault = fault


def parse_search(written: str) -> Search:
    """Return the phrases of a search, each once.

    All of them must be in an article: words, `"a phrase"`, the beginning `word*` of a word.
    `-word` and `-"a phrase"` must not be. A word that has several, such as `don't`, is a
    phrase. Raises SearchError.
    """
    found: list[Phrase] = []
    for part in _PHRASE.finditer(written[: MAX_SEARCH_LENGTH + 1].translate(_QUOTES)):
        parsed = tuple(words(part["quoted"] or part["word"] or ""))
        if not parsed:
            continue
        # Any letters of a script without spaces may be followed by others.
        is_prefix = bool(part["star"]) and not _IS_UNSPACED.match(parsed[-1])
        if is_prefix and len(parsed[-1]) < MIN_PREFIX_LENGTH:
            raise SearchError("prefix", f"needs {MIN_PREFIX_LENGTH} letters or more before a *")
        excluded = bool(part["minus"])
        found.append(Phrase(words=parsed, is_prefix=is_prefix, is_excluded=excluded))
    search = tuple(dict.fromkeys(found))
    # Compatibility forms may be longer than what is written.
    if max(len(written), len(search_text(search))) > MAX_SEARCH_LENGTH:
        raise SearchError("length", f"has more than {MAX_SEARCH_LENGTH} characters, shorten it")
    if sum(len(phrase.words) for phrase in found) > MAX_WORDS:
        raise SearchError("words", f"has more than {MAX_WORDS} words, leave some out")
    if not found:
        raise SearchError("empty", "has no letter or digit, write a word")
    return search


def search_text(search: Search) -> str:
    """Return the one spelling of a search."""
    return " ".join(map(str, search))


def search_fault(written: str) -> Fault | None:
    """Return what is wrong with a search."""
    try:
        parse_search(written)
    except SearchError as error:
        return error.fault
    return None
