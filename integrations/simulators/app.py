"""A simulator as a WSGI application: what happens around every vendor's answers."""

import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from integrations.simulators import faults
from integrations.simulators.control import Control
from integrations.simulators.errors import ApiError
from integrations.simulators.wire import (
    DropConnectionError,
    Reply,
    Request,
    path_segments,
    wsgi_app,
)
from integrations.simulators.world import World

CONTROL = "/__sim"


class Simulator(ABC):
    """Answers as a vendor would; `/__sim/` is the control panel.

    A vendor says how a path is answered (`answer`), what its operation is called in
    the statistics (`template_of`), and how it words refusals (`refusal`, `mistake`).
    """

    def __init__(self, world: World[Any, Any, Any], control: Control) -> None:
        self._world = world
        self._control = control
        self._wsgi = wsgi_app(self.handle)

    # -- what differs

    @abstractmethod
    def answer(self, request: Request, segments: list[str]) -> Reply:
        """Answer a request to the vendor's API; raises ApiError.

        Sets request.template, and what else the log tells.
        """

    @abstractmethod
    def template_of(self, request: Request) -> str:
        """Return the template of a path that is not answered, or the path."""

    @abstractmethod
    def refusal(self, rule: faults.FaultRule) -> ApiError:
        """Return the vendor's own error for a fault of ERROR_STATUS."""

    @abstractmethod
    def mistake(self) -> ApiError:
        """Return the vendor's error for a mistake of its own."""

    # -- what is the same

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Be a WSGI application."""
        return self._wsgi(environ, start_response)

    def clock(self) -> float:
        """Return the vendor's clock, for the Date header."""
        return self._world.now()

    def close(self) -> None:
        """Stop background work and close the journal."""
        self._control.close()
        with self._world.lock:
            self._world.journal.close()

    def handle(self, request: Request) -> Reply:
        """Answer one request; raises DropConnectionError when a fault says so."""
        if request.path.startswith(CONTROL):
            return self._control.reply(request)
        if request.path == "/":
            return Reply(302, headers=[("Location", f"{CONTROL}/")])
        at, started = time.time(), time.perf_counter()
        request.template = request.path
        rules = self._world.faults.pick(request)
        status = 0
        try:
            reply = self.under(rules, request)
            status = reply.status
            return reply
        except DropConnectionError:
            request.template = self.template_of(request)
            raise
        finally:
            self._world.traffic.note(
                request,
                at=at,
                ms=round((time.perf_counter() - started) * 1000, 3),
                status=status,
                fault=",".join(rule.kind for rule in rules),
            )

    def under(self, rules: list[faults.FaultRule], request: Request) -> Reply:
        """Answer under these faults; raises DropConnectionError."""
        return faults.respond_with(
            rules, request, respond=self._respond, error=self._refused
        )

    def locked(self, act: Callable[[], Reply]) -> Reply:
        """Answer with the state to oneself, and keep what changed."""
        with self._world.lock:
            try:
                return act()
            finally:
                self._world.commit()

    def _respond(self, request: Request) -> Reply:
        try:
            return self.answer(request, path_segments(request.path))
        except ApiError as error:
            return error.reply()
        except Exception:
            # A mistake of the simulator's own: loud here, a 500 out there.
            traceback.print_exc()
            return self.mistake().reply()

    def _refused(self, rule: faults.FaultRule, request: Request) -> Reply:
        request.template = self.template_of(request)
        return self.fault_reply(rule, request)

    def fault_reply(self, rule: faults.FaultRule, request: Request) -> Reply:
        """Return what a fault answers in place of the vendor."""
        if rule.kind == "redirect":
            return Reply(302, headers=[("Location", "https://elsewhere.example.com/")])
        reply = self.refusal(rule).reply()
        value = faults.retry_after_value(rule, self.clock())
        if value:
            reply.headers.append(("Retry-After", value))
        if rule.kind in faults.OF_THE_EDGE:
            reply.body, reply.content_type = faults.HTML_PAGE, "text/html"
        return reply
