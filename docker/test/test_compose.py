"""The services of compose.yaml, each in its container, on a real engine; `make docker-test`."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import ROOT, run

sys.path.insert(0, str(ROOT / "src/lockstep"))  # the workspace need not be built
from lockstep.run.participants import sockets_of
from lockstep.run.shared_memory import SHARED_MEMORY

USER = 4321
PROJECT = "lockstep-test"
COMPOSE = ("-f", "docker/compose.yaml")
FLOAT32 = "lockstep_examples_cpp/imu_complementary_filter_f32"
SERVICES = ("comparator", "recorder", "player", "python", "cpp")


class Verification:
    """`docker compose up` with settings, its results in a folder of a user of their own."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.files: tuple[str, ...] = COMPOSE
        for folder in list(results.parents)[:3]:  # pytest's own, which its user alone may enter
            folder.chmod(0o755)
        results.mkdir()
        os.chown(results, USER, USER)

    def start(self, *override: str, **settings: str) -> subprocess.Popen[str]:
        """Start it; override files follow compose.yaml."""
        self.files = (*COMPOSE, *(word for file in override for word in ("-f", file)))
        return subprocess.Popen(
            [*self.command(), "up", "--exit-code-from", "comparator"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                **os.environ,
                "LOCKSTEP_RESULTS": str(self.results),
                "LOCKSTEP_USER": f"{USER}:{USER}",
                **settings,
            },
        )

    def up(self, *override: str, **settings: str) -> tuple[int, str]:
        """Run it to its end; returns the exit code and what it printed."""
        process = self.start(*override, **settings)
        printed, _ = process.communicate(timeout=240)
        return process.returncode, printed

    def command(self) -> list[str]:
        """Compose with the files of the last start."""
        return ["docker", "compose", *self.files, "-p", PROJECT]

    def failure(self) -> str:
        """What the services say went wrong."""
        return (self.results / "failure").read_text("utf-8")


@pytest.fixture
def verification(wheels: str, tmp_path: Path) -> Iterator[Verification]:
    yield from removed_at_the_end(Verification(tmp_path / "results"))


@pytest.fixture
def distro_verification(distro: str, tmp_path: Path) -> Iterator[Verification]:
    yield from removed_at_the_end(Verification(tmp_path / "results"))


def removed_at_the_end(verification: Verification) -> Iterator[Verification]:
    yield verification
    run(*verification.command(), "down", "--volumes", "--timeout", "2", cwd=str(ROOT))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def is_playing(results: Path) -> bool:
    """Whether the player of the first run has told of messages that it sent."""
    events = results / "python/player.events"
    return events.exists() and '"progress"' in events.read_text("utf-8")


def test_an_implementation_that_matches_passes_and_results_are_the_callers(
    verification: Verification,
) -> None:
    code, printed = verification.up()
    assert code == 0, printed
    assert "MATCH" in printed
    summary = verification.results / "diffs/summary.txt"
    assert "11865 aligned, 0 differ" in summary.read_text("utf-8")
    assert {path.stat().st_uid for path in verification.results.rglob("*")} == {USER}


def test_one_that_differs_does_not_pass(verification: Verification) -> None:
    code, printed = verification.up(LOCKSTEP_CPP=FLOAT32)
    assert code == 1, printed
    assert "DIFFERENT" in printed
    assert any((verification.results / "diffs").rglob("*.diff"))


@pytest.mark.parametrize("service", ["python", "recorder", "player"])
def test_a_container_that_is_killed_fails_the_run(verification: Verification, service: str) -> None:
    process = verification.start(LOCKSTEP_RTF="2")
    wait_until(lambda: is_playing(verification.results))
    run("docker", "kill", f"lockstep-test-{service}-1")
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 3, printed
    assert "before the run of python was complete" in verification.failure()


