"""What rosidl itself says of a definition, where its parsers are installed."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from typing import Any


def check_with_rosidl(type_name: str, text: str, encoding: str) -> None:
    """Raise ValueError, which says why, if rosidl is installed and would not build the text of one
    type ("ros2msg" or "ros2idl").
    """
    try:
        from rosidl_adapter.parser import parse_message_string
        from rosidl_adapter.resource import evaluate_template
        from rosidl_parser.parser import parse_idl_string
    except ImportError:
        return
    package, _, name = type_name.split("/")
    told = io.StringIO()
    try:
        with redirect_stderr(told), redirect_stdout(io.StringIO()):
            if encoding == "ros2msg":
                data: dict[str, Any] = {
                    "pkg_name": package,
                    "relative_input_file": f"msg/{name}.msg",
                    "msg": parse_message_string(package, name, text),
                }
                text = evaluate_template("msg.idl.em", data)
            parse_idl_string(text)
    except (Exception, SystemExit) as error:  # each of its parsers has errors of its own
        why = told.getvalue() if isinstance(error, SystemExit) else str(error)
        raise ValueError(" ".join(why.split())[:200] or type(error).__name__) from error
