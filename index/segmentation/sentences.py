"""Split text into sentences, each an exact span of it.

Every mark that can end a sentence is found in one pass; whether it does is decided
from the word before it and the first word after it, as in the rule systems that
Read et al. compare (Sentence Boundary Detection: A Long Solved Problem?, COLING 2012,
https://aclanthology.org/C12-2096/). Nothing is cleaned or searched for again, so
offsets cannot drift, and every look around a mark is bounded, so time grows with the
length of the text alone.

    Mr. Fry left the U.S. in 1999. “Gone?” she asked.
    -> Mr. Fry left the U.S. in 1999. | “Gone?” she asked.

Scope: English first. Marks of other scripts (。？！؟।…) end sentences wherever they
stand; other languages share the rules, with the abbreviations and ordinals they need
most. A line break alone is a space; a blank line, or a line that opens a list item,
starts a new sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category

__all__ = ["SEGMENTER", "split_sentences"]

SEGMENTER = "article-qa-rules/1"
"""Name and version of the rules. Raise the version with any change to where they cut:
an index records it, and one made by other rules must be rebuilt."""

_STRONG = "。｡！？؟۔।॥።፧፨։။៕\u037e"  # end a sentence with or without a space behind
_CLOSING = "\"'”’“‘»›)]}」』】）〕》〉"  # “ and ‘ close in German
_OPENING = "\"'“”‘’«»‹›„‚([{<¡¿「『【（*_#>~•‣◦▪●⁃·–—-"
_BULLET = "•‣◦▪●⁃"
_NO_START = frozenset(",;:.!?…%&/|" + _CLOSING)


def _marks(also: str = "") -> re.Pattern[str]:
    """The marks that can end a sentence, and spaced full stops as one mark.

    A run must match whatever follows it: giving marks back one by one is quadratic.
    """
    return re.compile(rf"[.…](?:[ \u00a0]\.){{2,3}}(?!\w)|[.!?…‼⁇⁈⁉{_STRONG}{also}]+\ufe0f?")


_MARKS = _marks()
_MARKS_OF = {"el": _marks(";"), "hy": _marks(":")}  # Greek asks with ; Armenian ends with :
_TRAIL = re.compile(  # what stays with the sentence: quotes and brackets, notes, a face
    rf"[{re.escape(_CLOSING)}]{{0,8}}(?:[ \u00a0\u202f][»”\"'](?=\s|\Z))?(?:\[\d{{1,3}}\]){{0,8}}"
    r"(?:\s?(?:[:;=]-?[)(DP]{1,3}|[\U0001f300-\U0001faff☺☹❤♥\ufe0f\u200d]{1,12})(?=\s|\Z))?"
)
_BREAKS = re.compile(
    r"\n[^\S\n]*\n|\r[^\S\r\n]*\r|[\f\u2029]"  # a blank line, a page, a paragraph
    rf"|[\r\n\u2028][ \t]*(?=[{_BULLET}*-]\s)"  # a line that opens a list item
)
_ITEM = re.compile(
    rf"(?<!\S)(?:(?P<bullet>[{_BULLET}])\s?\w"
    r"|(?P<label>\d{1,2}|[a-z])(?P<style>\.\)|[.)])\s+[^\W_])"
)
_LABEL = re.compile(rf"\s*[{_BULLET}*(-]?\s?(?:\d{{1,2}}|[a-zA-Z])\Z")
_GAP = re.compile(rf"\s+[{re.escape(_OPENING)}]{{0,8}}\s?")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_ACRONYM = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")  # u.s, j.r.r, ph.d
_ROMAN = re.compile(r"[IVXLC]+")
_QUOTED_ON = re.compile(r"[」』][とっなのはがをにもで]")  # 「…。」と言った goes on behind the quote

# A name or the like follows these, whatever its first letter.
_NEVER_LAST = frozenset(
    """mr mrs ms mx dr drs prof sen sens rep reps gov govs gen col maj capt cpt lt sgt cpl pvt
    cmdr adm rev fr hon pres supt insp det dep asst assoc ste mt messrs mme mlle mgr sig sra
    dra srta dott avv lic hr bzw vgl skt проф e.g eg i.e ie viz cf vs v approx ca esp incl
    z.b d.h""".split()
)
# A number follows these, or they end the sentence.
_BEFORE_NUMBER = frozenset(
    """no nos nr n° p pp fig figs vol vols ext ch sec art arts para eq eqs ed op pt ser str
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri""".split()
)
# These end a sentence only where a word follows that often starts one.
_SOMETIMES_LAST = frozenset(
    """inc ltd co corp llc plc bros jr sr esq etc al st ave blvd rd hwy ft dept univ assn
    intl""".split()
)
# So do these with a capital: ill and wash are words, Ill. and Wash. are states.
_STATES = frozenset(
    """Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Ky La Md Mass Mich Minn Miss Mo Mont
    Neb Nev Okla Ore Pa Penn Tenn Tex Va Vt Wash Wis Wyo""".split()
)
_FIRST_WORDS = frozenset(
    """a about according after all also although an and another any are as at because before
    both but by can could despite did do does during each even every few finally for from had
    has have he her here his how however i i'm if in instead is it it's its later let's many
    meanwhile moreover most my neither nevertheless nobody none nor not now of on once only or
    our perhaps please she should since so some still such that that's the their then there
    there's therefore these they they're this those though through thus to today under until
    was we we're were what when where whether which while who whose why with would yesterday
    yet you you're your""".split()
)
_PRONOUNS = frozenset("he i i'm it it's she they this these we you".split())
_AFTER_CLOCK = frozenset(
    """est edt et cst cdt ct mst mdt pst pdt pt gmt utc bst cet monday tuesday wednesday
    thursday friday saturday sunday""".split()
)
# Written "12. Juni": the period makes the number an ordinal.
_ORDINAL_LANGUAGES = frozenset("cs da de et fi hr hu is lv nb nn no pl sk sl sr tr".split())


