"""Who is in a run's domain, with sockets in place of participants: these are told by their
ports."""

import os
import subprocess
import sys
import time

import pytest
from lockstep.errors import RunError, UsageError
from lockstep.run.domain import isolated_domain
from lockstep.run.guard import DomainGuard

# Holds ports of a domain, by their numbers in it, until the end of its stdin.
HOLDER = """
import socket, sys
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in sys.argv[2:]]
for held, port in zip(sockets, sys.argv[2:]):
    held.bind(("", 7400 + 250 * int(sys.argv[1]) + int(port)))
print(flush=True)
sys.stdin.read()
"""
ORPHANED = 'exec 3<&0; "$@" <&3 & '


@pytest.fixture
def hold():
    """Starts what holds ports of a domain; as an orphan it is no child of this process."""
    started = []

    def start(environment, *ports, orphan=False):
        command = [sys.executable, "-c", HOLDER, environment["ROS_DOMAIN_ID"], *map(str, ports)]
        process = subprocess.Popen(
            ["sh", "-c", ORPHANED, "sh", *command] if orphan else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        started.append(process)
        process.stdout.readline()

    yield start
    for process in started:
        process.communicate()


def intrusion(environment, silenced, during_s=0.5):
    """What a guard says after some time; it returns at once if there is something to say."""
    with DomainGuard(environment, lambda: silenced.append(True)) as guard:
        deadline = time.monotonic() + during_s
        while not silenced and time.monotonic() < deadline:
            time.sleep(0.01)
    try:
        guard.check()
    except RunError as error:
        return str(error)
    return None


@pytest.mark.parametrize("ports", [(10, 11), (34, 35), (0,)])
def test_a_participant_that_is_none_of_the_runs_own_ends_it(hold, ports):
    silenced = []
    with isolated_domain() as environment:
        stranger = {**os.environ, "ROS_DOMAIN_ID": environment["ROS_DOMAIN_ID"]}
        hold(stranger, *ports, orphan=True)
        told = intrusion(environment, silenced, during_s=30)
    assert silenced
    assert "(python" in told
    assert f"joined ROS_DOMAIN_ID {environment['ROS_DOMAIN_ID']} of this run" in told


def test_children_and_what_they_leave_behind_are_the_runs_own(hold):
    silenced = []
    with isolated_domain() as environment:
        hold({**os.environ, "ROS_DOMAIN_ID": environment["ROS_DOMAIN_ID"]}, 10, 11)
        hold(environment, 12, 13, orphan=True)
        assert intrusion(environment, silenced) is None
    assert not silenced


def test_a_port_that_is_no_participants_is_nobody(hold):
    with isolated_domain() as environment:
        stranger = {**os.environ, "ROS_DOMAIN_ID": environment["ROS_DOMAIN_ID"]}
        hold(stranger, 101, 102, orphan=True)  # as the kernel may give them to a resolver
        assert intrusion(environment, []) is None


@pytest.mark.parametrize("port", [0, 12, 31])
def test_a_domain_whose_first_participant_has_ended_is_not_free(hold, monkeypatch, port):
    monkeypatch.setattr("random.shuffle", lambda domains: None)
    with isolated_domain() as first:
        pass
    hold(first, port)
    with isolated_domain() as second:
        assert second["ROS_DOMAIN_ID"] != first["ROS_DOMAIN_ID"]


def test_two_runs_share_no_domain(monkeypatch):
    monkeypatch.setattr("random.shuffle", lambda domains: None)
    with isolated_domain() as first, isolated_domain() as second:
        assert first["ROS_DOMAIN_ID"] != second["ROS_DOMAIN_ID"]


def test_a_middleware_whose_nodes_cannot_be_seen_is_refused(monkeypatch):
    monkeypatch.setenv("RMW_IMPLEMENTATION", "rmw_zenoh_cpp")
    with pytest.raises(UsageError, match="unset RMW_IMPLEMENTATION"), isolated_domain():
        pass
