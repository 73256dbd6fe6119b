"""What the journal tells of a failure: a sentence, and the vendor's answer behind it.

PURE but for the entry it reads. The journal keeps both in one text, the answer after
the first line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from integrations import causes
from integrations.models import SyncEntry

# Classes whose message is what the vendor said: what that means stands before it.
_THEIR_WORDS = frozenset(
    {
        "rejected",
        "schema",
        "permission",
        "auth",
        "throttled",
        "transient",
        "unknown",
        "duplicate",
        "ambiguous",
    }
)
# From where on a text is for programs.
_JSON = re.compile(r"[\[{]\s*[\[{\"]")


@dataclass(frozen=True, slots=True)
class Told:
    """A failure in words. answer: what the vendor said word for word, "" for no more.

    >>> Told("It is late.", '{"a": 1}').answer
    '{"a": 1}'
    """

    sentence: str
    answer: str = ""


def plain(text: str) -> Told:
    """Part a message from the raw answer that came with it.

    >>> plain('Not one of the options\\n{"message": "x"}')
    Told(sentence='Not one of the options', answer='{"message": "x"}')
    >>> plain('Values were not valid: [{"isValid": false}]').sentence
    'Values were not valid'
    """
    first, _, rest = text.partition("\n")
    found = _JSON.search(first)
    if found is None:
        return Told(first.strip(), rest.strip())
    sentence = first[: found.start()].rstrip(" :,-")
    return Told(sentence or "It gave no reason in words", text.strip())


def told(entry: SyncEntry, there: object) -> Told:
    """Return a journal entry's message for people. there: the connection's name.

    Of a failure: what happened, where, and what to do.
    """
    if not entry.error_class:
        return Told(entry.message)
    said = plain(entry.message)
    parts = [_happened(entry.error_class, said.sentence, str(there))]
    if entry.outcome == SyncEntry.Outcome.FAILED:
        parts.append(causes.of(entry.error_class).todo)
    return Told(" ".join(parts), said.answer)


def _happened(error_class: str, sentence: str, there: str) -> str:
    means = causes.of(error_class).means.replace("The CRM", there)
    if not sentence:
        return means
    if error_class in _THEIR_WORDS and sentence not in means:
        sentence = f"{means.rstrip('.')}: {sentence}"
    return sentence if sentence[-1] in ".!?" else f"{sentence}."
