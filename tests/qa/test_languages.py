"""Articles in other languages, asked in them: cut into their sentences, and the right one first."""

from __future__ import annotations

import numpy as np
import pytest

from index.single.snapshot import ArticleSnapshot
from qa import ArticleBot, Library
from qa.ranking.candidates import legible
from qa.ranking.ranking import texts_of

ARTICLES = {
    "de": "Die Brücke am Hafen\n\nDie Stadt hat am 3. März 2021 die alte Brücke gesperrt."
    " Der Bürgermeister Dr. Hans Vogel nannte Rost als Ursache. Die Reparatur kostet z. B. rund"
    " zwei Millionen Euro. Schulkinder müssen nun einen Umweg von vier Kilometern gehen."
    " Die Fischer protestierten gegen die Sperrung.",
    "fr": "Le pont du port\n\nLa ville a fermé le vieux pont le 3 mars 2021. Le maire, M. Jean"
    " Dupont, a cité la rouille comme cause. La réparation coûtera environ deux millions d'euros."
    " Les écoliers doivent faire un détour de quatre kilomètres. Les pêcheurs ont protesté contre"
    " la fermeture.",
    "es": "El puente del puerto\n\nLa ciudad cerró el viejo puente el 3 de marzo de 2021."
    " El alcalde, el Sr. Juan Pérez, citó el óxido como causa. La reparación costará unos dos"
    " millones de euros. Los pescadores protestaron contra el cierre.",
    "ru": "Мост в порту\n\nГород закрыл старый мост 3 марта 2021 г. из-за ржавчины. Мэр Иван Петров"
    " сказал, что ремонт обойдётся в два миллиона рублей. Рыбаки протестовали против закрытия"
    " моста. Школьники ходят в обход четыре километра.",
    "ar": "جسر الميناء\n\nأغلقت المدينة الجسر القديم في مارس 2021. قال رئيس البلدية إن الصدأ هو"
    " السبب. ستكلف الإصلاحات مليوني يورو. هل سيدفع السكان؟ احتج الصيادون على الإغلاق.",
    "he": "הגשר בנמל\n\nהעירייה סגרה את הגשר הישן במרץ 2021. ראש העיר אמר שהחלודה היא הסיבה."
    " התיקון יעלה שני מיליון אירו. הדייגים מחו נגד הסגירה.",
    "zh": "港口大桥\n\n市政府于2021年3月关闭了旧桥。市长说原因是生锈。维修将花费两百万欧元。"
    "渔民抗议关闭大桥！学生们必须绕行四公里。",
    "ja": "港の橋\n\n市は2021年3月に古い橋を閉鎖した。市長は錆が原因だと述べた。"
    "修理には二百万ユーロかかる。漁師たちは閉鎖に抗議した。生徒は四キロ遠回りしなければならない。",
}


@pytest.fixture(scope="module")
def bots(cache: object) -> dict[str, ArticleBot]:
    return {language: ArticleBot.from_text(text) for language, text in ARTICLES.items()}


