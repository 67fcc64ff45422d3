"""What a site asks of programs: its robots.txt, read as RFC 9309 says (by Protego, Scrapy's).

One page that a person asked for is hardly crawling, but a site that wants no program at a page
is told from one that does not mind, and the reader is told what to do instead.
"""

from __future__ import annotations

from protego import Protego

__all__ = ["AGENT", "MAX_BYTES", "refuses"]

AGENT = "article-qa"
"""What a robots.txt may call this program."""
MAX_BYTES = 500 * 2**10
"""As much of a robots.txt as has to be read."""


def refuses(robots: bytes, url: str) -> bool:
    r"""Whether a robots.txt asks this program not to read a page.

    >>> refuses(b"User-agent: *\nDisallow: /private", "https://e.org/private/1")
    True
    """
    parser = Protego.parse(robots[:MAX_BYTES].decode("utf-8-sig", "replace"))
    return not parser.can_fetch(url, AGENT)
