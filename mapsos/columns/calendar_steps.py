"""Steps of time that divide a calendar: minutes, hours, days, months, years, by the clocks of a time zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from mapsos.terms.times import DAY, EARLIEST, EPOCH, LATEST, Duration

if TYPE_CHECKING:
    import numpy as np

_LAST = date.max.toordinal()
_SHORTEST_MONTH, _LONGEST_MONTH = 28, 31


class CalendarSteps:
    """A calendar divided into equal steps by the clocks of a zone.

    Steps of months and years begin with a month, counted from the year 0: three months are quarters, ten years are
    decades. Steps of days begin at local midnight, counted from a Monday: seven days are weeks. Shorter steps are
    elapsed time, counted anew from each local midnight: the last step of a day ends at the next midnight, and a day on
    which clocks change has more or fewer steps.

    Raises
    ------
    ValueError
        The step has no length, or combines days with hours or months with days.
    """

    def __init__(self, step: Duration, zone: tzinfo) -> None:
        if step.months and step.microseconds:
            raise ValueError("months or years cannot be combined with days or less")
        if not step.months and not step.microseconds:
            raise ValueError("the step has no length")
        if step.microseconds > DAY and step.microseconds % DAY:
            raise ValueError("expected an integer number of days")
        self._months = step.months
        self._days, self._length = divmod(step.microseconds, DAY)
        self._zone = zone
        fixed = zone.utcoffset(None)
        self._offset = None if fixed is None else fixed // timedelta(microseconds=1)
        self._midnights: dict[int, int] = {}

    def group(self, instants: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the step of each instant (int64 microseconds since 1970 UTC).

        Costs some nanoseconds an instant and some microseconds for each new day.

        Returns
        -------
        tuple
            The index of a step for each instant; begin and end (exclusive) of the steps by index, in order of time. All
            are int64, within the years 1 to 9999.
        """
        import numpy as np

        numbers, begins, ends = self._cut(instants)
        return numbers, np.maximum(begins, EARLIEST), np.minimum(ends, LATEST - 1)

    def cut(self, begin: int, end: int, most: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Return begins and ends (exclusive) of the steps that overlap a period, in order; None for more than ``most``.

        ``begin``, ``end`` (exclusive) and the results are instants as in `group`. Costs some microseconds a step.
        """
        import numpy as np

        if end <= begin:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        first, last = self._local_days(np.array([begin, end - 1], np.int64)).tolist()
        found = self._cut_days(first, last, begin, end, most) if self._length else self._cut_dates(first, last, most)
        if found is None:
            return None
        begins, ends = found
        chosen = (begins < end) & (ends > begin)
        begins, ends = np.maximum(begins[chosen], EARLIEST), np.minimum(ends[chosen], LATEST - 1)
        return (begins, ends) if len(begins) <= most else None

    def _cut_days(self, first: int, last: int, begin: int, end: int, most: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the steps of part of a day that overlap a period; None for more than ``most``, which are only counted.

        ``first`` and ``last`` are the days of its begin and end.
        """
        import numpy as np

        # Each day has a step at least.
        if last - first >= most + 2:
            return None
        midnights = self._find_midnights(np.arange(first, last + 2))
        counts = -(-np.diff(midnights) // self._length)
        before = (begin - int(midnights[0])) // self._length
        after = (end - 1 - int(midnights[-2])) // self._length + 1
        steps = int(counts[:-1].sum()) - before + after
        if steps > most:
            return None
        ends_of_days = np.cumsum(counts)
        numbers = np.arange(before, before + steps)
        day_of_step = np.searchsorted(ends_of_days, numbers, side="right")
        within = numbers - (ends_of_days - counts)[day_of_step]
        begins = midnights[day_of_step] + within * self._length
        return begins, np.minimum(begins + self._length, midnights[day_of_step + 1])

    def _cut_dates(self, first: int, last: int, most: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the steps of days, months or years from a day to a day; None for more than ``most``."""
        import numpy as np

        length = self._days or self._months * _SHORTEST_MONTH
        if (last - first) // (self._days or self._months * _LONGEST_MONTH) > most:
            return None
        # The first day of each step, some of them several times.
        days = np.append(np.arange(first, last, length), last)
        first_days, last_days = (np.unique(edges) for edges in self._step_days(days))
        return self._find_midnights(first_days), self._find_midnights(last_days)

    def _cut(self, instants: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        import numpy as np

        days, each = number_values(self._local_days(instants))
        if self._length:
            midnights = self._find_midnights(days)
            within = (instants - midnights[each]) // self._length
            most = int(within.max(initial=0)) + 1
            steps, numbers = number_values(each * most + within)
            begins = midnights[steps // most] + steps % most * self._length
            ends = np.minimum(begins + self._length, self._find_midnights(days + 1)[steps // most])
            return numbers, begins, ends
        first_days, last_days = self._step_days(days)
        first, step_of_day = np.unique(first_days, return_inverse=True)
        last = np.empty_like(first)
        last[step_of_day] = last_days
        return step_of_day[each], self._find_midnights(first), self._find_midnights(last)

    def _step_days(self, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the first day, and the day after the last, of the step of each day (since 1970)."""
        import numpy as np

        if self._days:
            # The first day of the year 1 is a Monday.
            first = (days + EPOCH - 1) // self._days * self._days - EPOCH + 1
            return first, first + self._days
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1970 * 12
        begin = months // self._months * self._months - 1970 * 12
        return (
            begin.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64),
            (begin + self._months).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64),
        )

    def _local_days(self, instants: np.ndarray) -> np.ndarray:
        import numpy as np

        if self._offset is not None:
            fixed: np.ndarray = (instants + self._offset) // DAY
            return fixed
        days, _ = number_values(instants // DAY)
        # Every zone is less than a day from UTC, but some have skipped a day.
        near = np.unique((days[:, None] + np.arange(-2, 4)[None, :]).ravel())
        found: np.ndarray = near[np.searchsorted(self._find_midnights(near), instants, side="right") - 1]
        return found

    def _find_midnights(self, days: np.ndarray) -> np.ndarray:
        import numpy as np

        if self._offset is not None:
            midnights: np.ndarray = days * DAY - self._offset
            return midnights
        for day in days.tolist():
            if day not in self._midnights:
                self._midnights[day] = self._find_midnight(day)
        return np.array([self._midnights[day] for day in days.tolist()], np.int64)

    def _find_midnight(self, day: int) -> int:
        """Return the first instant of a local day, in microseconds since 1970 UTC."""
        if not 1 <= day + EPOCH <= _LAST:
            return day * DAY
        local = datetime.fromordinal(day + EPOCH).replace(tzinfo=self._zone)
        # Where clocks change at midnight, the day begins with the later of the two readings.
        offsets = [local.replace(fold=fold).utcoffset() or timedelta() for fold in (0, 1)]
        return day * DAY - min(offsets) // timedelta(microseconds=1)


def number_values(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct values of an int64 array in order, and for each value its index among them."""
    import numpy as np

    if not len(values):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    low, high = int(values.min()), int(values.max())
    if high - low > 4 * len(values) + 1024:
        return np.unique(values, return_inverse=True)
    present = np.zeros(high - low + 1, np.bool_)
    present[values - low] = True
    numbers = np.cumsum(present) - 1
    return np.flatnonzero(present) + low, numbers[values - low]
