"""The only module that opens a socket to a CRM.

It knows what was sent and what came back, never what it means: a vendor's
`parse_error` names the failure, `after_sending` decides whether it is safe to
repeat.
"""

import email.utils
import logging
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote

import requests
from requests import Response, Session
from requests.auth import AuthBase
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from integrations.connectors import messages
from integrations.connectors.clock import Clock
from integrations.connectors.deadline import Deadline, DeadlineAdapter
from integrations.connectors.limits import Limiter, Unlimited
from integrations.connectors.messages import Answer, Call, CallRecord, Expects
from integrations.errors import (
    OutcomeUnknown,
    RateLimited,
    RateScope,
    ReauthRequired,
    Retryable,
    SyncError,
)

logger = logging.getLogger(__name__)

USER_AGENT = "crmsync/1"
TIMEOUT_S = (3.05, 20.0)
DEADLINE_S = 30.0
MAX_BODY_BYTES = 10 * 1024 * 1024
# Longer than the gaps of a budget that is paced out; what is longer is given back.
MAX_WAIT_S = 2.0

ParseError = Callable[[int, Mapping[str, str], bytes], SyncError]


class TokenProvider(Protocol):
    """Gives the access token to use now. Raises ReauthRequired when there is none."""

    def __call__(self, refused: str | None = None) -> str:
        """`refused`: the token the vendor just called expired; give a newer one."""


class _Bearer(AuthBase):
    """Keeps the token out of headers dictionaries, and so out of tracebacks."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # As bytes: a token with odd characters must be refused by the
        # vendor, not crash in the header encoder.
        request.headers["Authorization"] = b"Bearer " + self._token.encode()  # type: ignore[assignment]
        return request


class HttpClient:
    """Calls one host for one connection, one call at a time per thread.

    base_url: a function where the host can change with the token. Raises SyncError and
    nothing else. Keeps sockets open between calls; closes them with `close` or the
    `with` statement.
    """

    def __init__(
        self,
        base_url: str | Callable[[], str],
        token: TokenProvider,
        *,
        vendor: str,
        parse_error: ParseError,
        limiter: Limiter | None = None,
        on_call: Callable[[CallRecord], None] | None = None,
        request_id_headers: tuple[str, ...] = (),
        timeout_s: tuple[float, float] = TIMEOUT_S,
        deadline_s: float = DEADLINE_S,
        max_body_bytes: int = MAX_BODY_BYTES,
        max_wait_s: float = MAX_WAIT_S,
    ) -> None:
        self._base_url = base_url
        self.vendor = vendor
        self._token = token
        self._parse_error = parse_error
        self._limiter: Limiter = limiter or Unlimited()
        self._on_call = on_call
        self._request_id_headers = request_id_headers
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._max_body_bytes = max_body_bytes
        self._max_wait_s = max_wait_s
        self._session = _session()
        self._clock = Clock()

    def __repr__(self) -> str:
        return f"<HttpClient {self.vendor} {self.base_url}>"

    def __enter__(self) -> "HttpClient":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    @property
    def base_url(self) -> str:
        """The host that is called, without a slash at its end."""
        base = self._base_url() if callable(self._base_url) else self._base_url
        return base.rstrip("/")

    @property
    def clock_offset_s(self) -> float | None:
        """The vendor's clock minus ours, in seconds; None until it has answered."""
        return self._clock.offset_s

    def token(self) -> str:
        """The token in use, for the vendor's "who am I" call. Never log it."""
        token = self._token()
        if not token.isprintable():
            raise ReauthRequired(
                "The token holds characters no header can carry", vendor=self.vendor
            )
        return token

    def request(self, call: Call) -> Answer:
        """Send one call and return its 2xx answer.

        An expired token is renewed and the call repeated, once. Raises Retryable
        (with RateLimited) when repeating is safe, OutcomeUnknown when a call that
        is not repeatable may have been applied, else what `parse_error` named.
        """
        token = self.token()
        try:
            return self._observed(call, token)
        except ReauthRequired as error:
            if not error.expired:
                raise
            renewed = self._token(token)
            if renewed == token:
                raise
        return self._observed(call, renewed)

    def _observed(self, call: Call, token: str) -> Answer:
        """Send within the budget, and tell the observer whatever came of it."""
        self._take_turn(call)
        started = time.monotonic()
        answer: Answer | None = None
        failure: SyncError | None = None
        try:
            answer = self._exchange(call, token)
        except SyncError as error:
            error.vendor = error.vendor or self.vendor
            error.object_type = error.object_type or call.object_type
            failure = error
            self._hold(call, error)
            raise
        finally:
            self._report(call, started, answer, failure)
        return answer

    def _take_turn(self, call: Call) -> None:
        while wait_s := self._limiter.acquire(call.bucket):
            if wait_s > self._max_wait_s:
                scope: RateScope = "search" if call.bucket == "search" else "burst"
                raise RateLimited(
                    "Our own budget for this connection is used up",
                    retry_after_s=wait_s,
                    scope=scope,
                    vendor=self.vendor,
                    object_type=call.object_type,
                )
            time.sleep(wait_s)

    def _hold(self, call: Call, error: SyncError) -> None:
        """Let nobody else call either for as long as the vendor said."""
        if isinstance(error, RateLimited) and error.retry_after_s:
            bucket = call.bucket if error.scope == "search" else ""
            self._limiter.hold(bucket, error.retry_after_s)

    def _exchange(self, call: Call, token: str) -> Answer:
        sent_at = time.time()
        with Deadline(self._deadline_s) as deadline:
            try:
                response = self._send(call, token)
                with response:
                    body = _read(response, self._max_body_bytes)
            except SyncError as error:
                raise after_sending(error, call) from None
            except (RequestException, HTTPError, OSError, ValueError) as cause:
                # `from None`: the cause holds the request, and that the token.
                raise _no_answer(type(cause).__name__, call, deadline) from None
            if deadline.expired:
                # Cut in its headers, an answer looks whole but for its body.
                raise _no_answer("Deadline", call, deadline)
        headers = {name.lower(): value for name, value in response.headers.items()}
        self._limiter.observe(headers)
        self._clock.observe(
            headers.get("date", ""), sent_at=sent_at, answered_at=time.time()
        )
        return self._judge(call, response.status_code, headers, body)

    def _send(self, call: Call, token: str) -> Response:
        values = {k: quote(v, safe="") for k, v in (call.values or {}).items()}
        data, kind = messages.payload(call, token)
        return self._session.request(
            call.method,
            self.base_url + call.path.format_map(values),
            params=call.query,
            data=data,
            headers=messages.headers_of(call, kind),
            auth=_Bearer(token) if call.form is None else None,
            timeout=self._timeout_s,
            allow_redirects=False,
            stream=True,
        )

    def _judge(
        self, call: Call, status: int, headers: dict[str, str], body: bytes
    ) -> Answer:
        request_id = self._request_id(headers)
        if not _is_success(call, status):
            headers.setdefault("date", email.utils.formatdate(usegmt=True))
            error = self._parse_error(status, headers, body)
            error.request_id = error.request_id or request_id
            raise after_sending(error, call)
        try:
            return messages.answer(call, status, headers, body)
        except ValueError as problem:
            error = Retryable(str(problem), status=status, request_id=request_id)
            raise after_sending(error, call) from None

    def _request_id(self, headers: Mapping[str, str]) -> str:
        found = (headers.get(name, "") for name in self._request_id_headers)
        return next(filter(None, found), "")

    def _report(
        self,
        call: Call,
        started: float,
        answer: Answer | None,
        failure: SyncError | None,
    ) -> None:
        if self._on_call is None:
            return
        request_id = failure.request_id if failure else ""
        if answer is not None:
            request_id = self._request_id(answer.headers)
        spoken = answer or failure
        record = CallRecord(
            method=call.method,
            path=call.path,
            status=spoken.status if spoken else None,
            duration_s=time.monotonic() - started,
            request_id=request_id,
            inputs=call.inputs,
            outcome="ok" if answer else failure.error_class if failure else "bug",
        )
        try:
            self._on_call(record)
        except Exception:
            # The call has been made; losing its outcome because the journal
            # failed would be worse than a gap in the journal.
            logger.exception("the observer of a CRM call failed")


