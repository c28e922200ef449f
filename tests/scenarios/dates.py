"""Days relative to today, for what ends on a day: nobody can set the clock of a lab."""

import time
from datetime import datetime, timedelta, timezone

SPARE_S = 60


def day(offset: int) -> str:
    """So many days from today, in UTC. Shortly before midnight the test begins tomorrow."""
    now = time.time()
    left_s = 86400 - now % 86400
    if left_s < SPARE_S:
        time.sleep(left_s)
    return (datetime.now(timezone.utc) + timedelta(days=offset)).strftime("%Y-%m-%d")