def test_whoever_interrupts_it_gets_no_verdict(verification: Verification) -> None:
    process = verification.start(LOCKSTEP_RTF="2")
    wait_until(lambda: is_playing(verification.results))
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=120)
    # Compose 2.26 sometimes closes a channel of its own twice on its way out.
    assert process.returncode == 130 or "panic: close of closed channel" in printed, printed
    assert "before the run of python was complete" in verification.failure()
    assert not (verification.results / "diffs").exists()


def test_a_full_disk_fails_the_run(verification: Verification, tmp_path: Path) -> None:
    options = {"type": "tmpfs", "device": "tmpfs", "o": f"size=300k,uid={USER},gid={USER}"}
    services = {service: {"volumes": ["results:/results"]} for service in SERVICES}
    override = tmp_path / "full.yaml"
    override.write_text(
        json.dumps({"services": services, "volumes": {"results": {"driver_opts": options}}})
    )
    code, printed = verification.up(str(override))
    assert code == 3, printed
    assert "no space left on device" in printed.lower()


def test_a_container_that_is_paused_fails_the_run(verification: Verification) -> None:
    process = verification.start(LOCKSTEP_RTF="2", LOCKSTEP_TIMEOUT="5")
    wait_until(lambda: is_playing(verification.results))
    run("docker", "pause", "lockstep-test-python-1")
    wait_until((verification.results / "failure").exists)
    run("docker", "unpause", "lockstep-test-python-1")
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 3, printed
    assert "player: no answer for 5 s" in verification.failure()


def test_a_service_that_does_not_start_fails_the_run(verification: Verification) -> None:
    code, printed = verification.up(LOCKSTEP_PYTHON="lockstep_examples:Nobody")
    assert code == 3, printed
    assert "cannot load 'lockstep_examples:Nobody'" in verification.failure()


def test_a_bag_that_is_not_there_is_bad_usage(verification: Verification) -> None:
    code, printed = verification.up(LOCKSTEP_BAG="none")
    assert code == 2, printed
    assert "/bags/none does not exist" in printed


def test_a_folder_of_somebody_else_is_bad_usage(verification: Verification) -> None:
    os.chown(verification.results, 0, 0)
    code, printed = verification.up()
    assert code == 2, printed
    assert "LOCKSTEP_USER=$(id -u):$(id -g)" in printed


def free_domain() -> str:
    """One of this machine that nobody uses, nor the next."""
    used = {domain for domain in range(100) if sockets_of(domain)}
    return str(next(d for d in range(60, 99) if not {d, d + 1} & used))


def of_the_services(folder: Path) -> set[str]:
    """What their user has in a folder."""
    return {path.name for path in folder.iterdir() if path.stat().st_uid == USER}


def test_on_the_hosts_network_and_in_a_memory_of_their_own_it_passes_as_well(
    verification: Verification,
) -> None:
    code, printed = verification.up("docker/compose.host.yaml", LOCKSTEP_DOMAIN=free_domain())
    assert code == 0, printed
    for service in SERVICES:
        (container,) = json.loads(run("docker", "inspect", f"lockstep-test-{service}-1").stdout)
        assert container["HostConfig"]["NetworkMode"] == "host"
    assert not of_the_services(SHARED_MEMORY)


def test_what_is_killed_on_the_hosts_network_leaves_no_memory_on_the_host(
    verification: Verification,
) -> None:
    process = verification.start(
        "docker/compose.host.yaml", LOCKSTEP_DOMAIN=free_domain(), LOCKSTEP_RTF="2"
    )
    wait_until(lambda: is_playing(verification.results))
    listed = run("docker", "exec", "lockstep-test-recorder-1", "ls", "/dev/shm").stdout
    assert len({name for name in listed.split() if "_port" in name and name.endswith("_el")}) > 1
    for service in ("python", "player", "recorder"):
        run("docker", "kill", f"lockstep-test-{service}-1")
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 3, printed
    assert not of_the_services(SHARED_MEMORY)


def test_what_is_bad_usage_is_so_on_the_hosts_network(verification: Verification) -> None:
    code, printed = verification.up("docker/compose.host.yaml", LOCKSTEP_BAG="none")
    assert code == 2, printed


