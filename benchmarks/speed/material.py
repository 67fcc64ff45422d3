"""What the benchmark asks: an article of a given size, and questions that are all different."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, islice

from index.article import Article
from index.errors import DataError
from index.reading.plaintext import article_from_text
from index.reading.reader import bundled_article

__all__ = ["Material", "material"]

_SENTENCES = 5
_WINDOW = 7
_OPENERS = ("Why", "Who said that", "When", "What is known of", "How many", "Where did")


@dataclass(frozen=True, slots=True)
class Material:
    """An article and questions about it.

    Attributes:
        name: Where it comes from.
        article: What is asked.
        paragraphs: Its paragraphs, one or more, as the plain recipe encodes them.
        questions: One or more; none twice.
    """

    name: str
    article: Article
    paragraphs: tuple[str, ...]
    questions: tuple[str, ...]


def material(data: str | None, n_paragraphs: int, n_questions: int) -> Material:
    """An article of so many paragraphs, and so many questions, or as many as there are.

    Args:
        data: A file of questions and the texts they are about; None to make do with the
            bundled article.
        n_paragraphs: Paragraphs wanted; the longer of the data's articles are cut.
        n_questions: Questions wanted.

    Raises:
        DataError: The file cannot be read, or holds no question about one text.
    """
    if data is None:
        return _from_bundled_article(n_paragraphs, n_questions)
    from qa.evaluation.formats import read_dataset  # deferred: nothing else here needs it

    dataset = read_dataset(data)
    asked: dict[str, dict[str, None]] = {}
    for question in dataset.questions:
        if question.document is not None:
            asked.setdefault(question.document, {})[question.text] = None
    if not asked:
        raise DataError(f"{data}: holds no question about a text of its own")
    documents = [dataset.documents[name] for name in asked]
    # The first that is long enough, else the longest.
    document = max(documents, key=lambda document: min(len(document.paragraphs), n_paragraphs))
    paragraphs = tuple(
        document.article.text[start:end] for start, end in document.paragraphs[:n_paragraphs]
    )
    questions = tuple(islice(asked[document.id], n_questions))
    article = article_from_text("\n\n".join(paragraphs))
    return Material(f"{dataset.name}, {document.id}", article, paragraphs, questions)


def _from_bundled_article(n_paragraphs: int, n_questions: int) -> Material:
    """The bundled article's sentences, in ever new company."""
    from index.segmentation.passages import segment

    article = bundled_article()
    sentences = [
        article.text[sentence.start : sentence.end]
        for sentence in segment(article, lambda texts: [len(t.split()) for t in texts], 256)[1]
    ]
    # A step that shares no factor with their number: paragraphs come back late, if ever.
    n = len(sentences)
    paragraphs = tuple(
        " ".join(
            sentences[(p * (_SENTENCES + 2) + s * (p % (n - 1) + 1)) % n] for s in range(_SENTENCES)
        )
        for p in range(n_paragraphs)
    )
    windows = (
        " ".join(words[start : start + _WINDOW])
        for words in map(str.split, sentences)
        for start in range(max(1, len(words) - _WINDOW + 1))
    )
    asked = dict.fromkeys(
        f"{opener} {window}?" for window, opener in zip(windows, cycle(_OPENERS), strict=False)
    )
    questions = tuple(islice(asked, n_questions))
    text = "\n\n".join(paragraphs)
    name = "the bundled article's sentences, reshuffled"
    return Material(name, article_from_text(text), paragraphs, questions)
