"""Greetings, thanks and the like: what is said to the program and not asked of the article.

A line is small talk only if *every* word of it belongs to one of the closed vocabularies below,
so that "Hello Kitty sales?" and "Who thanked the mayor?" are asked like any question.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["small_talk"]

_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*|[;:]-?[()D]")

_REPLIES: Final = {
    "en": {
        "greeting": "Hello. Ask a question about the text.",
        "thanks": "You are welcome.",
        "noted": "Ask another question whenever you like.",
        "goodbye": "Goodbye.",
        "about": "I look for the sentences that answer a question and quote them word for word."
        " I write nothing of my own.",
        "wrong": "Sorry. Put the question in other words, or look at the other sentences.",
    },
    "de": {
        "greeting": "Hallo. Stellen Sie eine Frage zum Text.",
        "thanks": "Gern geschehen.",
        "goodbye": "Auf Wiedersehen.",
    },
    "fr": {
        "greeting": "Bonjour. Posez une question sur le texte.",
        "thanks": "Je vous en prie.",
        "goodbye": "Au revoir.",
    },
    "es": {
        "greeting": "Hola. Haga una pregunta sobre el texto.",
        "thanks": "De nada.",
        "goodbye": "Adi\u00f3s.",
    },
    "it": {"greeting": "Ciao. Fai una domanda sul testo.", "thanks": "Prego."},
    "pt": {"greeting": "Ol\u00e1. Fa\u00e7a uma pergunta sobre o texto.", "thanks": "De nada."},
    "nl": {"greeting": "Hallo. Stel een vraag over de tekst.", "thanks": "Graag gedaan."},
    "ru": {
        "greeting": "Здравствуйте. Задайте вопрос о тексте.",
        "thanks": "Пожалуйста.",
        "goodbye": "До свидания.",
    },
}

_KINDS: Final = {
    ("en", "greeting"): "hello hi hiya hey howdy yo sup greetings morning afternoon evening day",
    ("en", "thanks"): "thanks thank thx thankyou cheers ty",
    ("en", "noted"): "ok okay great cool nice fine good perfect awesome excellent wow lol haha"
    " hahaha hm hmm k kk sorry nvm helpful useful yes yeah yep"
    " no nope right sure interesting understood got alright rofl omg",
    ("en", "goodbye"): "bye goodbye cya farewell goodnight see later",
    (
        "en",
        "wrong",
    ): "wrong incorrect nonsense untrue false mistake rubbish useless terrible stupid",
    ("de", "greeting"): "hallo guten tag morgen abend servus moin gr\u00fc\u00df gott",
    ("de", "thanks"): "danke dank vielen sch\u00f6n sehr dankesch\u00f6n",
    ("de", "goodbye"): "tsch\u00fcss auf wiedersehen",
    ("fr", "greeting"): "bonjour salut bonsoir coucou",
    ("fr", "thanks"): "merci beaucoup bien",
    ("fr", "goodbye"): "au revoir adieu",
    ("es", "greeting"): "hola buenos buenas d\u00edas tardes noches",
    ("es", "thanks"): "gracias muchas",
    ("es", "goodbye"): "adi\u00f3s hasta luego",
    ("it", "greeting"): "ciao buongiorno buonasera salve",
    ("it", "thanks"): "grazie mille",
    ("pt", "greeting"): "ol\u00e1 oi bom dia boa tarde",
    ("pt", "thanks"): "obrigado obrigada muito",
    ("nl", "greeting"): "goedemorgen goedemiddag goedenavond",
    ("nl", "thanks"): "bedankt dankjewel dank je wel u",
    ("ru", "greeting"): "привет здравствуйте здравствуй добрый день",
    ("ru", "thanks"): "спасибо большое",
    ("ru", "goodbye"): "пока до свидания",
}
_CORE: Final = {kind: frozenset(words.split()) for kind, words in _KINDS.items()}
_EVERY: Final = frozenset().union(*_CORE.values())
_FILLERS: Final = frozenset(
    """a all again and are be bot dear everyone for friend good great help information info is it
    its it's just much oh really so that that's thats there this to too very was well with you
    your that i see then now one answer is not true correct me please job done the we
    you're have mate lot nice mind never""".split()
)
_LONGEST: Final = 7
"""Words of the longest line that is no question."""
_NEGATING: Final = frozenset({"isn't", "isnt", "right"})
_NEGATED: Final = re.compile(r"\b(?:not|isn['\u2019]?t) (?:true|correct|right)\b", re.IGNORECASE)
_DOUBTED: Final = re.compile(
    r"\W*(?:(?:that|it|this) (?:makes|made) no sense|really|are you (?:really )?sure(?: about"
    r" (?:that|it))?|(?:that|it)(?:['\u2019]s| is| was) not what i (?:asked|meant|wanted)"
    r"(?: for)?)\W*",
    re.IGNORECASE,
)
_ABOUT: Final = re.compile(
    r"\W*(?:who|what) (?:are|r) (?:you|u)\W*|\W*what (?:can|do) you do\W*"
    r"|\W*what (?:can|could|should) i ask(?: you)?\W*|\W*who (?:made|created|built|wrote) you\W*"
    r"|\W*what time is it(?: now)?\W*|\W*(?:what is|what['\u2019]s|how is) the weather(?: like)?"
    r"(?: today)?\W*|\W*i (?:love|like|hate) you\W*|\W*(?:hilfe|ayuda|aide|aiuto|ajuda|помощь)\W*"
    r"|\W*wer (?:bist du|sind sie)\W*|\W*qui\u00e9n eres\W*|\W*qui (?:es-tu|\u00eates-vous)\W*"
    r"|\W*chi sei\W*|\W*кто ты\W*"
    r"|\W*(?:what is|what's) your name\W*|\W*how are you(?: doing)?(?: today)?\W*"
    r"|\W*are you (?:a )?(?:human|robot|bot|ai|real|there|chatgpt)\W*"
    r"|\W*(?:(?:can|could) you )?help(?: me)?(?: please)?\W*"
    r"|\W*how (?:does (?:this|it)|do you) work\W*|\W*tell (?:me|us) something(?: \w+)?\W*"
    r"|\W*(?:please )?(?:tell|sing|write|make|give|show|play)(?: me)?(?: us)?"
    r" (?:an?|another|some|the)?\s*(?:\w+ )?(?:joke|poem|story|song"
    r"|rhyme|riddle|limerick|essay)s?\W*",
    re.IGNORECASE,
)


def small_talk(line: str) -> str | None:
    """The reply to a line of small talk; None where it is a question.

    >>> small_talk("Thank you very much!")
    'You are welcome.'

    Args:
        line: What was typed.
    """
    if _ABOUT.fullmatch(line):
        return _REPLIES["en"]["about"]
    found = _WORD.findall(line)
    if not found or len(found) > _LONGEST:
        return None
    words = {word.lower().replace("\u2019", "'") for word in found}
    said = words - _FILLERS
    if _DOUBTED.fullmatch(line) or (_NEGATED.search(line) and said <= _NEGATING):
        return _REPLIES["en"]["wrong"]
    asks = line.rstrip().endswith("?")
    for (language, kind), core in _CORE.items():
        if (kind == "greeting" or not asks) and said <= core and words & core:
            return _REPLIES[language].get(kind) or _REPLIES["en"][kind]
    if not asks and said <= _EVERY and words & _EVERY:
        return _REPLIES["en"]["noted"]
    return None
