"""The garbage collector of a worker, which makes millions of short-lived objects.

Nearly all of them are freed at once by their count. Python would look for the others
after each 700, and every so often among all that Django has loaded as well, which took
a third of the time of a comparison.
"""

from __future__ import annotations

import gc

# New objects until the youngest are looked at, and such looks until older ones are.
THRESHOLDS = (50_000, 20, 50)


def spare() -> None:
    """Let it look seldom, and never again at what has been loaded by now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
