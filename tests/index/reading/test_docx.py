"""Word files as other editors than Word write them, and what Word itself writes now and then."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import pytest

from index import Article, BlockKind, read_article

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_TYPES = "http://purl.oclc.org/ooxml/officeDocument/relationships"


def relations(**targets: str) -> str:
    entries = "".join(
        f'<Relationship Type="{kind}" Target="{to}"/>' for kind, to in targets.items()
    )
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{entries}</Relationships>'


def related(kind: str, target: str, types: str = TYPES) -> str:
    return relations(**{f"{types}/{kind}": target})


def read(
    body: str,
    *,
    namespace: str = WORD,
    types: str = TYPES,
    part: str = "word/document.xml",
    target: str | None = None,
    others: Mapping[str, str] | None = None,
) -> Article:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", related("officeDocument", target or part, types))
        archive.writestr(
            part,
            f'<w:document xmlns:w="{namespace}" xmlns:v="urn:schemas-microsoft-com:vml"'
            ' xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
            ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
            f"<w:body>{body}</w:body></w:document>",
        )
        for name, data in (others or {}).items():
            archive.writestr(name, data)
    return read_article(file.getvalue())


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def p(text: str, style: str = "") -> str:
    mark = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{mark}{run(text)}</w:p>"


def table(*rows: str) -> str:
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


def cell(*paragraphs: str, span: int = 1) -> str:
    width = f'<w:tcPr><w:gridSpan w:val="{span}"/></w:tcPr>'
    return f"<w:tc>{width}{''.join(map(p, paragraphs))}</w:tc>"


def box(*paragraphs: str) -> str:
    return f"<w:txbxContent>{''.join(map(p, paragraphs))}</w:txbxContent>"


@pytest.mark.parametrize(
    ("part", "target"),
    [
        ("word/document2.xml", "word/document2.xml"),
        ("word/document.xml", "/word/document.xml"),
        ("word/document.xml", "./word/document.xml"),
        ("text/main.xml", "text/main.xml"),
    ],
)
def test_the_document_is_found_by_its_relationship(part: str, target: str) -> None:
    assert read(p("The bridge is shut."), part=part, target=target).text == "The bridge is shut."


def test_a_strict_document_is_read() -> None:
    article = read(p("The bridge is shut."), namespace=STRICT, types=STRICT_TYPES)
    assert article.text == "The bridge is shut."


def test_styles_are_found_by_their_relationship() -> None:
    style = '<w:style w:styleId="a1"><w:name w:val="heading 2"/></w:style>'
    styles = f'<w:styles xmlns:w="{WORD}">{style}</w:styles>'
    others = {"word/_rels/main.xml.rels": related("styles", "s7.xml"), "word/s7.xml": styles}
    article = read(p("Costs", "a1") + p("It costs much."), part="word/main.xml", others=others)
    assert (article.blocks[0].kind, article.blocks[0].level) == (BlockKind.HEADING, 2)


def test_controls_and_custom_xml_around_anything_are_no_obstacle() -> None:
    held = f"<w:sdt><w:sdtContent>{cell('Roads')}</w:sdtContent></w:sdt>{cell('40 million')}"
    article = read(
        f"<w:sdt><w:sdtContent>{p('In a control.')}</w:sdtContent></w:sdt>"
        f"<w:customXml>{p('In custom XML.')}</w:customXml>{table(held)}"
        f"<w:p><w:customXml>{run('Within')}</w:customXml>"
        f"<w:sdt><w:sdtContent>{run(' a line.')}</w:sdtContent></w:sdt></w:p>"
    )
    assert article.text.split("\n\n") == [
        "In a control.",
        "In custom XML.",
        "Roads | 40 million",
        "Within a line.",
    ]


def test_a_table_in_a_cell_is_read_once_under_its_row() -> None:
    inner = f"<w:tc>{p('Budget')}{table(cell('Roads') + cell('40'))}{p('')}</w:tc>{cell('2024')}"
    assert read(table(inner)).text == "Budget | 2024\n\nRoads | 40"


def test_cells_keep_their_columns_and_the_row_over_them_is_known() -> None:
    article = read(
        table(
            cell("Region") + cell("2022") + cell("2023"),
            cell("North") + cell("") + cell("500"),
            cell("All", span=2) + cell("700"),
        )
    )
    assert article.text == "Region | 2022 | 2023\n\nNorth | | 500\n\nAll | | 700"
    assert [block.level for block in article.blocks] == [1, 0, 0]


@pytest.mark.parametrize(
    "drawing",
    [
        f"<mc:AlternateContent><mc:Choice>{box('One.', 'Two.')}</mc:Choice>"
        f"<mc:Fallback>{box('One.', 'Two.')}</mc:Fallback></mc:AlternateContent>",
        f"<mc:AlternateContent><mc:Choice/><mc:Fallback>{box('One.', 'Two.')}</mc:Fallback>"
        "</mc:AlternateContent>",
        f"<w:pict><v:textbox>{box('One.', 'Two.')}</v:textbox></w:pict>",
    ],
)
def test_a_text_box_is_paragraphs_of_its_own(drawing: str) -> None:
    article = read(f"<w:p><w:r>{drawing}</w:r>{run('Beside it.')}</w:p>")
    assert article.text == "Beside it.\n\nOne.\n\nTwo."


def test_hidden_text_is_left_out_by_itself_or_by_its_style() -> None:
    styles = (
        f'<w:styles xmlns:w="{WORD}"><w:style w:styleId="h"><w:name w:val="Note"/>'
        "<w:rPr><w:vanish/></w:rPr></w:style></w:styles>"
    )
    shown, note = run("Shown.", "<w:vanish w:val='0'/>"), run("Secret.", "<w:rStyle w:val='h'/>")
    article = read(
        f"<w:p>{run('Secret.', '<w:vanish/>')}{shown}{note}</w:p>{p('Secret.', 'h')}",
        others={"word/styles.xml": styles},
    )
    assert article.text == "Shown."


def test_an_equation_is_kept_as_its_text() -> None:
    square = (
        "<m:sSup><m:e><m:r><m:t>c</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>"
    )
    line = f"{run('Energy is ')}<m:oMath><m:r><m:t>m</m:t></m:r>{square}</m:oMath>{run('.')}"
    alone = "<m:oMathPara><m:oMath><m:r><m:t>a=b</m:t></m:r></m:oMath></m:oMathPara>"
    assert read(f"<w:p>{line}</w:p><w:p>{alone}</w:p>").text == "Energy is mc2.\n\na=b"


def test_ruby_is_read_without_its_reading() -> None:
    parts = f"<w:rt>{run('とうきょう')}</w:rt><w:rubyBase>{run('東京')}</w:rubyBase>"
    ruby = f"<w:r><w:ruby>{parts}</w:ruby></w:r>"
    assert read(f"<w:p>{ruby}{run('の図書館。')}</w:p>").text == "東京の図書館。"


def test_symbols_are_the_characters_that_are_drawn() -> None:
    signs = '<w:sym w:font="Symbol" w:char="F061"/><w:sym w:font="Symbol" w:char="F0B3"/>'
    others = '<w:sym w:font="Arial" w:char="00B0"/><w:sym w:font="Wingdings" w:char="F04A"/>'
    assert read(f"<w:p><w:r>{signs}</w:r>{run(' 5')}<w:r>{others}</w:r></w:p>").text == "α≥ 5°"


def test_what_was_deleted_and_what_fields_are_made_from_is_no_text() -> None:
    field = '<w:fldChar w:fldCharType="begin"/><w:instrText>PAGEREF x</w:instrText>'
    changes = f"<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins>{run(' New.')}</w:ins>"
    assert read(f"<w:p><w:r>{field}</w:r>{run('Old.')}{changes}</w:p>").text == "Old. New."
