"""The classes that rosidl generates: their ROS names, type hashes and where they are found."""

from __future__ import annotations

import ctypes
import importlib
import logging
import sys
from typing import Any


class _TypeHash(ctypes.Structure):
    """rosidl_type_hash_t."""

    _fields_ = (("version", ctypes.c_uint8), ("value", ctypes.c_uint8 * 32))


class _TypeSupport(ctypes.Structure):
    """The first fields of rosidl_message_type_support_t."""

    _fields_ = (
        ("typesupport_identifier", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("func", ctypes.c_void_p),
        (
            "get_type_hash_func",
            ctypes.CFUNCTYPE(ctypes.POINTER(_TypeHash), ctypes.c_void_p),
        ),
    )


_capsule_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def spare_generator() -> None:
    """Let the generated modules, which are imported after this, do without their generator.

    They import it with its grammars and templates, which takes as long as a component's whole run
    may, but need it for nothing; where it cannot be imported they leave it out.
    """
    sys.modules.setdefault("rosidl_generator_py.generate_py_impl", None)  # type: ignore[arg-type]
    # At level debug it would tell a component's log of it, with a traceback.
    logging.getLogger("rosidl_generator_py").setLevel(logging.INFO)


def type_name(message_type: type) -> str:
    """The ROS name of a rosidl message class, such as `sensor_msgs/msg/Imu`, or
    `std_srvs/srv/SetBool_Request`."""
    package, _, rest = message_type.__module__.partition(".")
    kind = rest.partition(".")[0]
    return f"{package}/{kind if kind in ('srv', 'action') else 'msg'}/{message_type.__name__}"


def type_hash(message_type: type[Any]) -> str | None:
    """The RIHS01 hash (REP 2016) of a rosidl message class, of the very build that is loaded;
    None if it has none.

    It stands in the C type support behind the class:
    rosidl_runtime_c/message_type_support_struct.h.
    """
    metaclass: Any = type(message_type)
    if getattr(metaclass, "_TYPE_SUPPORT", None) is None:
        if not hasattr(metaclass, "__import_type_support__"):
            return None
        metaclass.__import_type_support__()
    address = _capsule_pointer(metaclass._TYPE_SUPPORT, None)
    support = _TypeSupport.from_address(address)
    if not support.get_type_hash_func:
        return None
    found = support.get_type_hash_func(address).contents
    return f"RIHS{found.version:02d}_{bytes(found.value).hex()}"


def message_class(name: str) -> type[Any]:
    """The rosidl class of a ROS type name, such as `std_srvs/srv/Trigger_Event`; raises LookupError
    where it is not installed."""
    package, _, message = name.replace("/msg/", "/").partition("/")
    kind, _, part = message.rpartition("/")
    try:
        module = importlib.import_module(f"{package}.{kind or 'msg'}")
        if kind in ("srv", "action"):  # the module of the whole has all its parts
            module = sys.modules[getattr(module, part.partition("_")[0]).__module__]
        cls: type[Any] = getattr(module, part)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise LookupError(
            f"message type {name} is not installed; build or source the package '{package}'"
        ) from error
    return cls
