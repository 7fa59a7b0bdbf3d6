"""The facts of both protocols are the same in protocol.hpp and in its Python twin."""

import re
from pathlib import Path

from lockstep.host import protocol

HEADER = Path(__file__).resolve().parents[1] / "include" / "lockstep" / "host" / "protocol.hpp"


def facts():
    """The constants of the header by name, as text."""
    pattern = r"^inline constexpr .*?\b([A-Z_]+)(?: = (.+)|\{(.+)\});$"
    return {m[1]: m[2] or m[3] for m in re.finditer(pattern, HEADER.read_text(), re.MULTILINE)}


def test_frames_have_the_same_kinds():
    in_header = re.findall(r"^  (\w+) = (\d+),?$", HEADER.read_text(), re.MULTILINE)
    in_python = [(kind.name.lower(), str(kind.value)) for kind in protocol.Kind]
    assert in_header == in_python


def test_names_and_limits_are_the_same():
    assert facts() == {
        "MAX_UNACKNOWLEDGED": str(protocol.MAX_UNACKNOWLEDGED),
        "MAX_SILENCE": f"{protocol.MAX_SILENCE_S * 1e3:g}",
        "MAGIC": "{" + ", ".join(f"'{c}'" for c in protocol.MAGIC.decode()) + "}",
        "HEADER_SIZE": str(protocol.HEADER_SIZE),
        "MAX_PAYLOAD": f"{protocol.MAX_PAYLOAD >> 20}U << 20",
        "TIMER_PORTS": str(protocol.TIMER_PORTS),
        "BY_ITSELF": str(protocol.BY_ITSELF),
        "TO_DEADLINE": str(protocol.TO_DEADLINE),
        "STEPS_TOPIC": f'"{protocol.STEPS_TOPIC}"',
        "ACKNOWLEDGEMENT_TOPIC": f'"{protocol.ACKNOWLEDGEMENT_TOPIC}"',
        "ANNOUNCEMENT_PERIOD": f"{protocol.ANNOUNCEMENT_PERIOD_S * 1e3:g}",
        "PUBLISH_TIMEOUT": f"{protocol.PUBLISH_TIMEOUT_S:g}",
    }