@pytest.fixture(scope="module")
def many(bots: dict[str, ArticleBot], tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library.open(tmp_path_factory.mktemp("languages") / "library")
    library.add([bot.article for bot in bots.values()])
    return library


@pytest.mark.parametrize(
    ("language", "sentences"),
    [("de", 5), ("fr", 5), ("es", 4), ("ru", 4), ("ar", 5), ("he", 4), ("zh", 5), ("ja", 5)],
)
def test_an_article_is_cut_by_the_rules_of_its_language(
    bots: dict[str, ArticleBot], language: str, sentences: int
) -> None:
    bot = bots[language]
    assert bot.article.language == language
    assert len(bot.index.sentences) == sentences


@pytest.mark.parametrize(
    ("language", "question", "words"),
    [
        ("de", "Was kostet die Reparatur?", "zwei Millionen"),
        ("de", "Wer protestierte?", "Fischer"),
        ("fr", "Combien coûtera la réparation ?", "deux millions"),
        ("fr", "Qui a protesté ?", "pêcheurs"),
        ("es", "¿Cuánto costará la reparación?", "dos millones"),
        ("es", "¿Quiénes protestaron?", "pescadores"),
        ("ru", "Кто протестовал?", "Рыбаки"),
        ("ru", "Сколько стоит ремонт?", "два миллиона"),
        ("ar", "من احتج على الإغلاق؟", "الصيادون"),
        ("ar", "كم ستكلف الإصلاحات؟", "مليوني"),
        ("he", "מי מחה נגד הסגירה?", "הדייגים"),
        ("he", "כמה יעלה התיקון?", "מיליון"),
        ("zh", "谁抗议关闭大桥？", "渔民"),
        ("zh", "维修花费多少？", "两百万"),
        ("ja", "誰が閉鎖に抗議した？", "漁師"),
        ("ja", "修理にはいくらかかる？", "二百万"),
    ],
)
def test_the_sentence_that_answers_is_first(
    bots: dict[str, ArticleBot], language: str, question: str, words: str
) -> None:
    answer = bots[language].ask(question)
    assert words in answer.citations[0].quote
    assert answer.interpreted_as is None


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("de", "Wie viele Einwohner hat die Mongolei?"),
        ("es", "¿Quién pintó el techo de la capilla?"),
        ("ru", "Какова длина экватора?"),
        ("ar", "كم عدد سكان منغوليا؟"),
        ("zh", "蒙古的首都是哪里？"),
    ],
)
def test_a_question_about_something_else_is_not_answered(
    bots: dict[str, ArticleBot], language: str, question: str
) -> None:
    assert not bots[language].ask(question).found


@pytest.mark.parametrize(
    ("language", "question", "said"),
    [
        ("en", "Wer hat protestiert?", "in German and the article in English"),
        ("en", "¿Cuánto cuesta el programa?", "in Spanish and the article in English"),
        ("en", "这个软件多少钱？", "in Chinese and the article in English"),
        ("de", "Who is the captain of the ship?", "in English and the article in German"),
    ],
)
def test_a_question_in_another_language_than_the_article_is_told_so(
    bots: dict[str, ArticleBot], bot: ArticleBot, language: str, question: str, said: str
) -> None:
    answer = (bots | {"en": bot})[language].ask(question)
    assert (answer.found, answer.citations) == (False, ())
    assert said in answer.why[0]
    assert "multilingual" in answer.why[0]


@pytest.mark.parametrize("language", ["de", "zh"])
def test_where_the_reader_does_not_know_the_language_it_is_off_and_says_so(
    bots: dict[str, ArticleBot], language: str
) -> None:
    answer = bots[language].ask({"de": "Wer protestierte?", "zh": "谁抗议关闭大桥？"}[language])
    assert all(citation.exact is None for citation in answer.citations)
    assert "no exact words are marked, for the reader knows English alone" in answer.why


def test_a_script_the_model_cannot_read_is_told_from_one_it_can(
    bots: dict[str, ArticleBot], bot: ArticleBot
) -> None:
    def readable(one: ArticleBot) -> bool:
        snapshot = ArticleSnapshot(one.index)
        pool = snapshot.pool(np.arange(len(one.index.passages)), ())
        return legible(pool, texts_of(snapshot, pool))

    assert {language for language, b in bots.items() if not readable(b)} == {
        "ru", "ar", "he", "zh", "ja",
    }  # fmt: skip
    assert readable(bot)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("¿Quiénes protestaron contra el cierre?", "pescadores"),
        ("Кто протестовал против закрытия?", "Рыбаки"),
        ("Combien coûtera la réparation ?", "deux millions"),
        ("Was kostet die Reparatur?", "zwei Millionen"),
    ],
)
def test_a_library_of_many_languages_is_asked_in_each(
    many: Library, question: str, words: str
) -> None:
    assert words in many.ask(question).citations[0].quote
