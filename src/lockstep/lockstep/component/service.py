"""Services that a component offers: an input of requests, and an output of responses."""

from __future__ import annotations

from typing import Any

from ..message.rosidl import type_name
from .port import Input, Output

REQUESTS = "/_request"
"""What the topic of a service's requests is called in all runs but free ones, after the service,"""
RESPONSES = "/_response"
"""and that of its responses."""
OF_RESPONSES = "_response"
"""What the output of the responses is called, after the service."""


class Service:
    """Answers requests of one type: each goes to the component's `on_<name>(request)`, which
    returns the response.

    `service_type` is a class that rosidl made of a .srv file, such as std_srvs.srv.SetBool;
    `service` is the name on the graph before remapping, that of the attribute if it is not given;
    `dist` is how requests are drawn, as that of an Input. Raises TypeError for what is no service
    type.
    """

    requests: Input[Any]
    """The input, called as the service."""
    responses: Output[Any]
    """The output, `<name>_response`."""

    def __init__(
        self, service_type: type[Any], service: str | None = None, *, dist: Any = None
    ) -> None:
        if not (hasattr(service_type, "Request") and hasattr(service_type, "Response")):
            raise TypeError(
                f"{service_type!r} is no service type; give one such as std_srvs.srv.SetBool"
            )
        self.service_type = service_type
        self.name = ""
        self._service = service
        self._dist = dist

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.requests = Input(self.service_type.Request, f"{self.topic}{REQUESTS}", dist=self._dist)
        self.requests.name = name
        self.responses = Output(self.service_type.Response, f"{self.topic}{RESPONSES}")
        self.responses.name = f"{name}{OF_RESPONSES}"

    @property
    def topic(self) -> str:
        """The service's name before remapping; relative unless it was declared absolute."""
        return self._service or self.name

    def check(self, response: object) -> None:
        """Raises TypeError for what is no response."""
        expected = self.responses.message_type
        if not isinstance(response, expected):
            raise TypeError(
                f"on_{self.name} is to return a {type_name(expected)}, not "
                f"{type(response).__name__}"
            )
