"""The chat page without its server: what a visit does, escaped HTML, style and script."""

from importlib import resources

from qa.page.answer_view import Turn, confidence_in_words, render_conversation
from qa.page.article_view import render_article
from qa.page.visits import Reception, View, Visit

__all__ = [
    "Reception",
    "Turn",
    "View",
    "Visit",
    "confidence_in_words",
    "early",
    "render_article",
    "render_conversation",
    "script",
    "style",
]


def style() -> str:
    """The page's style sheet."""
    return _asset("page.css")


def script() -> str:
    """The page's script."""
    return _asset("page.js")


def early() -> str:
    """What has to be in the page as it is served, so that no wrong colour is ever seen."""
    grounds = "body{background:#fbfaf7!important}.dark body{background:#16181a!important}"
    return f"<style>{grounds}</style><script>{_asset('scheme.js')}</script>"


def _asset(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
