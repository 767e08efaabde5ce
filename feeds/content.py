"""The HTML of entries: pictures, stories and related coverage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape, unescape

from feeds.articles import Article, Image
from feeds.translations import translations

# As the cleaner writes it: each attribute in double quotes.
_PICTURE = re.compile(r'<img(?: (?!src=)[\w-]++="[^"]*+")*+ src="([^"]+)"')


@dataclass(frozen=True, kw_only=True)
class Story:
    """Another article on the same story, at a provider called `provider`."""

    title: str
    link: str
    provider: str


def pictures(article: Article) -> tuple[Image | None, Image | None]:
    """Return the picture to put before the body, and the first one of the whole content.

    One that the body shows itself is not put before it: some readers show both.
    """
    shown = [unescape(url) for url in _PICTURE.findall(article.content)]
    lead = next((image for image in article.images[:1] if image.url not in shown), None)
    if lead or not shown:
        return lead, lead
    listed = {image.url: image for image in reversed(article.images)}
    return None, listed.get(shown[0], Image(url=shown[0]))


def content_html(
    article: Article, lead: Image | None, related: tuple[Story, ...], language: str
) -> str:
    """Return the content of an entry; `lead` is the picture to put before the body."""
    _ = translations(language).gettext
    parts = []
    if lead:
        picture = picture_html(lead)
        parts.append(_linked(picture, article.link) if article.frame else f"<p>{picture}</p>")
    if article.frame:
        # Readers strip frames, and a player's own page may refuse to stand alone.
        line = _("Watch the video at %(provider)s") % {"provider": article.provider.name}
        parts.append(_linked(escape(line), article.link))
    parts.append(article.content or f"<p>{escape(article.summary or article.title)}</p>")
    if related:
        parts.append(related_html(related, language))
    return "\n".join(parts)


def related_html(related: tuple[Story, ...], language: str) -> str:
    """Return the list of related coverage for the content of an entry."""
    heading = translations(language).gettext("Related coverage:")
    return f"<p>{escape(heading)}</p>\n<ul>{''.join(map(_item, related))}</ul>"


def _linked(inner: str, link: str) -> str:
    return f'<p><a href="{escape(link)}">{inner}</a></p>'


def picture_html(image: Image) -> str:
    """Return a picture for the content of an entry."""
    sizes = "".join(
        f' {name}="{size}"'
        for name, size in (("width", image.width), ("height", image.height))
        if size
    )
    return f'<img src="{escape(image.url)}" alt="{escape(image.title)}"{sizes}>'


def _item(story: Story) -> str:
    link = f'<a href="{escape(story.link)}">{escape(story.title)}</a>'
    return f"<li>{link} ({escape(story.provider)})</li>"
