"""Ports: the typed inputs and outputs of a component."""

from __future__ import annotations

import copy
import ctypes
import importlib
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .qos import QoS

if TYPE_CHECKING:
    from .component import Component

MessageT = TypeVar("MessageT")


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


def type_name(message_type: type) -> str:
    """The ROS name of a rosidl message class, such as `sensor_msgs/msg/Imu`."""
    return f"{message_type.__module__.split('.', maxsplit=1)[0]}/msg/{message_type.__name__}"


def type_hash(message_type: type[Any]) -> str | None:
    """The RIHS01 hash (REP 2016) of a rosidl message class, of the very build that is loaded; None if it has none.

    It stands in the C type support behind the class: rosidl_runtime_c/message_type_support_struct.h.
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
    """The rosidl class of a ROS type name; raises LookupError where it is not installed."""
    package, _, message = name.replace("/msg/", "/").partition("/")
    try:
        cls: type[Any] = getattr(importlib.import_module(f"{package}.msg"), message)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise LookupError(
            f"message type {name} is not installed; build or source the package '{package}'"
        ) from error
    return cls


class _Port(Generic[MessageT]):
    def __init__(
        self, message_type: type[MessageT], topic: str | None = None, qos: QoS | None = None
    ) -> None:
        self.message_type = message_type
        self.qos = qos or QoS()
        self.name = ""
        self._topic = topic

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @property
    def topic(self) -> str:
        """The topic before remapping; relative unless it was declared absolute."""
        return self._topic or self.name


class Input(_Port[MessageT]):
    """Receives messages of one type; each goes to the component's `on_<name>(msg)`.

    `dist` is how messages for it are drawn (lockstep.dist); it is no part of the contract.
    """

    def __init__(
        self,
        message_type: type[MessageT],
        topic: str | None = None,
        qos: QoS | None = None,
        *,
        dist: Any = None,
    ) -> None:
        super().__init__(message_type, topic, qos)
        self.dist = dist


class Output(_Port[MessageT]):
    """Sends messages of one type."""

    _component: Component

    def of(self, component: Component) -> Output[MessageT]:
        """This output as owned by one component, so that it can publish."""
        output = copy.copy(self)
        output._component = component
        return output

    def publish(self, msg: MessageT) -> None:
        """Send `msg` at the run's current time."""
        message: Any = msg
        if not isinstance(message, self.message_type):
            raise TypeError(
                f"output '{self.name}' takes {type_name(self.message_type)}, "
                f"not {type(message).__name__}"
            )
        self._component.host.publish(self.name, message)