def post_form(
    base_url: str,
    path: str,
    form: Mapping[str, str],
    *,
    vendor: str,
    parse_error: ParseError,
    deadline_s: float,
    expects: Expects = "object",
) -> Answer:
    """Send a form once and without a token, as OAuth's token endpoints want it.

    Raises OutcomeUnknown when it may have been taken, else what `parse_error` named.
    """
    call = Call("POST", path, form=form, repeatable=False, expects=expects)
    with HttpClient(
        base_url,
        _no_token,
        vendor=vendor,
        parse_error=parse_error,
        timeout_s=(TIMEOUT_S[0], deadline_s),
        deadline_s=deadline_s,
    ) as client:
        return client.request(call)


def _no_token(refused: str | None = None) -> str:
    return ""


def _is_success(call: Call, status: int) -> bool:
    if status == HTTPStatus.NOT_MODIFIED:
        return messages.is_conditional(call)
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def after_sending(error: SyncError, call: Call) -> SyncError:
    """Turn "try again" into "look first" where a second try could do harm.

    RateLimited stays: the vendor refused before doing anything. Of a server that was
    too busy that is not certain.
    """
    refused = isinstance(error, RateLimited) and (error.status or 0) < 500
    harmless = call.repeatable or refused
    if harmless or not isinstance(error, Retryable):
        return error
    return OutcomeUnknown(
        error.message,
        vendor=error.vendor,
        object_type=error.object_type,
        status=error.status,
        code=error.code,
        request_id=error.request_id,
        detail=error.detail,
    )


def _no_answer(kind: str, call: Call, deadline: Deadline) -> SyncError:
    if not deadline.sent:
        return Retryable("Could not reach the server", code=kind)
    message = "No answer in time" if deadline.expired else "The connection broke off"
    return after_sending(Retryable(message, code=kind), call)


def _session() -> Session:
    session = Session()
    # No proxy, no .netrc: credentials go where we send them and nowhere else.
    session.trust_env = False
    session.headers.update({"User-Agent": USER_AGENT})
    adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=8, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _read(response: Response, limit: int) -> bytes:
    """Read the decompressed body, in pieces, so that a bomb is cut at the limit."""
    parts: list[bytes] = []
    size = 0
    for part in response.raw.stream(65536, decode_content=True):
        size += len(part)
        if size > limit:
            raise Retryable("The answer is too large", status=response.status_code)
        parts.append(part)
    return b"".join(parts)
