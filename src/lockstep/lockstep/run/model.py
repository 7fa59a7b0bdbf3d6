"""What to run, on what, and how: sections of a verify.yaml."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from ..bag.url import is_url
from ..distributions.model import Sample
from ..strict_yaml import MAX_S, Factor, Number, StrictModel

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]


ParameterValue = bool | int | float | str | list[bool] | list[int] | list[float] | list[str]


def _place(value: Any) -> Any:
    return Path(value) if isinstance(value, str) and not is_url(value) else value


Place = Annotated[Path | str, BeforeValidator(_place)]
"""A path of this machine, or a URL, which is a str."""


class SystemNode(StrictModel):
    """One process of several that are one system, with arguments as on a command line."""

    executable: str | None = Field(
        default=None, pattern=r"^[^/]+/[^/]+$", description="PACKAGE/EXECUTABLE"
    )
    node: str | None = Field(
        default=None, pattern=r"^[\w.]+:\w+$", description="MODULE:CLASS of an rclpy node"
    )
    command: list[str] | None = Field(default=None, min_length=1, description="any ROS 2 node")
    arguments: list[str] = Field(default=[], description="e.g. [--ros-args, -r, a:=b]")

    @model_validator(mode="after")
    def _one_kind(self) -> SystemNode:
        if sum(one is not None for one in (self.executable, self.node, self.command)) != 1:
            raise ValueError("give exactly one of executable, node and command")
        return self


class Cost(StrictModel):
    """How much of the run's time a node takes, which is none if nobody says so."""

    fixed_us: Number = Field(
        default=0.0, ge=0, le=1e9, description="for each message, request or response it takes"
    )


class Implementation(StrictModel):
    """One realisation of the contract: a component in Python, one of any language as the executable
    of a package, or an ordinary node: a class in Python or any command."""

    component: str | None = Field(default=None, pattern=r"^[\w.]+:\w+$", description="MODULE:CLASS")
    executable: str | None = Field(
        default=None, pattern=r"^[^/]+/[^/]+$", description="PACKAGE/EXECUTABLE"
    )
    node: str | None = Field(
        default=None, pattern=r"^[\w.]+:\w+$", description="MODULE:CLASS of an rclpy node"
    )
    command: list[str] | None = Field(default=None, min_length=1, description="any ROS 2 node")
    launch: list[str] | None = Field(
        default=None, min_length=1, description="a launch file: PACKAGE, FILE and NAME:=VALUE …"
    )
    nodes: list[SystemNode] | None = Field(
        default=None, min_length=1, description="several processes as one system, in this order"
    )
    remap: dict[str, str] = Field(default={}, description="node: port → the node's own topic")
    parameters: dict[str, ParameterValue] = Field(default={})

    @model_validator(mode="after")
    def _one_kind(self) -> Implementation:
        kinds = ("component", "executable", "node", "command", "launch", "nodes")
        if sum(getattr(self, kind) is not None for kind in kinds) != 1:
            raise ValueError(f"give exactly one of {', '.join(kinds[:-1])} and {kinds[-1]}")
        if self.remap and self.component is not None:
            raise ValueError("remap is for nodes; components have the contract's topics")
        return self

    _is_known_as_node: bool = PrivateAttr(default=False)

    @property
    def is_node(self) -> bool:
        """Whether it is no component but ordinary nodes, which tell no contract and no
        acknowledgements.

        An executable is taken for a component, unless it is `as_node`.
        """
        return self.component is None and (self.executable is None or self._is_known_as_node)

    def as_node(self) -> Implementation:
        """The same, its executable being known as that of an ordinary node."""
        known = self.model_copy()
        known._is_known_as_node = True
        return known


class Inputs(StrictModel):
    """Which topics of a bag go to which input ports, times in seconds from the bag's start; or a
    sample to draw, or what an external player sends.

    A sample gets its bag and topics when it is drawn, what a player sends its bag when it has.
    """

    bag: Place = Path()
    player: Literal["own", "external"] = Field(
        default="own", description="external: record what another program plays"
    )
    topics: dict[str, str | list[str]] = Field(
        default={}, min_length=1, description="port → topic(s) of the bag or the player"
    )
    services: dict[str, str] = Field(
        default={}, description="service of a node → topic of the bag with its events"
    )
    silent: list[str] = Field(
        default=[], description="inputs that need no topic, or no message on it"
    )
    sample: Sample | None = None
    clock: Literal["auto", "bag", "times"] = "auto"
    start: Number = Field(default=0.0, ge=0, le=MAX_S)
    duration: Number | None = Field(default=None, gt=0, le=MAX_S)

    @property
    def is_recorded(self) -> bool:
        """Whether there is a bag before anything runs."""
        return self.sample is None and self.player == "own"

    @model_validator(mode="after")
    def _recorded_or_drawn(self) -> Inputs:
        if self.is_recorded != ("bag" in self.model_fields_set):
            raise ValueError(
                "give either bag and topics, or sample, or player: external and topics"
            )
        if self.sample is not None and self.player == "external":
            raise ValueError("a sample is played by nobody else; leave out player: external")
        if (self.sample is None) != bool(self.topics or self.services):
            raise ValueError("give topics, port: topic, with a bag, and none with a sample")
        return self


class Run(StrictModel):
    """How to run: on the live graph at a real-time factor, in lockstep unless it is a black box; or
    directly, without DDS."""

    mode: Literal["live", "direct"] = "live"
    rtf: Factor = Field(default=math.inf, gt=0)
    window: int = Field(default=100, ge=1, le=1000, description="messages in flight")
    repeat: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="runs of every implementation, which must agree with each other; "
        "without it, two of the reference and one of each other",
    )
    quiet: Number | None = Field(
        default=None,
        gt=0,
        le=600,
        description="seconds without an output after which a black box has answered all; "
        "without it, they go by the longest gap between its outputs",
    )
    timeout: Number = Field(
        default=10.0, gt=0, description="seconds without an answer that count as a hang"
    )
    cost: Cost = Field(default=Cost(), description="direct: the time that nodes take")
    allow_uncontrolled: bool = Field(
        default=False,
        description="direct: let nodes depend on more than their inputs",
    )
    allow_foreign_nodes: bool = Field(
        default=False,
        description="live: let nodes that are none of the run's own join its domain",
    )
