"""The words that the program itself puts into feeds and pages."""

from __future__ import annotations

from gettext import NullTranslations


def translations(language: str) -> NullTranslations:
    """Return the translations of the program's words into a language (BCP 47).

    There is no catalogue yet, so all words are English. The locale of the process is not read.
    """
    return NullTranslations()
