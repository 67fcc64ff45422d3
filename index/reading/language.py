"""A text's language, offline: by script, and by its commonest words where several share one.

Counting function words tells languages apart as well as character n-grams do once there is
a paragraph of text (Grefenstette, Comparing Two Language Identification Schemes, 1995).
"""

from __future__ import annotations

import re
from collections import Counter

__all__ = ["detect_language"]

SAMPLE = 20_000
"""Characters that are looked at."""
MIN_WORDS = 20
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

# Scripts that one language, or nearly only one, is written in.
_SCRIPTS = (
    ("ja", "\u3040", "\u30ff"),
    ("ko", "\uac00", "\ud7af"),
    ("th", "\u0e00", "\u0e7f"),
    ("el", "\u0370", "\u03ff"),
    ("he", "\u0590", "\u05ff"),
    ("hy", "\u0530", "\u058f"),
    ("ka", "\u10a0", "\u10ff"),
    ("bn", "\u0980", "\u09ff"),
    ("pa", "\u0a00", "\u0a7f"),
    ("gu", "\u0a80", "\u0aff"),
    ("ta", "\u0b80", "\u0bff"),
    ("te", "\u0c00", "\u0c7f"),
    ("kn", "\u0c80", "\u0cff"),
    ("ml", "\u0d00", "\u0d7f"),
    ("si", "\u0d80", "\u0dff"),
    ("my", "\u1000", "\u109f"),
    ("am", "\u1200", "\u137f"),
    ("km", "\u1780", "\u17ff"),
    ("hi", "\u0900", "\u097f"),
    ("ar", "\u0600", "\u06ff"),
    ("ru", "\u0400", "\u04ff"),
    ("zh", "\u4e00", "\u9fff"),
)
_RIVALS = {"ru": "ru uk bg sr mk".split(), "ar": "ar fa ur".split(), "hi": "hi mr ne".split()}
_COMMON = {
    "en": """the of and to in that is was for it with as his on be at by had not are but from have
        they which or her she he you were this their an said will would has been who its""",
    "de": """der die und das ist nicht mit den von zu sich auf für ein eine dem des im auch es an
        werden aus er hat dass sie nach wird bei einer um sind noch wie einem über war""",
    "fr": """le la les de des et est un une du que dans qui pour pas au sur avec ce par sont il plus
        ne se elle aux ont été cette mais leur ses même d'une l'on""",
    "es": """el la los las de que y en un una por con no para es se lo del al su como más pero sus
        le ya este porque esta entre cuando muy sin sobre también fue hasta hay""",
    "pt": """o os a as de que e do da em um uma para com não por mais dos das se na no ao ele como
        mas foi são também pela pelo seu sua ou ser quando muito já está""",
    "it": """il lo la i gli le di che e un una per non in con del della dei si è sono al da nel alla
        più ha come anche ma questo suo ai delle nella dal loro essere stato""",
    "nl": """de het een en van is dat die in te niet met op voor zijn er aan om ook als dan maar bij
        nog naar uit door over ze werd wordt hij heeft was worden deze""",
    "sv": """och att det som en på är av för med den till inte om har de ett men var jag sig från vi
        så kan när han nu hon eller efter vid även också skulle""",
    "da": """og at det som en på er af for med den til ikke om har de et men var jeg sig fra vi så
        kan når han nu hun eller efter ved også skulle blev være efter mere""",
    "no": """og at det som en på er av for med den til ikke om har de et men var jeg seg fra vi så
        kan når han nå hun eller etter ved også skulle ble være mer""",
    "fi": """ja on ei että oli se hän mutta ovat myös kun niin joka kuin hänen sen ole mukaan jos
        tai vuonna jo vain sekä olla ovat voi nyt mitä ne tämä""",
    "pl": """i w na z do się nie że to jest o jak po za od co ale dla przez są był tym tak jego tego
        przy który która które oraz już ich być może""",
    "cs": """a v na se že je s z do o i to jako za by ale po pro jsou byl podle od jeho který která
        které také už má jen nebo ještě při jsem si""",
    "sk": """a v na sa že je s z do o i to ako za by ale po pre sú bol podľa od jeho ktorý ktorá
        ktoré aj už má len alebo ešte pri som si""",
    "ro": """și în de la a cu pe nu că o un din pentru este care mai sunt au fost ca dar se sau prin
        după sa lui fi să această acest între doar""",
    "hu": """a az és hogy nem is egy van volt meg de ez csak ha még már mint ki el vagy azt sem aki
        lesz nagyon szerint most kell majd után között""",
    "tr": """ve bir bu da de için ile ne çok gibi daha en olarak ama var olan kadar sonra değil ki
        diye o ya her mi bunu ise göre yeni tarafından""",
    "id": """yang dan di dengan untuk dari ini itu pada tidak dalam akan oleh juga ada ke adalah
        telah sebagai mereka bisa dia karena atau kata tersebut saat""",
    "vi": """của và là có trong được cho một không với các những người này đã để khi tại về đến từ
        cũng như ra vào nhiều năm sẽ đó trên""",
    "ca": """el la els les de que i en un una per amb no és al del com més però seva seu també
        aquest aquesta ha són va dels ser entre sobre fins quan""",
    "eu": """eta da ez dute du dira bat ere egin izan zen hori baina dela den horrek arte bere beste
        gabe nahi duen dituzte""",
    "et": """ja on ei et oli see ta kui aga ka mis ning ta oma nii või seda kes ole selle veel olid
        nad mida""",
    "lt": "ir yra kad tai į su iš bet ne jis apie kaip buvo nuo per dar jo tik po už jau ar",
    "lv": "un ir ka no ar par uz bet kas tas arī kā vai lai viņš pēc nav bija to tika",
    "hr": (
        "i je u na se da su za od s kao će ne bi što koji ali iz sam nije biti te koja po o ili"
    ),
    "sl": "in je v na se da so za od z kot ne bi ki pa iz sem ni biti ter tudi po o ali bo",
    "ru": "и в не на что с по как это к из за он но все от о у для его же то был так мы",
    "uk": "і в не на що з як це до та за він але від про у для його є був ми які також який її",
    "bg": "и в не на че с по как това към от за той но се са е да при или беше си като със",
    "sr": "и је у на се да су за од с као ће не би што који али из сам није те која по о или",
    "mk": "и во не на дека со по како ова кон од за тој но се ќе да при или беше си е го",
    "ar": "في من على إلى أن عن التي الذي هذا هذه ما لا مع كان بين كما أو قد بعد وقال",
    "fa": "در از که به را این با است برای آن یک های می خود تا بر شد هم نیز کرد",
    "ur": "کے کی میں ہے اور سے کا کو اس نے پر یہ کہ ہیں ایک بھی کر تھا گیا نہیں",
    "hi": "के की है में और से का को इस ने पर यह कि हैं एक भी कर था गया नहीं",
    "mr": "आहे आणि या च्या ला ते हे होते मध्ये असे तर केला आहेत नाही त्या",
    "ne": "र छ को मा ले का हो पनि भएको गरेको छन् यो तथा गर्न लागि",
}
_SETS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
_CYRILLIC_ETC = {language for rivals in _RIVALS.values() for language in rivals}
_LATIN = [language for language in _SETS if language not in _CYRILLIC_ETC]


def detect_language(text: str) -> str | None:
    """The ISO 639-1 code of a text's language, or None where it cannot be told.

    >>> detect_language("Der Hund ist im Haus und die Katze liegt auf dem Dach. " * 3)
    'de'
    """
    text = text[:SAMPLE]
    letters = sum(map(str.isalpha, text))
    if letters < MIN_WORDS:
        return None
    script = _script(text, letters)
    words = [word.lower() for word in _WORD.findall(text)]
    if script is not None and script not in _RIVALS:
        return script
    if len(words) < MIN_WORDS:
        return script
    languages = _RIVALS[script] if script else _LATIN
    counts = Counter(words)
    shares = {
        language: sum(counts[word] for word in _SETS[language]) / len(words)
        for language in languages
    }
    best = max(shares, key=lambda language: shares[language])
    return best if shares[best] >= 0.08 else script


def _script(text: str, letters: int) -> str | None:
    """The language that a text's script stands for; None for Latin and for what is not known."""
    counts = Counter(text)
    for language, first, last in _SCRIPTS:
        count = sum(number for character, number in counts.items() if first <= character <= last)
        # Kana decides for Japanese even where most letters are Chinese characters.
        if count > letters * (0.05 if language == "ja" else 0.4):
            return language
    return None
