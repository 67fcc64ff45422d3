"""A cross-encoder has a second look at the best candidates, when it is asked to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from index import ModelError
from index.models.encoder import Encoder, Float32
from index.models.loading import resolve
from qa import ArticleBot
from qa.cli import main
from qa.ranking.reranker import BEST_PASSAGES, BEST_SENTENCES, load_reranker

QUESTION = "Why did Amazon halt police use?"


@dataclass
class Likes:
    """Scores a text by whether a word stands in it."""

    word: str
    name: str = "likes"
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def scores(self, question: str, texts: Sequence[str]) -> Float32:
        self.asked.append((question, tuple(texts)))
        return np.asarray([self.word in text for text in texts], dtype=np.float32)


def save_cross_encoder(folder: Path, *, num_labels: int = 1, seed: int = 0) -> str:
    """A cross-encoder of one small layer with random weights, on the bundled vocabulary."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(str(resolve().folder))
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=num_labels,
        initializer_range=1.0,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_cross_encoder(tmp_path_factory.mktemp("cross-encoder"))


def quotes(bot: ArticleBot, k: int = 30) -> list[str]:
    return [citation.quote for citation in bot.ask(QUESTION, k=k).citations]


def test_without_one_nothing_is_reordered(bot: ArticleBot) -> None:
    assert bot.reranker is None
    assert load_reranker(None) is None


def test_what_it_prefers_is_cited_earlier(bot: ArticleBot, encoder: Encoder) -> None:
    before = quotes(bot)
    word = before[4].split()[-1]  # of the fifth sentence cited
    after = quotes(ArticleBot(bot.index, encoder, reranker=Likes(word)))
    assert after.index(before[4]) < 4
    assert sorted(after) == sorted(before)


def test_only_the_best_are_looked_at_and_none_falls_behind_the_others(
    bot: ArticleBot, encoder: Encoder
) -> None:
    likes = Likes("no such word")
    plain, again = bot.ask(QUESTION, k=100), ArticleBot(bot.index, encoder, reranker=likes)
    answer = again.ask(QUESTION, k=100)
    [(question, texts)] = likes.asked
    assert question == QUESTION
    assert len(texts) <= BEST_PASSAGES + 2 * BEST_SENTENCES
    assert {c.quote for c in plain.citations[:BEST_SENTENCES]} <= set(texts)
    # A model that sees no difference makes none.
    assert answer == plain


def test_scores_stay_and_only_change_hands(bot: ArticleBot, tiny: str) -> None:
    again = ArticleBot.from_article(bot.article, reranker=tiny)
    before, after = bot.ask(QUESTION, k=30), again.ask(QUESTION, k=30)
    assert [c.score for c in after.citations] == [c.score for c in before.citations]
    assert [p.score for p in after.passages] == [p.score for p in before.passages]


def test_a_cross_encoder_from_a_folder_reorders_and_citations_stay_exact(
    bot: ArticleBot, tiny: str
) -> None:
    again = ArticleBot.open(reranker=tiny)
    assert again.reranker
    assert again.reranker.name == tiny
    before, answer = bot.ask(QUESTION, k=30), again.ask(QUESTION, k=30)
    assert [c.quote for c in answer.citations] != [c.quote for c in before.citations]
    for citation in answer.citations:
        assert again.article.text[citation.start : citation.end] == citation.quote
        assert citation.quote in citation.passage.text
    assert 0 <= answer.confidence <= 1
    assert again.ask(QUESTION, k=30) == answer


def test_confidence_is_that_of_the_sentences_put_first(bot: ArticleBot, encoder: Encoder) -> None:
    best = bot.ask(QUESTION)
    worst = Likes("")  # likes everything alike
    assert ArticleBot(bot.index, encoder, reranker=worst).ask(QUESTION) == best
    off = "What is the capital of Mongolia?"
    assert not ArticleBot.open(reranker=Likes("Amazon")).ask(off).found


def test_a_follow_up_is_looked_at_again_as_it_is_read(bot: ArticleBot, encoder: Encoder) -> None:
    likes = Likes("Microsoft")
    again = ArticleBot(bot.index, encoder, reranker=likes)
    first = again.ask(QUESTION)
    likes.asked.clear()
    again.ask("Why?", history=[first])
    [(question, _)] = likes.asked
    assert "Amazon" in question
    assert question.endswith("Why?")


def test_an_embedding_model_is_no_cross_encoder() -> None:
    with pytest.raises(ModelError, match="is no cross-encoder but BertModel; name one"):
        load_reranker(str(resolve().folder))


def test_a_model_of_several_scores_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="gives 3 scores"):
        load_reranker(save_cross_encoder(tmp_path, num_labels=3))


@pytest.mark.parametrize("name", ["/no/such/folder", "nobody/no-such-model"])
def test_a_model_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ModelError, match=f"the reranker '{name}' cannot be loaded"):
        load_reranker(name)


def test_the_shell_takes_it(tiny: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["ask", QUESTION, "--reranker", tiny, "--json"]) in (0, 1)
    answer = json.loads(capsys.readouterr().out)
    expected = ArticleBot.open(reranker=tiny).ask(QUESTION)
    assert [c["quote"] for c in answer["citations"]] == [c.quote for c in expected.citations]
    assert main(["ask", QUESTION, "--reranker", str(tmp_path)]) == 2
    assert "cannot be loaded" in capsys.readouterr().err
    assert main(["ask", QUESTION, "--reranker", tiny, "--library", "somewhere"]) == 2
    assert "--reranker is for one article" in capsys.readouterr().err


def test_an_evaluation_takes_it_and_says_so(
    tiny: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = str(Path(__file__).parents[2] / "data" / "bundled_questions.jsonl")
    run = str(tmp_path / "run")
    assert main(["evaluate", data, "--limit", "3", "--reranker", tiny, "--run", run]) == 0
    assert f"reranker {tiny}" in capsys.readouterr().out
    assert json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))["reranker"] == tiny
    assert main(["evaluate", data, "--limit", "3", "--run", run, "--resume"]) == 2
    assert "field 'reranker'" in capsys.readouterr().err
