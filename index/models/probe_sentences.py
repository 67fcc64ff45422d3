"""Sentences on which a prepared model is compared with its original.

Six subjects in several wordings, so that the order of near neighbours is tested; lengths
from three words to a paragraph; numbers, names, code, accents and other scripts, because
quantization errs most on input that is rare in training.
"""

from __future__ import annotations

__all__ = ["PROBE_SENTENCES"]

PROBE_SENTENCES: tuple[str, ...] = (
    "The council voted to close the old bridge to lorries.",
    "Heavy vehicles may no longer cross the ageing bridge, the city decided on Tuesday.",
    "Why was the bridge closed to heavy traffic?",
    "Engineers had found cracks up to four millimetres wide in two of the bridge's eleven "
    "piers, and told the council in March that the structure could carry no more than "
    "7.5 tonnes until they were mended, which would cost about 2.3 million euros.",
    "A new vaccine protects most children against malaria.",
    "In the trial, 77% of the vaccinated infants did not fall ill with malaria for a year.",
    "How well does the malaria vaccine work?",
    "Malaria is caused by a parasite that mosquitoes carry.",
    "The striker scored twice in the final ten minutes.",
    "Two late goals won them the cup.",
    "Who scored in the final?",
    "She trained alone for most of the winter after tearing a ligament in her left knee, and "
    "her doctors doubted that she would play again; eight months later she lifted the cup.",
    "Shares of the chip maker fell 12 percent after it cut its forecast.",
    "The company now expects to sell fewer processors than it had said in January.",
    "What happened to the company's stock price?",
    "Investors sold.",
    "def mean(values): return sum(values) / len(values)",
    "The function returns the arithmetic mean of a list of numbers.",
    "How do I compute an average in Python?",
    "Dividing the sum by the count fails for an empty list.",
    "Der Rat sperrte die alte Brücke für Lastwagen.",
    "Le conseil a fermé le vieux pont aux camions à cause de fissures.",
    "市议会决定禁止卡车通过旧桥。",
    "Совет закрыл старый мост для грузовиков.",
    "Dr. J. O'Neill-Smith (b. 1951) wrote to https://example.org/a?b=c on 3 May 2019.",
    "Volcanoes erupt when molten rock rises through cracks in the Earth's crust.",
    "What makes a volcano erupt?",
    "Ash from the eruption closed airports across the north for six days.",
    "Lava flows destroyed forty houses but nobody was hurt, because the village had been "
    "evacuated two nights earlier when the ground began to shake.",
    "yes",
)