def split_sentences(
    text: str, start: int, end: int, language: str | None = None
) -> list[tuple[int, int]]:
    """Where each sentence of a region stands.

    Args:
        text: Any text.
        start: Where the region starts, in code points; ``0 <= start <= end``.
        end: Where it ends; ``end <= len(text)``.
        language: BCP 47 tag of the text if known (``"de"``, ``"en-GB"``). None goes by
            the text alone.

    Returns:
        Half-open spans into ``text``, in order and apart, no whitespace at either end.
        Every other character of the region lies in one of them.
    """
    region = text[start:end]
    primary = (language or "").lower().replace("_", "-").split("-", 1)[0]
    spans = []
    block_start = 0
    for block_end in [*(found.end() for found in _BREAKS.finditer(region)), len(region)]:
        block = region[block_start:block_end]
        here = 0
        for cut in [*_cuts(block, primary), len(block)]:
            piece = block[here:cut]
            if ink := piece.strip():
                left = start + block_start + here + len(piece) - len(piece.lstrip())
                spans.append((left, left + len(ink)))
            here = cut
        block_start = block_end
    return spans


def _cuts(block: str, language: str) -> Iterator[int]:
    """Where sentences end inside a block, in order, each behind its closing marks."""
    items = iter(_item_starts(block))
    item = next(items, None)
    sentence_start = 0
    for mark in _MARKS_OF.get(language, _MARKS).finditer(block):
        while item is not None and item <= mark.start():
            sentence_start = item
            yield item
            item = next(items, None)
        trail = _TRAIL.match(block, mark.end())
        after = trail.end() if trail else mark.end()
        if _ends(block, sentence_start, mark, after, language):
            sentence_start = after
            yield after
    if item is not None:
        yield item
    yield from items


def _item_starts(block: str) -> Iterator[int]:
    """Where the items of a numbered or bulleted list start.

    ``"1. Wash it 2. Dry it"`` -> 0, 11. A list opens the block or a line and counts on
    in one style, so that numbers in prose are left alone.
    """
    lead = len(block) - len(block.lstrip())
    last: re.Match[str] | None = None
    for item in _ITEM.finditer(block):
        at = item.start()
        opens_line = at == lead or block[max(at - 8, 0) : at].rstrip(" \t")[-1:] in ("\n", "\r")
        opens_list = opens_line and (at == lead or item["label"] in ("1", "a"))
        if opens_list or (last is not None and _counts_on(last, item)):
            last = item
            yield at


