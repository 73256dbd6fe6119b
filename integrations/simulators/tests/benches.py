"""What every simulator is held to needs to know of a vendor, to speak to it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from integrations.simulators.tests.client import Client

Body = dict[str, Any]


class Speaker(Protocol):
    """The client of a vendor's own tests."""

    def __call__(self, base_url: str, token: str = ...) -> Client: ...


@dataclass(frozen=True, slots=True)
class SignIn:
    """OAuth at a vendor. extra: what its authorize URL asks for besides."""

    authorize: str
    token: str
    extra: Mapping[str, str]
    yes: str
    no: str
    accounts: tuple[str, str]
    code_ttl_s: int


@dataclass(frozen=True, slots=True)
class Bench(ABC):
    """One vendor.

    people: what its dumps call them; collection: where one is made by POST of `one`;
    batch: where several are, of `several`; reading: a GET that answers 200; subject:
    what a subscription to new people is called; delays: how the settings of its
    deliveries begin; statuses: of faults that answer with another status than their
    name.
    """

    vendor: str
    client: Speaker
    token: str
    another_token: str
    people: str
    collection: str
    template: str
    batch: str
    reading: str
    subject: str
    delays: str
    city: str
    email: str
    sign_in: SignIn
    statuses: Mapping[str, int] = field(default_factory=dict)

    @abstractmethod
    def one(self, number: int = 1) -> Body:
        """Return the body that makes a person, in Lyon."""

    @abstractmethod
    def several(self, count: int) -> Body:
        """Return the body that makes so many."""

    @abstractmethod
    def person(self, number: int = 1) -> Body:
        """Return the person's values, as one seeds them."""

    @abstractmethod
    def edited(self, city: str) -> Body:
        """Return the body of a PATCH that moves a person."""
