"""The description of a site's search (https://github.com/dewitt/opensearch, OpenSearch 1.1)."""

from __future__ import annotations

from lxml import etree

from feeds.formats import FORMATS

FILE = "opensearch.xml"
CONTENT_TYPE = "application/opensearchdescription+xml"
#: Characters of a short name, which the specification allows.
MAX_SHORT_NAME_LENGTH = 16
_NAMESPACE = "http://a9.com/-/spec/opensearch/1.1/"


def write(title: str, description: str, language: str, base: str) -> bytes:
    """Return the description of the search of a site.

    `base` is the site's address without a final slash.
    """
    root = etree.Element("OpenSearchDescription", xmlns=_NAMESPACE)
    for name, text in (
        ("ShortName", title[:MAX_SHORT_NAME_LENGTH].strip()),
        ("Description", description),
        ("InputEncoding", "UTF-8"),
        ("Language", language),
        ("Image", f"{base}/favicon.ico"),
    ):
        etree.SubElement(root, name).text = text
    # The specification has no JSON Feed.
    files = {"text/html": ""} | {FORMATS[f].content_type: FORMATS[f].file for f in ("atom", "rss")}
    for kind, file in files.items():
        template = f"{base}/{file}?q={{searchTerms}}"
        etree.SubElement(root, "Url", type=kind, template=template)
    etree.SubElement(root, "Url", type=CONTENT_TYPE, rel="self", template=f"{base}/{FILE}")
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
