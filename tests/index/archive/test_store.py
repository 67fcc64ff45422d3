"""What every store must do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from index import QuestionError, UnknownArticle
from index.archive.folder.store import FolderStore
from index.archive.milvus.store import MilvusStore
from index.archive.store import Snapshot, Store, Where
from index.scoring.bm25 import bm25, idf
from index.scoring.pool import sum_by_passage
from index.scoring.terms import Postings, TermTable
from tests.support.archive import DIM, MODEL, generated, make_article, prepare, vector_of_text
from tests.support.milvus import give_back, temporary_store

STORES: dict[str, Callable[[Path], Store]] = {
    "folder": lambda path: FolderStore.create(path / "library", MODEL),
    "milvus": lambda path: temporary_store(MODEL),
}


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = STORES[request.param](tmp_path)
    yield made
    if isinstance(made, MilvusStore):
        give_back(made)
    made.close()


@pytest.fixture(params=["fresh", "flushed", "compacted", "changed since"])
def filled(request: pytest.FixtureRequest, store: Store) -> Store:
    """The same twenty articles, however they came to be there."""
    articles = generated(20)
    if request.param == "changed since":
        store.add(generated(3, seed=9))
        store.add(articles[:12])
        store.compact()
        store.add(articles[12:])
        store.remove([prepared.article.id for prepared in generated(3, seed=9)])
    else:
        store.add(articles)
    if request.param == "flushed":
        store.flush()
    if request.param == "compacted":
        store.compact()
    return store


def texts(snapshot: Snapshot, rows: np.ndarray) -> list[str]:
    pool = snapshot.pool(rows, ())
    return [
        snapshot.article(pool.articles[a]).text[start:end]
        for a, (start, end) in zip(pool.article_of, pool.passage_spans, strict=True)
    ]


ALL = [p for article in generated(20) for p in article.article.text.split("\n")]


def test_an_empty_store_finds_nothing(store: Store) -> None:
    with store.read() as snapshot:
        assert snapshot.statistics.n_articles == snapshot.statistics.n_passages == 0
        assert len(snapshot.dense(vector_of_text("harbour"), 5).rows) == 0
        assert len(snapshot.lexical(["harbour"], 5).rows) == 0
        assert snapshot.entries() == ()


def test_an_article_comes_back_exactly_as_it_was_added(filled: Store) -> None:
    with filled.read() as snapshot:
        for prepared in generated(20):
            assert snapshot.article(prepared.article.id) == prepared.article


def test_text_that_is_not_even_unicode_comes_back(store: Store) -> None:
    article = make_article("A lone \ud800 surrogate, a \x00 NUL and \U0001f600.", title="\ud801")
    store.add([prepare(article)])
    with store.read() as snapshot:
        assert snapshot.article(article.id) == article
        assert snapshot.entries()[0].title == "\ud801"


def test_entries_say_what_was_given(filled: Store) -> None:
    with filled.read() as snapshot:
        entries = {entry.id: entry for entry in snapshot.entries()}
    assert len(entries) == 20
    for prepared in generated(20):
        entry, article = entries[prepared.article.id], prepared.article
        assert (entry.hash, entry.title, entry.authors) == (
            article.hash,
            article.title,
            article.authors,
        )
        assert (entry.published, entry.site, entry.tags) == (
            article.published,
            article.site,
            prepared.tags,
        )
        assert (entry.n_passages, entry.n_characters) == (3, len(article.text))


def test_entries_can_be_read_page_by_page(filled: Store) -> None:
    with filled.read() as snapshot:
        everything = snapshot.entries()
        assert snapshot.entries(limit=7, offset=14) == everything[14:]
        tagged = snapshot.entries(Where(tags=("even",)))
        assert snapshot.entries(Where(tags=("even",)), limit=3, offset=2) == tagged[2:5]


def test_counts_are_those_of_what_is_there(filled: Store) -> None:
    table = TermTable.of(ALL)
    with filled.read() as snapshot:
        statistics = snapshot.statistics
        assert (statistics.n_articles, statistics.n_passages, statistics.n_sentences) == (
            20,
            60,
            60,
        )
        assert statistics.n_terms == len(table.ids)
        terms = list(table.vocabulary[:10])
        counted = [sum(term in TermTable.of([t]).vocabulary for t in ALL) for term in terms]
        assert snapshot.document_frequencies([*terms, "absent"]).tolist() == [*counted, 0]


def test_word_pieces_are_counted_by_passage(filled: Store) -> None:
    wanted = generated(20)[0].passages[0].token_ids[:4]
    counted = [
        sum(int(piece) in p.token_ids for a in generated(20) for p in a.passages)
        for piece in wanted
    ]
    with filled.read() as snapshot:
        assert snapshot.piece_frequencies(wanted).tolist() == counted


@pytest.mark.parametrize("query", ["harbour violin", "granite comet velvet tundra", ALL[7]])
def test_the_dense_search_is_that_of_the_vectors(filled: Store, query: str) -> None:
    vector = vector_of_text(query)
    scores = np.stack([vector_of_text(text) for text in ALL]) @ vector
    with filled.read() as snapshot:
        hits = snapshot.dense(vector, 8)
        assert texts(snapshot, hits.rows) == [ALL[i] for i in np.argsort(-scores)[:8]]
        np.testing.assert_allclose(hits.scores, np.sort(scores)[::-1][:8], atol=0.01)


@pytest.mark.parametrize("query", [["harbour"], ["violin", "comet", "violin"], ["absent", "ember"]])
def test_the_lexical_search_is_bm25_over_everything(filled: Store, query: list[str]) -> None:
    from index.scoring.terms import terms

    query = [term for word in query for term in terms(word)]
    table = TermTable.of(ALL)
    known = [table.vocabulary.index(term) for term in query if term in table.vocabulary]
    scores = Postings(table).scores(known)
    with filled.read() as snapshot:
        hits = snapshot.lexical(query, 8)
        expected = np.sort(scores)[::-1][:8]
        np.testing.assert_allclose(hits.scores, expected[expected > 0], rtol=1e-5)
        by_text = dict(zip(ALL, scores.tolist(), strict=True))
        found = [by_text[text] for text in texts(snapshot, hits.rows)]
        np.testing.assert_allclose(found, hits.scores, rtol=1e-5)


def test_no_term_that_is_known_finds_nothing(filled: Store) -> None:
    with filled.read() as snapshot:
        assert len(snapshot.lexical(["absent"], 5).rows) == 0
        assert len(snapshot.lexical([], 5).rows) == 0


def test_a_pool_holds_what_was_stored(filled: Store) -> None:
    prepared = generated(20)[4]
    with filled.read() as snapshot:
        hits = snapshot.dense(prepared.passages[1].vector, 1)
        pool = snapshot.pool(hits.rows, ["ember", "violin"])
    passage = prepared.passages[1]
    assert pool.articles == (prepared.article.id,)
    assert pool.passage_spans.tolist() == [[passage.start, passage.end]]
    assert pool.sentence_spans.tolist() == passage.sentence_spans.tolist()
    assert (pool.paragraphs.tolist(), pool.pages.tolist()) == ([1], [2])
    assert pool.traits.tolist() == passage.traits.tolist()
    assert pool.token_starts.tolist() == passage.token_starts.tolist()
    assert np.einsum("ij,ij->i", pool.tokens.vectors(), passage.token_vectors).min() > 0.99
    assert pool.lengths.tolist() == [len(passage.terms[0])]
    assert pool.term_counts.tolist() == [
        [passage.terms[0].count("ember"), passage.terms[0].count("violin")]
    ]


def test_a_prepared_article_can_be_added_to_another_store(filled: Store, tmp_path: Path) -> None:
    there = generated(20)[4]
    with filled.read() as snapshot:
        again = snapshot.prepared(there.article.id)
    assert (again.article, again.tags, again.source) == (there.article, there.tags, there.source)
    for old, new in zip(there.passages, again.passages, strict=True):
        assert (new.start, new.end, new.paragraph, new.page) == (
            old.start,
            old.end,
            old.paragraph,
            old.page,
        )
        assert new.terms == old.terms
        for name in ("token_ids", "sentence_spans", "token_starts", "traits"):
            assert getattr(new, name).tolist() == getattr(old, name).tolist()
        assert float(new.vector @ old.vector) > 0.999
        assert np.einsum("ij,ij->i", new.token_vectors, old.token_vectors).min() > 0.99
    copy = FolderStore.create(tmp_path / "copy", MODEL)
    copy.add([again])
    with copy.read() as snapshot:
        assert snapshot.article(there.article.id) == there.article
    with filled.read() as snapshot, pytest.raises(UnknownArticle):
        snapshot.prepared("absent")


def test_a_pool_keeps_the_order_that_was_asked_for(filled: Store) -> None:
    with filled.read() as snapshot:
        rows = snapshot.dense(vector_of_text("harbour"), 6).rows
        assert texts(snapshot, rows[::-1]) == texts(snapshot, rows)[::-1]


def test_bm25_of_a_pool_is_the_lexical_searchs(filled: Store) -> None:
    with filled.read() as snapshot:
        hits = snapshot.lexical(["comet", "ember"], 9)
        pool = snapshot.pool(hits.rows, ["comet", "ember"])
        n = snapshot.statistics.n_passages
        weights = [idf(df, n) for df in snapshot.document_frequencies(["comet", "ember"]).tolist()]
        scores = bm25(
            sum_by_passage(pool.term_counts, pool),
            sum_by_passage(pool.lengths, pool),
            snapshot.statistics.passage_length,
            np.asarray(weights, dtype=np.float32),
        )
    np.testing.assert_allclose(scores, hits.scores, rtol=1e-5)


WHERES = [
    (Where(published_from=date(2015, 1, 1)), lambda a, t: a.published >= "2015-01-01"),
    (Where(published_until=date(2014, 12, 31)), lambda a, t: a.published < "2015"),
    (Where(authors=("author 1",)), lambda a, t: a.authors == ("Author 1",)),
    (Where(sites=("HERALD",)), lambda a, t: a.site == "Herald"),
    (Where(tags=("rest", "absent")), lambda a, t: "rest" in t),
    (
        Where(tags=("odd",), authors=("Author 0", "Author 2")),
        lambda a, t: "odd" in t and a.authors[0] != "Author 1",
    ),
    (Where(sites=("Nowhere",)), lambda a, t: False),
]


@pytest.mark.parametrize(("where", "fits"), WHERES)
def test_filters_are_applied_before_ranking(
    filled: Store, where: Where, fits: Callable[..., bool]
) -> None:
    chosen = [p for p in generated(20) if fits(p.article, p.tags)]
    ids = {p.article.id for p in chosen}
    with filled.read() as snapshot:
        assert {entry.id for entry in snapshot.entries(where)} == ids
        # As many as there are, not as many as are left of the best of all.
        assert len(snapshot.dense(vector_of_text("harbour"), 60, where).rows) == 3 * len(chosen)
        for hits in (
            snapshot.dense(vector_of_text("harbour"), 10, where),
            snapshot.lexical(["comet"], 10, where),
        ):
            if len(hits.rows):
                assert set(snapshot.pool(hits.rows, ()).articles) <= ids


def test_ids_are_a_filter_too_and_unknown_ones_match_nothing(filled: Store) -> None:
    first, second = (p.article.id for p in generated(2))
    with filled.read() as snapshot:
        found = snapshot.entries(Where(ids=(first, "absent", second), tags=("even",)))
        assert [entry.id for entry in found] == [first]


def test_a_date_that_is_known_to_the_year_is_within_it(store: Store) -> None:
    store.add([prepare(make_article("A year alone.", published="2019"))])
    store.add([prepare(make_article("No date at all."))])
    with store.read() as snapshot:
        assert len(snapshot.entries(Where(published_from=date(2019, 5, 1)))) == 1
        assert len(snapshot.entries(Where(published_until=date(2018, 12, 31)))) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"published_from": "2020-01-01"},
        {"tags": ["a"]},
        {"tags": "a"},
        {"authors": ("",)},
        {"published_from": date(2021, 1, 1), "published_until": date(2020, 1, 1)},
    ],
)
def test_a_filter_that_means_nothing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(QuestionError):
        Where(**wrong)  # type: ignore[arg-type]


def test_what_was_removed_is_not_found_any_more(filled: Store) -> None:
    gone = generated(20)[3]
    filled.remove([gone.article.id])
    with filled.read() as snapshot:
        hits = snapshot.dense(gone.passages[0].vector, 60)
        assert len(hits.rows) == 57
        assert gone.article.id not in snapshot.pool(hits.rows, ()).articles
        with pytest.raises(UnknownArticle, match="holds no article"):
            snapshot.article(gone.article.id)
        number = next(t for t in gone.passages[0].terms[0] if t.startswith("number"))
        assert snapshot.document_frequencies([number]).tolist() == [0]


def test_removing_is_all_or_nothing(filled: Store) -> None:
    there = generated(20)[0].article.id
    with pytest.raises(UnknownArticle, match="nothing was removed"):
        filled.remove([there, "absent"])
    with filled.read() as snapshot:
        assert snapshot.article(there)
        assert snapshot.statistics.n_articles == 20


def test_everything_can_be_removed_and_added_again(filled: Store) -> None:
    filled.remove([p.article.id for p in generated(20)])
    filled.compact()
    with filled.read() as snapshot:
        assert snapshot.statistics.n_passages == 0
        assert len(snapshot.dense(vector_of_text("harbour"), 5).rows) == 0
    filled.add(generated(20))
    test_counts_are_those_of_what_is_there(filled)


def test_adding_what_is_there_replaces_its_metadata(filled: Store) -> None:
    old = generated(20)[5]
    new = make_article(old.article.text, title="Corrected", published="2001-02-03")
    filled.add([prepare(new, tags=("corrected",))])
    with filled.read() as snapshot:
        assert snapshot.statistics.n_articles == 20
        assert snapshot.article(old.article.id) == new
        assert [e.title for e in snapshot.entries(Where(tags=("corrected",)))] == ["Corrected"]
        assert snapshot.entries(Where(published_until=date(2001, 12, 31)))


def test_an_article_can_take_the_place_of_another_in_one_step(filled: Store) -> None:
    old = generated(20)[6].article.id
    new = prepare(make_article("Quite another text about walnut trees."))
    filled.add([new], replacing=[old])
    with filled.read() as snapshot:
        ids = {entry.id for entry in snapshot.entries()}
    assert old not in ids
    assert new.article.id in ids
    with pytest.raises(UnknownArticle):
        filled.add([prepare(make_article("Never to be seen."))], replacing=["absent"])
    with filled.read() as snapshot:
        assert snapshot.statistics.n_articles == 20


def test_one_text_given_twice_is_one_article(store: Store) -> None:
    article = prepare(make_article("The same text."))
    store.add([article, article])
    store.add([article])
    with store.read() as snapshot:
        assert snapshot.statistics.n_articles == 1


def test_a_snapshot_does_not_move(filled: Store) -> None:
    extra, gone = generated(2, seed=5), generated(20)[0].article.id
    with filled.read() as before:
        first = before.dense(extra[0].passages[0].vector, 60)
        filled.add(extra)
        filled.remove([gone])
        again = before.dense(extra[0].passages[0].vector, 60)
        assert first.rows.tolist() == again.rows.tolist()
        assert before.article(gone)
        assert before.statistics.n_articles == 20
    with filled.read() as after:
        assert after.statistics.n_articles == 21
        best = after.dense(extra[0].passages[0].vector, 1)
        assert after.pool(best.rows, ()).articles == (extra[0].article.id,)


def test_statistics_do_not_depend_on_how_articles_came(store: Store) -> None:
    for prepared in generated(20):
        store.add([prepared])
    with store.read() as snapshot:
        one_by_one = snapshot.lexical(["comet", "ember"], 60)
    store.compact()
    with store.read() as snapshot:
        together = snapshot.lexical(["comet", "ember"], 60)
    np.testing.assert_array_equal(one_by_one.rows, together.rows)
    np.testing.assert_allclose(one_by_one.scores, together.scores, rtol=1e-6)


def test_the_model_is_remembered(store: Store) -> None:
    assert store.model == MODEL
    assert store.model.dimension == DIM
