"""`python3 -m lockstep.nodes.spin MODULE:CLASS`: an ordinary rclpy node, constructed and spun."""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress

import rclpy
from rclpy.executors import ExternalShutdownException

from ..errors import USAGE
from ..printable import tell


def main() -> None:
    """Spin a node until it is interrupted."""
    module, _, name = sys.argv[1].partition(":")
    sys.path.insert(0, "")
    try:
        node_class = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        tell(f"{sys.argv[1]}: cannot import this node: {error}")
        sys.exit(USAGE)
    rclpy.init(args=sys.argv)
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node_class())


if __name__ == "__main__":
    main()