def of_plain_nodes(verification: Verification, rtf: str, *arguments: str) -> tuple[int, str]:
    """Verify tests/black_box_node.py, which holds a hundred messages, against itself."""
    override = verification.results.with_name("plain.yaml")
    service = {"volumes": [f"{ROOT}/tests:/nodes:ro"]}
    override.write_text(json.dumps({"services": {"python": service, "cpp": service}}))
    node = ["python3", "/nodes/black_box_node.py", *arguments]
    node += ["--ros-args", "-r", "acceleration:=/vector"]
    return verification.up(
        str(override),
        LOCKSTEP_WINDOW="0",
        LOCKSTEP_RTF=rtf,
        LOCKSTEP_DURATION="10",
        LOCKSTEP_BAG="husky_acceleration",
        LOCKSTEP_TOPICS="/imu/acceleration:=/vector",
        LOCKSTEP_OUTPUTS="/direction:geometry_msgs/msg/Vector3Stamped",
        LOCKSTEP_ALIGN="stamp",
        LOCKSTEP_PYTHON=shlex.join(node),
        LOCKSTEP_CPP=shlex.join(node),
    )


def test_nodes_that_are_no_components_match_if_they_keep_up(verification: Verification) -> None:
    code, printed = of_plain_nodes(verification, "1")
    assert code == 0, printed


def test_those_that_do_not_keep_up_fail_the_run_and_do_not_differ(
    verification: Verification,
) -> None:
    code, printed = of_plain_nodes(verification, "20", "slow")
    assert code == 3, printed
    assert "python: the node did not take " in verification.failure()


def test_the_profile_of_the_simulator_is_one_service() -> None:
    configured = run(
        *("docker", "compose", *COMPOSE, "--profile", "gazebo", "config", "--format", "json"),
        cwd=str(ROOT),
    )
    assert configured.returncode == 0, configured.stderr
    services = json.loads(configured.stdout)["services"]
    assert services.keys() == {"gazebo"}
    assert (ROOT / "launch" / services["gazebo"]["command"][3]).is_file()


def test_an_override_file_brings_nodes_of_ones_own(
    verification: Verification, tmp_path: Path
) -> None:
    nodes = tmp_path / "nodes"
    nodes.mkdir(mode=0o755)
    (nodes / "mine.py").write_text(
        "from lockstep_examples import ImuComplementaryFilter\n\n\n"
        "class Mine(ImuComplementaryFilter):\n    '''The same under another name.'''\n"
    )
    override = tmp_path / "mine.yaml"
    service = {"volumes": [f"{nodes}:/nodes:ro"], "environment": {"PYTHONPATH": "/nodes"}}
    override.write_text(json.dumps({"services": {"python": service}}))
    code, printed = verification.up(str(override), LOCKSTEP_PYTHON="mine:Mine")
    assert code == 0, printed
    contract = json.loads((verification.results / "python/contract.json").read_text("utf-8"))
    assert contract["component"] == "Mine"


def test_services_have_no_way_out_and_no_privileges(verification: Verification) -> None:
    process = verification.start(LOCKSTEP_RTF="1")
    wait_until(lambda: is_playing(verification.results))
    for service in SERVICES:
        name = f"lockstep-test-{service}-1"
        (container,) = json.loads(run("docker", "inspect", name).stdout)
        assert container["State"]["Health"]["Status"] == "healthy"
        host, settings = container["HostConfig"], container["NetworkSettings"]
        assert host["ReadonlyRootfs"] and not host["Privileged"] and host["CapDrop"] == ["ALL"]
        assert not host["PortBindings"] and not any(settings["Ports"].values())
        status = run("docker", "exec", name, "cat", "/proc/1/status").stdout
        assert "CapEff:\t0000000000000000" in status
    (network,) = json.loads(run("docker", "network", "inspect", "lockstep-test_default").stdout)
    assert network["Internal"]
    process.terminate()
    process.communicate(timeout=120)
    assert "comparator" in verification.failure()


