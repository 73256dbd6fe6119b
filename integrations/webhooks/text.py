"""Turns the HTML of a message into the text that was newly written in it.

PURE, and linear in its input whatever that is. The standard library's parser is not:
on Python 3.11 a hundred kilobytes of "<a" keep it busy for minutes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from integrations.webhooks.reading import clean_text

MAX_HTML = 1_000_000
MAX_TEXT = 50_000

# Neither alternative looks past the next "<", so the whole is read once.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,30})([^<>]*)>")
_LOOKS_LIKE_HTML = re.compile(
    r"</[a-z][a-z0-9]{0,30}\s?>|<(?:br|p|div)\b", re.IGNORECASE
)
_MARK = re.compile(
    r"\b(?:class|id)\s{0,5}=\s{0,5}[\"']?([^\"'>]{0,200})", re.IGNORECASE
)
_HUGE_ENTITY = re.compile(r"&#[0-9]{8,};?")
_BLANKS = re.compile(r"[^\S\n]+")
_MANY_LINES = re.compile(r"\n{3,}")

_HIDDEN = frozenset({"script", "style", "head", "title", "template", "noscript"})
_LINES = re.compile(
    r"address|article|blockquote|br|div|d[dlt]|footer|form|h[1-6r]|header|li|main|ol|p"
    r"|pre|section|table|tr|ul"
)
# What mail programs put around the message that is answered.
_QUOTE_MARKS = frozenset(
    {
        "gmail_quote",
        "gmail_quote_container",
        "gmail_attr",
        "gmail_extra",
        "yahoo_quoted",
        "moz-cite-prefix",
        "protonmail_quote",
        "zmail_extra",
        "tutanota_quote",
    }
)
# Outlook marks only where the old message begins; the rest of the mail is old.
_OLD_FROM_HERE = frozenset({"divrplyfwdmsg", "appendonsend", "x_divrplyfwdmsg"})
_ATTRIBUTION = re.compile(
    r"^(?:On\b.{4,200}\bwrote:|Le\b.{4,200}\ba écrit\s?:"
    r"|Am\b.{4,200}\bschrieb\b.{0,100}:"
    r"|El\b.{4,200}\bescribió:|-{2,}\s?(?:Original Message|Message d'origine"
    r"|Ursprüngliche Nachricht)\s?-{2,})$",
    re.IGNORECASE,
)


def readable(body: str, *, is_html: bool | None = None) -> str:
    """Return the text of a message body, without what it quotes.

    is_html: None to judge by the looks. A body that is nothing but quote is kept whole.

    >>> readable("<p>Yes &amp; thanks</p><blockquote>Old</blockquote>")
    'Yes & thanks'
    """
    body = body[:MAX_HTML]
    if is_html is None:
        is_html = bool(_LOOKS_LIKE_HTML.search(body))
    if not is_html:
        return _tidy(clean_text(body))
    fresh = _without_attribution(_text_of(body, keep_quotes=False))
    return fresh or _text_of(body, keep_quotes=True)


def _text_of(body: str, *, keep_quotes: bool) -> str:
    pieces = "".join(_pieces(_without_comments(body), keep_quotes=keep_quotes))
    return _tidy(clean_text(pieces))


def _without_comments(body: str) -> str:
    """Drop comments; one that never ends takes nothing with it."""
    first, *rest = body.split("<!--")
    kept = [first]
    for part in rest:
        _, closed, after = part.partition("-->")
        kept.append(after if closed else part)
    return "".join(kept)


def _pieces(body: str, *, keep_quotes: bool) -> Iterator[str]:
    """Yield text and line breaks. skipping: the tag whose end ends the skipping."""
    skipping, depth, position = "", 0, 0
    for tag in _TAG.finditer(body):
        if not skipping:
            yield _plain(body[position : tag.start()])
        position = tag.end()
        closing, name, rest = tag[1], tag[2].lower(), tag[3]
        if skipping:
            if name == skipping and not rest.endswith("/"):
                depth += -1 if closing else 1
                skipping = skipping if depth else ""
        elif not closing and name in _HIDDEN:
            skipping, depth = name, 1
        elif not closing and not keep_quotes and _is_quote(name, rest):
            if _marks(rest) & _OLD_FROM_HERE:
                return
            skipping, depth = name, 1
        else:
            yield _break(name, closing)
    if not skipping:
        yield _plain(body[position:])


def _is_quote(name: str, rest: str) -> bool:
    return name == "blockquote" or bool(_marks(rest) & (_QUOTE_MARKS | _OLD_FROM_HERE))


def _marks(rest: str) -> set[str]:
    words = (word for value in _MARK.findall(rest) for word in value.split())
    return {word.lower() for word in words}


def _break(name: str, closing: str) -> str:
    if name == "li":
        return "" if closing else "\n- "
    if name in {"td", "th"}:
        return " "
    if name == "p":
        return "\n\n" if closing else "\n"
    return "\n" if _LINES.fullmatch(name) else ""


def _plain(text: str) -> str:
    # Python turns digits of an entity into an int and refuses more than 4300 of them.
    text = _HUGE_ENTITY.sub("", text) if "&#" in text else text
    return " ".join(re.split(r"\s+", html.unescape(text)))


def _without_attribution(text: str) -> str:
    """Cut from the line that introduces a quote, if something stands before it."""
    lines = text.split("\n")
    for place, line in enumerate(lines):
        if place and _ATTRIBUTION.match(line[:400]):
            return "\n".join(lines[:place]).strip()
    return text


def _tidy(text: str) -> str:
    lines = (_BLANKS.sub(" ", line).strip() for line in text.splitlines())
    return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip()[:MAX_TEXT].strip()
