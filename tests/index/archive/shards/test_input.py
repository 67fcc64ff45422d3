"""What an archive is built from: the same parts every time, and nothing dropped in silence."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Article, SourceError
from index.archive.shards.input import ArchiveInput, InputArticle, Limits, Part
from index.archive.shards.location import Location


def sentence(number: int) -> str:
    return f"Ferry number {number} left the harbour at noon."


def write_lines(path: Path, records: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def of(path: object) -> ArchiveInput:
    return ArchiveInput(Location(str(path)))


def everything(source: ArchiveInput, limits: Limits | None = None) -> list[InputArticle]:
    return [one for part in source.parts(limits or Limits()) for one in source.read(part)]


def texts(readings: Sequence[InputArticle]) -> list[str]:
    return [r.found.text if isinstance(r.found, Article) else str(r.found) for r in readings]


def test_a_folder_is_read_in_order_of_names_and_hidden_files_are_not(tmp_path: Path) -> None:
    for name in ("b.txt", "a/2.md", "a/1.txt", "a.txt", ".git/c.txt", ".d.txt", "e.exe", "f"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"This is the text of {name}.")
    readings = everything(of(tmp_path))
    assert [reading.source for reading in readings] == [
        str(tmp_path / name) for name in ("a/1.txt", "a/2.md", "a.txt", "b.txt")
    ]
    assert texts(readings)[0] == "This is the text of a/1.txt."


def test_files_lines_and_rows_may_lie_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text(sentence(1))
    write_lines(tmp_path / "2.jsonl", [{"text": sentence(2)}, {"text": sentence(3)}])
    rows = {"text": [sentence(4), sentence(5)], "published": [date(2021, 5, 18), None],
            "authors": [["Ann"], None], "thumbnail": [b"\xff", b""]}  # fmt: skip
    pq.write_table(pa.table(rows), tmp_path / "3.parquet")
    (tmp_path / "4.txt").write_text(sentence(6))
    readings = everything(of(tmp_path))
    assert texts(readings) == [sentence(number) for number in range(1, 7)]
    row = readings[3].found
    assert isinstance(row, Article)
    assert (row.published, row.authors) == ("2021-05-18", ("Ann",))


def test_shards_that_lie_in_the_folder_are_no_input(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text(sentence(1))
    for name in ("x.shards", "a/y.shards/b"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "shard-000000-0123456789abcdef.parquet").write_text("PAR1")
        (tmp_path / name / "2.txt").write_text(sentence(2))
    assert texts(everything(of(tmp_path))) == [sentence(1)]


def test_a_path_is_a_path_whatever_it_looks_like(tmp_path: Path) -> None:
    folder = tmp_path / "zip::[a]*"
    folder.mkdir()
    (folder / "1.txt").write_text(sentence(1))
    assert texts(everything(of(folder))) == [sentence(1)]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> ArchiveInput:
    folder = tmp_path_factory.mktemp("mixed")
    for number in range(5):
        (folder / f"{number}.txt").write_text(sentence(number) * (number + 1))
    lines = [json.dumps({"text": sentence(n), "n": "x" * n * 7}) for n in range(20)]
    (folder / "lines.jsonl").write_text("\n".join([*lines[:5], "", "  ", *lines[5:]]))
    rows = {"text": [sentence(number) for number in range(20)]}
    pq.write_table(pa.table(rows), folder / "rows.parquet", row_group_size=3)
    return of(folder)


@given(st.integers(1, 30), st.integers(1, 3000))
def test_however_an_input_is_cut_the_same_articles_come_in_the_same_order(
    mixed: ArchiveInput, articles: int, n_bytes: int
) -> None:
    limits = Limits(articles, n_bytes)
    whole = everything(mixed)
    assert len(whole) == 45
    parts = mixed.parts(limits)
    assert parts == mixed.parts(limits)
    assert [part.number for part in parts] == list(range(len(parts)))
    assert len({part.fingerprint for part in parts}) == len(parts)
    assert all(part.n <= articles for part in parts)
    assert sum(part.n for part in parts) == 45
    assert everything(mixed, limits) == whole


def test_what_cannot_be_read_is_named_by_file_and_line_and_reason(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\0\1\2")
    path = tmp_path / "b.jsonl"
    path.write_bytes(b'{"text": "A fine day."}\n\n{"text": 1}\n[]\n{"te\n\xff\xfe\n' + b"[" * 10**5)
    readings = everything(of(tmp_path))
    said = [f"{r.name}: {r.found}" for r in readings if isinstance(r.found, SourceError)]
    expected = (
        "a.txt: .*binary",
        "b.jsonl, line 3: text must be",
        "line 4: .*no JSON object",
        "line 5: it is not JSON",
        "line 6: it is not JSON",
        "line 7: it is not JSON",
    )
    for told, pattern in zip(said, expected, strict=True):
        assert re.search(pattern, told)
    assert len(readings) == 7


def test_a_line_without_end_is_refused_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.archive.shards.input.MAX_BYTES", 100)
    records = [{"text": sentence(1)}, {"text": "x" * 950}, {"text": sentence(3)}]
    readings = everything(of(write_lines(tmp_path / "a.jsonl", records)), Limits(articles=1))
    assert [reading.name.rpartition(" ")[2] for reading in readings] == ["1", "2", "3"]
    assert isinstance(readings[1].found, SourceError)
    assert texts(readings)[2] == sentence(3)


def test_an_input_that_changes_under_the_builder_is_noticed(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{"text": sentence(n)} for n in range(3)])
    source = of(path)
    (part,) = source.parts(Limits())
    write_lines(path, [{"text": sentence(n)} for n in (0, 9, 2)])
    with pytest.raises(SourceError, match="changed while the archive was built"):
        list(source.read(part))


def test_what_is_added_at_the_end_leaves_the_parts_before_it_as_they_were(tmp_path: Path) -> None:
    records = [{"text": sentence(n)} for n in range(10)]
    source = of(write_lines(tmp_path / "a.jsonl", records[:8]))
    before = source.parts(Limits(articles=4))
    write_lines(tmp_path / "a.jsonl", records)
    assert source.parts(Limits(articles=4))[:2] == before


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("absent", None, "there is no file or folder"),
        ("empty", "", "holds no article; those read are .*.jsonl.*.txt"),
        ("a.parquet", "no table", "cannot read .*a.parquet"),
    ],
)
def test_an_input_without_articles_is_refused(
    name: str, data: str | None, message: str, tmp_path: Path
) -> None:
    if data:
        (tmp_path / name).write_text(data)
    elif data is not None:
        (tmp_path / name).mkdir()
    with pytest.raises(SourceError, match=message):
        of(tmp_path / name).parts(Limits())


def test_a_table_without_a_text_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    pq.write_table(pa.table({"body": ["x"], "id": [1]}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="no column 'text', but body, id"):
        of(tmp_path).parts(Limits())


def test_an_input_may_lie_behind_a_url(tmp_path: Path) -> None:
    fsspec.filesystem("memory").pipe(
        {
            "/news/b.jsonl": json.dumps({"text": sentence(2)}).encode(),
            "/news/a/1.txt": sentence(1).encode(),
            "/news/.hidden/2.txt": b"Not read.",
        }
    )
    readings = everything(of("memory://news"))
    assert texts(readings) == [sentence(1), sentence(2)]
    assert readings[0].source == "memory:///news/a/1.txt"
    assert texts(everything(of("memory://news/b.jsonl"))) == [sentence(2)]
    path = write_lines(tmp_path / "a.jsonl", [{"text": sentence(3)}])
    assert texts(everything(of(path.as_uri()))) == [sentence(3)]
    with pytest.raises(SourceError, match="nothing at 'memory://nowhere'"):
        of("memory://nowhere").parts(Limits())


def test_a_part_says_what_it_holds() -> None:
    assert str(Part(0, "lines", ("a.jsonl",), 0, 65, 64, "")) == "a.jsonl, 64 from line 65"
    assert str(Part(0, "files", ("a.txt", "b.txt"), 0, 1, 2, "")) == "a.txt to b.txt"