def test_direct_and_live_runs_in_one_container_need_no_network(wheels: str) -> None:
    one = ["docker", "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp"]
    one += ["--cap-drop", "ALL", "-v", f"{ROOT}/bags:/bags:ro", wheels, "sh", "-c"]
    share = "/opt/lockstep/install/share/lockstep_examples/verify"
    for mode in ("direct", "live"):
        verify = (
            f"sed 's,../../../bags,/bags,' {share}/imu_complementary_filter.yaml > /tmp/v.yaml && "
            f"echo 'run: {{mode: {mode}}}' >> /tmp/v.yaml && lockstep verify /tmp/v.yaml -o /tmp/o"
        )
        done = run(*one, verify)
        assert done.returncode == 0, done.stdout + done.stderr


def verified_in_one_container(image: str, folder: Path, *options: str) -> str:
    """What `lockstep verify` says of an ordinary node in a direct run, in an image."""
    folder.chmod(0o755)
    verification = {
        "implementations": {
            "component": {"executable": "lockstep_examples_cpp/vector_normalizer"},
            "ordinary": {
                "command": ["python3", "/nodes/black_box_node.py"],
                "remap": {"vector": "acceleration", "normalized": "direction"},
            },
        },
        "reference": "component",
        "inputs": {"bag": "/bags/husky_acceleration", "topics": {"vector": "/imu/acceleration"}},
        "run": {"mode": "direct"},
        "compare": {"tolerance": {"vector.*": {"abs": 1e-9}}},
    }
    (folder / "verify.yaml").write_text(json.dumps(verification))
    one = ["docker", "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp"]
    one += ["--cap-drop", "ALL", *options, "-v", f"{ROOT}/bags:/bags:ro"]
    one += ["-v", f"{ROOT}/tests:/nodes:ro", "-v", f"{folder}:/verify:ro", image]
    done = run(*one, "lockstep", "verify", "/verify/verify.yaml", "-o", "/tmp/o")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


FIXED_ADDRESSES = """
import ctypes
personality = ctypes.CDLL(None).personality
personality.argtypes = [ctypes.c_ulong]
personality(0x0040000)  # ADDR_NO_RANDOMIZE
print(bool(personality(0xFFFFFFFF) & 0x0040000))
"""


def test_an_ordinary_node_runs_directly_and_what_a_filter_of_calls_forbids_is_told(
    wheels: str, tmp_path: Path
) -> None:
    told = "ordinary: this system does not let its memory lie at fixed addresses"
    allowed = run("docker", "run", "--rm", wheels, "python3", "-c", FIXED_ADDRESSES).stdout.strip()
    assert (told in verified_in_one_container(wheels, tmp_path)) == (allowed == "False")
    unconfined = ("--security-opt", "seccomp=unconfined")
    assert told not in verified_in_one_container(wheels, tmp_path, *unconfined)


def test_the_image_of_the_wheels_world_is_small(wheels: str) -> None:
    size = int(run("docker", "image", "inspect", wheels, "--format", "{{.Size}}").stdout)
    assert size <= 600e6


@pytest.mark.parametrize(("implementation", "verdict"), [({}, 0), ({"LOCKSTEP_CPP": FLOAT32}, 1)])
def test_the_services_do_the_same_on_a_distro(
    distro_verification: Verification, implementation: dict[str, str], verdict: int
) -> None:
    code, printed = distro_verification.up(COMPOSE_PROFILES="distro", **implementation)
    assert code == verdict, printed
    assert any((distro_verification.results / "diffs").rglob("*.diff")) == bool(verdict)


def test_the_image_of_a_distro_runs_its_launch_files_and_ordinary_nodes(
    distro: str, tmp_path: Path
) -> None:
    verified_in_one_container(distro, tmp_path)
    launched = run(
        *("docker", "run", "--rm", "--network", "none", distro),
        *("ros2", "launch", "lockstep_launch", "verify.launch.py", "--show-args"),
    )
    assert launched.returncode == 0, launched.stderr