def _counts_on(last: re.Match[str], item: re.Match[str]) -> bool:
    """Whether an item is the next of the same list: 1) and 2), a. and b., or two bullets."""
    if (last["bullet"], last["style"]) != (item["bullet"], item["style"]):
        return False
    before, label = last["label"], item["label"]
    if before is None or label is None:
        return True
    if before.isdigit() and label.isdigit():
        return int(label) == int(before) + 1
    return len(before) == len(label) == 1 and ord(label) == ord(before) + 1


def _ends(block: str, sentence_start: int, mark: re.Match[str], after: int, language: str) -> bool:
    """Whether the sentence ends behind a mark and what trails it up to ``after``."""
    marks, following = mark.group(), block[after : after + 1]
    if not following:
        return True
    if any(each in _STRONG for each in marks):
        return category(following)[0] not in "MC" and not _QUOTED_ON.match(block, after - 1)
    if not following.isspace():
        return marks[-1] not in ".…" and "\u3040" <= following <= "\ud7af"  # kana to Hangul
    gap = _GAP.match(block, after)
    next_at = gap.end() if gap else after
    found = _WORD.match(block, next_at, next_at + 40)
    word = found.group() if found else ""
    bracketed = block[max(mark.start() - 1, 0) : mark.start()] in ("(", "[")  # (!) and [...]
    if bracketed or block[next_at : next_at + 1] in _NO_START:
        return False
    small = word[:1].islower() and word.islower()  # iPhone and eBay may well start one
    if small and not _starts_small(block, sentence_start, mark, after, word):
        return False
    if marks != ".":
        return True
    before = block[max(sentence_start, mark.start() - 40) : mark.start()]
    return _period_ends(before, mark.start() - sentence_start <= 40, word, language)


def _starts_small(
    block: str, sentence_start: int, mark: re.Match[str], after: int, word: str
) -> bool:
    """Whether a word without a capital starts a sentence: an address, or careless writing.

    "it was great. they fixed it" is two; "“Why?” he asked" and "on Main st. near" are one.
    """
    if word in ("http", "https", "www"):
        return True
    if after > mark.end() or (len(mark.group()) > 1 and mark.group()[0] in ".…"):
        return False
    opening = _WORD.search(block, sentence_start, min(sentence_start + 20, mark.start()))
    return word in _PRONOUNS or (opening is not None and opening.group().islower())


def _period_ends(before: str, whole: bool, word: str, language: str) -> bool:
    """Whether a lone period ends its sentence, judged by the word it stands behind.

    Args:
        before: What stands before the period, at most 40 characters of the sentence.
        whole: Whether that is the sentence from its start.
        word: The word behind the period; empty if a symbol follows.
        language: Primary subtag, or empty.
    """
    words = before.split() or [""]
    last = words[-1].lstrip(_OPENING)
    lower = last.lower()
    alone = whole and len(words) == 1
    if (whole and _LABEL.match(before)) or lower in _NEVER_LAST:
        return False
    if lower in _BEFORE_NUMBER:
        return not (word[:1].isdigit() or _ROMAN.fullmatch(word))
    if lower.isdigit() and len(lower) <= 2 and language in _ORDINAL_LANGUAGES:
        return False
    if lower in ("a.m", "p.m"):  # "At 5 a.m. Mr. Smith left"
        return word.lower() not in _AFTER_CLOCK and not (whole and len(words) < 4)
    if lower in _SOMETIMES_LAST or last in _STATES or _is_initials(lower):
        return word.lower() in _FIRST_WORDS and not alone
    return True


def _is_initials(word: str) -> bool:
    """Whether a word is one letter, or letters with periods between: J, u.s, ph.d."""
    return (len(word) == 1 and word.isalpha()) or _ACRONYM.fullmatch(word) is not None
