"""A component's inputs, outputs and services on the graph; lockstep_cpp's ports.cpp is the twin."""

from __future__ import annotations

from collections.abc import Mapping

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription

from ..component import Component, Service
from .inbox import Inbox
from .qos import lossless, profile


class Ports:
    """Subscriptions and publishers with the names of their ports, in the order of declaration."""

    def __init__(
        self, node: Node, inbox: Inbox, component: Component, *, in_lockstep: bool
    ) -> None:
        """In lockstep with QoS that loses nothing, instead of what the ports declare, and with
        inputs that give bytes; services are topics there, of their requests and responses."""
        services = {} if in_lockstep else component.services
        self.services: Mapping[str, Service] = services
        responses = {service.responses.name for service in services.values()}
        self.inputs: dict[Subscription, str] = {
            # Volatile in lockstep: it goes with any publisher, and all that counts is sent after
            # the first step.
            inbox.subscribe(
                port.message_type,
                port.topic,
                lossless() if in_lockstep else profile(port.qos),
                raw=in_lockstep,
            ): name
            for name, port in component.inputs.items()
            if name not in services
        }
        self.outputs: dict[str, Publisher] = {
            name: node.create_publisher(
                port.message_type,
                port.topic,
                lossless(port.qos.durability) if in_lockstep else profile(port.qos),
            )
            for name, port in component.outputs.items()
            if name not in responses
        }

    def are_connected(self) -> bool:
        """Whether every input has a publisher and every output a subscriber."""
        return all(s.get_publisher_count() > 0 for s in self.inputs) and all(
            p.get_subscription_count() > 0 for p in self.outputs.values()
        )
