"""The message types that rosidl makes of a service or an action
(https://design.ros2.org/articles/actions.html, REP-2012), as .msg texts.
"""

from __future__ import annotations

import re

from ..errors import BagError

_PARTS = re.compile(r"^---[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
_HEADING = re.compile(r"^={20,}[ \t]*\r?\n\s*(?:SRV|ACTION):", re.MULTILINE)
_COUNTS = {"srv": 2, "action": 3}
_TIME = "int32 sec\nuint32 nanosec"
_UUID = "uint8[16] uuid"
_EVENT_INFO = """\
uint8 REQUEST_SENT = 0
uint8 REQUEST_RECEIVED = 1
uint8 RESPONSE_SENT = 2
uint8 RESPONSE_RECEIVED = 3
uint8 event_type
builtin_interfaces/Time stamp
char[16] client_gid
int64 sequence_number"""
IMPLIED = {
    "builtin_interfaces/msg/Time": _TIME,
    "service_msgs/msg/ServiceEventInfo": _EVENT_INFO,
    "unique_identifier_msgs/msg/UUID": _UUID,
}
"""What the types of every service and action use, though no .srv or .action file names it."""


def base(type_name: str) -> str:
    """The service or action that a full type name is a part of: `pkg/srv/Add` of
    `pkg/srv/Add_Event`; "" for a message.
    """
    package, kind, name = type_name.split("/")
    return f"{package}/{kind}/{name.partition('_')[0]}" if kind in _COUNTS else ""


def holds_parts(text: str) -> bool:
    """Whether a definition is that of a service or an action, not of a message."""
    return bool(_PARTS.search(text) or _HEADING.search(text))


def messages_of(name: str, text: str) -> dict[str, str]:
    """The messages of a service or action by type, of the text of its file.

    Raises BagError if it has not as many parts as there should be.
    """
    kind = name.split("/")[1]
    parts = _PARTS.split(text)
    if len(parts) != _COUNTS.get(kind):
        raise BagError(f"{name} has {len(parts)} parts between lines of ---")
    if kind == "srv":
        return _service(name, *parts)
    goal, result, feedback = parts
    return {
        f"{name}_Goal": goal,
        f"{name}_Result": result,
        f"{name}_Feedback": feedback,
        f"{name}_FeedbackMessage": (
            f"unique_identifier_msgs/UUID goal_id\n{name}_Feedback feedback"
        ),
        **_service(
            f"{name}_SendGoal",
            f"unique_identifier_msgs/UUID goal_id\n{name}_Goal goal",
            "bool accepted\nbuiltin_interfaces/Time stamp",
        ),
        **_service(
            f"{name}_GetResult",
            "unique_identifier_msgs/UUID goal_id",
            f"int8 status\n{name}_Result result",
        ),
    }


def _service(name: str, request: str, response: str) -> dict[str, str]:
    return {
        f"{name}_Request": request,
        f"{name}_Response": response,
        f"{name}_Event": (
            "service_msgs/ServiceEventInfo info\n"
            f"{name}_Request[<=1] request\n{name}_Response[<=1] response"
        ),
    }
