"""Times: integer nanoseconds everywhere, as builtin_interfaces/Time counts them,
and seconds only to be shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from builtin_interfaces.msg import Time

NS_PER_S = 1_000_000_000


def stamp_ns(stamp: Any) -> int:
    """Nanoseconds of a builtin_interfaces/Time."""
    return int(stamp.sec) * NS_PER_S + int(stamp.nanosec)


def to_stamp(time_ns: int) -> Time:
    """The builtin_interfaces/Time of `time_ns`."""
    from builtin_interfaces.msg import Time  # comparing and reporting need no ROS

    sec, nanosec = divmod(time_ns, NS_PER_S)
    return Time(sec=sec, nanosec=nanosec)


class Stamp(NamedTuple):
    """A builtin_interfaces/Time to be encoded, which takes a tenth of the time to make."""

    sec: int
    nanosec: int


def quick_stamp(time_ns: int) -> Stamp:
    """The same as `to_stamp`, for what is only encoded."""
    return Stamp(*divmod(time_ns, NS_PER_S))


def seconds(time_ns: int) -> str:
    """Nanoseconds as seconds with nine decimals, exactly."""
    sign = "-" if time_ns < 0 else ""
    whole, rest = divmod(abs(time_ns), NS_PER_S)
    return f"{sign}{whole}.{rest:09d}"
