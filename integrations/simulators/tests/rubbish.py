"""What nobody should send, and how a simulator answers it."""

import io
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from integrations.simulators.app import Simulator
from integrations.simulators.wire import request_of

NO_OBJECTS = [b"\xff\xfe", b"[", b'{"a":1e999}', b"null", b'"x"']


def bodies(names: list[str], words: list[str]) -> st.SearchStrategy[Any]:
    """Return JSON of any shape that uses a vendor's names and words."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-5, 300)
        | st.floats()
        | st.sampled_from(words)
    )
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(names), inner, max_size=4)
        ),
        max_leaves=12,
    )


def status_of(
    simulator: Simulator, token: str, method: str, path: str, body: bytes, **query: str
) -> int:
    """Return the status of one request, answered in this process."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "&".join(f"{k}={quote(v)}" for k, v in query.items()),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "wsgi.input": io.BytesIO(body),
    }
    return simulator.handle(request_of(environ)).status
