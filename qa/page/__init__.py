"""The chat page without its server: what it asks of it, escaped HTML, style and script."""

from importlib import resources

from qa.page.controller import PageController

__all__ = ["PageController", "early", "script", "style"]


def style() -> str:
    """The page's style sheet."""
    return _asset("page.css")


def script() -> str:
    """The page's script."""
    return "\n".join(map(_asset, ("store.js", "server.js", "page.js")))


def early() -> str:
    """What has to be in the page as it is served, so that no wrong colour is ever seen."""
    grounds = "body{background:#fbfaf7!important}.dark body{background:#16181a!important}"
    return f"<style>{grounds}</style><script>{_asset('scheme.js')}</script>"


def _asset(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
