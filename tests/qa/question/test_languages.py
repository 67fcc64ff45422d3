"""A question's language is told by the words it asks with, or by all of them."""

from __future__ import annotations

import pytest

from qa.question.answer_type import answer_type
from qa.question.languages import question_language


@pytest.mark.parametrize(
    ("question", "language", "kind"),
    [
        ("Who was against it?", "en", "person"),
        ("Was kostet das Bad?", "de", "money"),
        ("Wie viele Boote fahren?", "de", "number"),
        ("Quand le pont a-t-il fermé ?", "fr", "date"),
        ("¿Quiénes protestaron?", "es", "person"),
        ("Perché il ponte è chiuso?", "it", "cause"),
        ("Onde fica a ponte?", "pt", "place"),
        ("Hoeveel kinderen waren er?", "nl", "number"),
        ("Почему закрыли мост?", "ru", "cause"),
        ("谁关闭了大桥？", "zh", "other"),
        ("Radek Vlk?", None, "other"),
    ],
)
def test_language_and_kind_of_a_question(question: str, language: str | None, kind: str) -> None:
    assert (question_language(question), answer_type(question)) == (language, kind)
