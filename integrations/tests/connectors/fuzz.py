"""JSON of no particular shape, for proving that no shape is believed."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# A busy machine is no reason to fail.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("[{}]"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=6,
)


def objects(*keys: str) -> st.SearchStrategy[dict[str, object]]:
    """Objects that have the expected keys and anything under them."""
    return st.dictionaries(st.sampled_from(keys), junk)
