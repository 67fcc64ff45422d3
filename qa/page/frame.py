"""What stands around the two panes and never changes."""

__all__ = ["CONNECTION", "EVIDENCE_BAR", "ON_EVENTS", "SHEET_HANDLE", "header"]


def header(several: bool) -> str:
    """The page's head: of one article or several."""
    title = "Ask the articles" if several else "Ask the article"
    return f"""\
<header><h1>{title}</h1><div role="group" aria-label="Colours" id="scheme">
<button type="button" data-scheme="light" aria-pressed="false">Light</button>
<button type="button" data-scheme="dark" aria-pressed="false">Dark</button>
<button type="button" data-scheme="" aria-pressed="true">Auto</button>
</div></header>"""


EVIDENCE_BAR = """\
<div id="evidence" role="toolbar" aria-label="Evidence" hidden>
<button type="button" class="step" data-by="-1" aria-label="Previous sentence"
 title="Previous (p)" aria-keyshortcuts="p">‹</button>
<span class="count"></span>
<button type="button" class="step" data-by="1" aria-label="Next sentence"
 title="Next (n)" aria-keyshortcuts="n">›</button>
<button type="button" class="right-one" hidden>This is the right one</button>
<button type="button" class="back" title="Back (Esc)"
 aria-keyshortcuts="Escape">Back to question</button>
</div>"""
CONNECTION = '<p id="connection" class="notice" role="alert" hidden></p>'
SHEET_HANDLE = """\
<button type="button" id="sheet-handle" aria-expanded="false" aria-controls="reader">The article
</button>"""

# The page's script dispatches these; Gradio listens for what its component triggers.
ON_EVENTS = """\
element.addEventListener('verdict', (event) => trigger('verdict', event.detail));
element.addEventListener('show', (event) => trigger('show', event.detail));"""
