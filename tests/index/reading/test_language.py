"""Languages are told offline from a paragraph."""

# ruff: noqa: E501  a text a line

from __future__ import annotations

import pytest

from index.reading.language import detect_language

TEXTS = {
    "en": "The council said that it would not be the last of these rules, and that they are here to stay for all of us in the city.",
    "de": "Der Rat sagte, dass dies nicht die letzte dieser Regeln sein werde und dass sie für alle in der Stadt gelten, auch wenn es einige nicht wollen.",
    "fr": "Le conseil a dit que ce ne serait pas la dernière de ces règles et que les habitants de la ville devront les suivre dans tous les cas.",
    "es": "El consejo dijo que no sería la última de estas reglas y que los habitantes de la ciudad tendrán que seguirlas en todos los casos.",
    "ru": "Совет сказал, что это не последнее из этих правил и что они будут действовать для всех жителей города, как бы кто к этому не относился, и так далее.",
    "uk": "Рада сказала, що це не останнє з цих правил і що вони будуть діяти для всіх жителів міста, як би хто до цього не ставився, та й так далі.",
    "ar": "قال المجلس إن هذه ليست آخر هذه القواعد وإنها ستطبق على جميع سكان المدينة في كل الأحوال من الآن إلى ما بعد ذلك ولا شك في هذا الذي قيل عن المدينة",
    "ja": "市議会はこれが最後の規則ではないと述べ、すべての市民に適用されると発表した。",
    "zh": "市议会表示，这不会是最后一项规定，而且适用于本市所有居民，包括那些表示反对的人。",
}


@pytest.mark.parametrize(("language", "text"), TEXTS.items())
def test_a_paragraph_tells_its_language(language: str, text: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize("text", ["", "1234 5678", "Hm.", "XKCD ASDF"])
def test_too_little_text_tells_nothing(text: str) -> None:
    assert detect_language(text) is None
