"""What stands around the two panes, and the dialogs."""

from qa.page.markup import escape

__all__ = ["ACTIONS", "DIALOGS", "EVIDENCE_BAR", "NEWS", "SHEET_HANDLE", "header"]


def header(title: str, source: str, max_bytes: int) -> str:
    """The page's head.

    Args:
        title: Of the article that is served.
        source: Key of what is served; a page sends it back with each question.
        max_bytes: Size of the largest article that is taken.
    """
    return f"""\
<header data-key="{escape(source)}" data-max="{max_bytes}"><h1>Article QA</h1>
<button type="button" id="switch" aria-haspopup="dialog" dir="auto"><span class="unseen">Articles
and conversations. Now: </span><span class="title">{escape(title)}</span></button>
<button type="button" id="open-button" aria-haspopup="dialog">Open…</button>
<button type="button" class="icon" id="scheme"></button>
<button type="button" class="icon" id="help" aria-haspopup="dialog"
 aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)">?</button>
</header>"""


NEWS = """\
<p id="connection" class="notice" role="alert" hidden></p>
<div id="news" hidden><span class="text" role="status" dir="auto"></span>
<progress max="1" hidden></progress><button type="button" class="act" hidden></button></div>"""
"""Where the eye is, above the question: the connection, what is being opened, what to undo."""

ACTIONS = """\
<div id="actions"><button type="button" data-save="md">Save as Markdown</button>
<button type="button" data-save="html">HTML</button>
<button type="button" data-save="json">JSON</button>
<button type="button" data-save="print">Print</button>
<button type="button" id="new">New conversation</button></div>"""

EVIDENCE_BAR = """\
<div id="evidence" role="toolbar" aria-label="Evidence" hidden>
<button type="button" class="step" data-by="-1" aria-label="Previous sentence"
 title="Previous (p)" aria-keyshortcuts="p">‹</button>
<span class="count" dir="auto"></span>
<button type="button" class="step" data-by="1" aria-label="Next sentence"
 title="Next (n)" aria-keyshortcuts="n">›</button>
<button type="button" class="right-one" hidden>This is the right one</button>
<button type="button" class="back" title="Back (Esc)"
 aria-keyshortcuts="Escape">Back to question</button>
</div>"""

SHEET_HANDLE = """\
<button type="button" id="sheet-handle" aria-expanded="false" aria-controls="reader" dir="auto">
</button>
<div id="tools"><input type="search" id="search" placeholder="Search in the article"
 aria-label="Search in the article" dir="auto"><span class="hits" role="status"></span>
<button type="button" class="tool hit" data-by="-1" aria-label="Previous hit" hidden>‹</button>
<button type="button" class="tool hit" data-by="1" aria-label="Next hit" hidden>›</button>
<button type="button" class="tool return" aria-label="Back to where I was" hidden>↩ Back</button>
<button type="button" class="tool" id="view" hidden>Show as text</button>
<details id="contents" hidden><summary>Contents</summary><ol></ol></details></div>"""

DIALOGS = """\
<dialog id="open" aria-labelledby="open-title"><form method="dialog">
<h2 id="open-title">Open an article</h2>
<p class="hint">Or drop files anywhere on the page, or paste an address.</p>
<label>Address of a page <input type="text" id="address" inputmode="url" autocomplete="off"
 placeholder="example.org/news"></label>
<label class="file">Files: PDF, Word, HTML, Markdown, text
<input type="file" id="files" multiple></label>
<label>Text of an article <textarea id="text" rows="4" dir="auto"></textarea></label>
<label>Its title (optional) <input type="text" id="title" dir="auto" autocomplete="off"></label>
<p id="status" role="alert" dir="auto"></p>
<div class="row"><button type="submit" class="primary" id="open-this">Open</button>
<button type="submit">Close</button></div></form></dialog>
<dialog id="menu" aria-labelledby="menu-title"><form method="dialog">
<h2 id="menu-title">Articles and conversations</h2><div class="list"></div>
<p class="hint">They are kept in this browser, and nowhere else.</p>
<div class="row"><button type="button" class="delete-all">Delete all</button>
<button type="submit">Close</button></div></form></dialog>
<dialog id="shortcuts" aria-labelledby="keys-title"><form method="dialog">
<h2 id="keys-title">Keyboard</h2><dl><dt>Enter</dt><dd>Ask</dd><dt>Shift+Enter</dt><dd>New line</dd>
<dt>↑ in the empty box</dt><dd>The last question again</dd><dt>n, p</dt>
<dd>Next, previous sentence of the evidence, or hit of a search</dd><dt>Esc</dt>
<dd>Back to the question</dd>
<dt>/</dt><dd>Search in the article</dd><dt>o</dt><dd>Open an article</dd><dt>?</dt>
<dd>This list</dd></dl><div class="row"><button type="submit">Close</button></div></form>
</dialog>"""
