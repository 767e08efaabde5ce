"""The words that the program itself puts into feeds and pages, in the language of the site."""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from zlib import crc32

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CATALOGUES = Path(__file__).parent / "locale"
#: English of no country writes dates as `18 May 2020`.
ENGLISH = Locale("en", "001")


@cache
def translations(language: str) -> NullTranslations:
    """Return the translations of the program's words into a language (BCP 47).

    Words without a catalogue stay English. The locale of the process is not read.
    """
    path = _catalogue(language)
    if path is None:
        return NullTranslations()
    # `gettext` reads only the compiled form, which would need a step of the installation.
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return GNUTranslations(compiled)


def words_version(language: str) -> int:
    """Return a number that differs when the translations into a language differ."""
    path = _catalogue(language)
    return crc32(path.read_bytes()) if path else 0


def words_language(language: str) -> str:
    """Return the language tag of the program's words on a site of a language."""
    is_english = language.lower().partition("-")[0] == "en"
    return language if is_english or _catalogue(language) else "en"


@cache
def nearest_locale(language: str) -> Locale:
    """Return the locale of a language, without what Babel does not know of its tag.

    Subtags are left out from the end (RFC 4647 section 3.4).
    """
    while language.lower() not in ("", "en"):
        try:
            return Locale.parse(language, sep="-")
        except (UnknownLocaleError, ValueError):
            language = language.rpartition("-")[0]
    return ENGLISH


@cache
def _catalogue(language: str) -> Path | None:
    """Return the path of the catalogue that is nearest to a language, if there is one."""
    locale = nearest_locale(language)
    # Chinese alone has a catalogue for each script. CLDR takes plain `zh` for Hans.
    for name in (f"{locale.language}_{locale.script or 'Hans'}", locale.language):
        path = CATALOGUES / name / "LC_MESSAGES" / "feeds.po"
        if path.is_file():
            return path
    return None
