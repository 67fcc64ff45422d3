"""What stands around the two panes and never changes."""

__all__ = ["EVIDENCE_BAR", "HEADER", "ON_VERDICT", "SHEET_HANDLE"]

HEADER = "<header><h1>Ask the article</h1></header>"
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
SHEET_HANDLE = """\
<button type="button" id="sheet-handle" aria-expanded="false" aria-controls="reader">The article
</button>"""

# The page's script dispatches "verdict"; Gradio listens for what its component triggers.
ON_VERDICT = "element.addEventListener('verdict', (event) => trigger('verdict', event.detail));"
