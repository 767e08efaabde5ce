"""Whatever the files hold, every feed and page is well-formed; `tests.fuzz` looks further."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import RAW, WITHHELD, check_withheld, publish_all


@given(st.lists(RAW, min_size=1, max_size=6))
@settings(max_examples=12, deadline=None)
def test_no_file_breaks_a_feed_or_a_page(raws: list[bytes]) -> None:
    publish_all(raws)


@given(WITHHELD)
@settings(max_examples=100, deadline=None)
def test_nothing_beside_it_makes_a_withheld_article_public(text: str) -> None:
    check_withheld(text)
