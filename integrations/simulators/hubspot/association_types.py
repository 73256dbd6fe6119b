"""HubSpot's built-in association types: which id joins which objects, and its inverse.

Ids from the vendor's SDK and associations guide. Direction matters: the id from A to B
is not the id from B to A.
"""

from dataclasses import dataclass

HUBSPOT = "HUBSPOT_DEFINED"
USER = "USER_DEFINED"

# from, to, id there, id back
_PLAIN = """
contacts companies 279 280
contacts deals 4 3
contacts tickets 15 16
deals companies 341 342
deals tickets 27 28
tickets companies 339 340
companies calls 181 182
companies emails 185 186
companies meetings 187 188
companies notes 189 190
companies tasks 191 192
contacts calls 193 194
contacts emails 197 198
contacts meetings 199 200
contacts notes 201 202
contacts tasks 203 204
deals calls 205 206
deals emails 209 210
deals meetings 211 212
deals notes 213 214
deals tasks 215 216
tickets calls 219 220
tickets emails 223 224
tickets meetings 225 226
tickets notes 227 228
tickets tasks 229 230
calls meetings 399 400
leads contacts 608 609
leads companies 610 611
leads deals 1037 1038
notes leads 855 854
tasks leads 647 646
calls leads 597 596
meetings leads 601 600
companies companies 450 450
contacts contacts 449 449
deals deals 451 451
"""
_PRIMARY = """
contacts companies 1 2
deals companies 5 6
tickets companies 26 25
leads contacts 578 579
leads companies 580 581
"""
_SINGULAR = {
    "companies": "Company",
    "contacts": "Contact",
    "deals": "Deal",
    "leads": "Lead",
    "tickets": "Ticket",
}
_HIERARCHY = ((14, 13, "Child Company"), (13, 14, "Parent Company"))


@dataclass(frozen=True, slots=True)
class AssociationType:
    """One label in one direction. single: a record has at most one partner with it."""

    source: str
    target: str
    id: int
    inverse: int
    category: str = HUBSPOT
    label: str | None = None
    primary: bool = False
    single: bool = False
    name: str = ""

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Return what tells it from all others."""
        return self.source, self.target, self.category, self.id

    @property
    def inverse_key(self) -> tuple[str, str, str, int]:
        """Return the key of the same type in the other direction."""
        return self.target, self.source, self.category, self.inverse


def built_in() -> list[AssociationType]:
    """Return every built-in type, both directions."""
    types: list[AssociationType] = []
    for text, primary in ((_PLAIN, False), (_PRIMARY, True)):
        for line in text.strip().splitlines():
            source, target, there, back = line.split()
            types += _pair(source, target, int(there), int(back), primary=primary)
    for number, inverse, label in _HIERARCHY:
        types.append(
            AssociationType("companies", "companies", number, inverse, HUBSPOT, label)
        )
    return types


def _pair(
    source: str, target: str, there: int, back: int, *, primary: bool
) -> list[AssociationType]:
    label = _primary_label(source, target) if primary else None
    pair = [
        AssociationType(source, target, there, back, HUBSPOT, label, primary, primary),
        AssociationType(target, source, back, there, HUBSPOT, label, primary),
    ]
    return pair if there != back else pair[:1]


def _primary_label(source: str, target: str) -> str:
    """Return a primary type's label, as it is since February 2024."""
    near, far = _SINGULAR[source], _SINGULAR[target]
    return f"{near} with Primary {far}"
