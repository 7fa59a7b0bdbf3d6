"""Components: the units under test, and their contracts.

Knows ROS messages, never a client library.
"""

from ..message.time import stamp_ns, to_stamp
from .component import Component
from .contract import Contract, contract_of
from .function import component, component_of
from .parameter import Parameter
from .port import Input, Output
from .qos import SENSOR_DATA, QoS
from .schedule import Schedule
from .service import Service
from .tf_listener import TfListener
from .timer import Timer
from .transforms import TransformError

__all__ = [
    "SENSOR_DATA",
    "Component",
    "Contract",
    "Input",
    "Output",
    "Parameter",
    "QoS",
    "Schedule",
    "Service",
    "TfListener",
    "Timer",
    "TransformError",
    "component",
    "component_of",
    "contract_of",
    "stamp_ns",
    "to_stamp",
]
