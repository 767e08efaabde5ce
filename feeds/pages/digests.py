"""Pages of digests, for people."""

from __future__ import annotations

from dataclasses import replace

from feeds.digest import digest_title
from feeds.feed import make_entry, make_feed
from feeds.history import YearArchive
from feeds.pages import Pages
from feeds.periods import Period
from feeds.publish import Published
from feeds.selection import Selection


class DigestPages(Pages):
    """The lists of digests, and a page for each digest."""

    def digests(self, selection: Selection, archive: YearArchive | None = None) -> Published | None:
        """Return the list of the newest digests, or of the older ones of a year.

        None if the selection is not public, or has no older ones of that year.
        """
        made = self._feed(selection, archive)
        if made is None or (archive and not made[1].digests):
            return None
        feed, found = made
        return self._page(
            "digests.html",
            selection.address(archive.page if archive else ""),
            # The page has no stories.
            replace(feed, entries=()),
            found,
            selection=selection,
            year=archive and archive.year,
            digests=found.digests,
        )

    def digest(self, selection: Selection, period: Period) -> Published | None:
        """Return the page of a digest; None if it is not over or has no stories."""
        found = self.index.find_digests(selection, period)
        if found is None or not found.digests:
            return None
        [digest] = found.digests
        config = self.index.config
        entries = [make_entry(a, config=config, base=self.base) for a in digest.articles]
        feed = make_feed(selection, found.names, entries, config=config, base=self.base)
        return self._page(
            "digest.html",
            selection.address(f"{period.name}/"),
            feed,
            found,
            selection=selection,
            digest_title=digest_title(selection, found.names, period, config),
        )
