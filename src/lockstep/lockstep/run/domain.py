"""A ROS_DOMAIN_ID of one's own, so that runs at the same time, and robots, never meet."""

from __future__ import annotations

import os
import random
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import RunError, UsageError
from .participants import ports_of, sockets_of
from .shared_memory import closed_ports, remove_what_nobody_owns

RUN = "LOCKSTEP_RUN"
"""The environment variable that marks every process that was started for a run."""
# Domains 0 to 100 keep clear of Linux's ephemeral ports (ROS 2 documentation, "The ROS_DOMAIN_ID");
# 0 is every robot's.
_DOMAINS = range(1, 101)
# What leads a node to others, or changes how its middleware delivers.
_OUTSIDE = (
    "ROS_STATIC_PEERS",
    "ROS_DISCOVERY_SERVER",
    "ROS_SUPER_CLIENT",
    "ROS_LOCALHOST_ONLY",
    "ROS_SECURITY_ENABLE",
    "ROS_SECURITY_STRATEGY",
    "ROS_SECURITY_KEYSTORE",
    "ROS_SECURITY_ENCLAVE_OVERRIDE",
    "RMW_FASTRTPS_PUBLICATION_MODE",
    "RMW_FASTRTPS_USE_QOS_FROM_XML",
    "FASTRTPS_DEFAULT_PROFILES_FILE",
    "FASTDDS_DEFAULT_PROFILES_FILE",
    "FASTDDS_ENVIRONMENT_FILE",
    "CYCLONEDDS_URI",
)


@contextmanager
def isolated_domain() -> Iterator[dict[str, str]]:
    """Hold a free domain; gives the environment that confines a process to it and to this machine.

    The lock is an abstract Unix socket: the kernel frees it however this process ends. It keeps
    other runs away; `DomainGuard` sees whoever else joins. What killed nodes left in shared memory
    is removed before and after; a domain where others left some is the last to be taken. Raises
    UsageError for a middleware whose nodes nobody could see.
    """
    if os.environ.get("RMW_IMPLEMENTATION") == "rmw_zenoh_cpp":
        raise UsageError(
            "rmw_zenoh_cpp cannot be kept from other nodes; unset RMW_IMPLEMENTATION, or use "
            "rmw_fastrtps_cpp or a direct run"
        )
    candidates = [d for d in _DOMAINS if str(d) != os.environ.get("ROS_DOMAIN_ID")]
    random.shuffle(candidates)
    closed = set(closed_ports())
    candidates.sort(key=lambda domain: not closed.isdisjoint(ports_of(domain)))
    for domain in candidates:
        with socket.socket(socket.AF_UNIX) as lock:
            try:
                lock.bind(f"\0lockstep-domain-{domain}")
            except OSError:
                continue
            if sockets_of(domain):
                continue
            remove_what_nobody_owns()
            environment = {k: v for k, v in os.environ.items() if k not in _OUTSIDE}
            environment["ROS_DOMAIN_ID"] = str(domain)
            environment[RUN] = uuid.uuid4().hex
            environment["SKIP_DEFAULT_XML"] = "1"  # Fast DDS: no profiles from the current folder
            environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
            environment["SKIP_DEFAULT_XML_FILE"] = "1"  # profiles of Fast DDS in the current folder
            try:
                yield environment
            finally:
                remove_what_nobody_owns()
            return
    raise RunError(
        "every ROS_DOMAIN_ID from 1 to 100 is in use; end other ROS programs and try again"
    )
