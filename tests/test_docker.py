"""What the containers of docker/ do and hold, tried without an engine; docker/test has the rest."""

import ast
import importlib.util
import os
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from lockstep.errors import LockstepError
from lockstep.run.participants import sockets_of

ROOT = Path(__file__).resolve().parents[1]
DOCKER = ROOT / "docker"
ACCELERATION = {
    "LOCKSTEP_BAG": "husky_acceleration",
    "LOCKSTEP_TOPICS": "/imu/acceleration:=/vector",
}
DIRECTION = "/direction:geometry_msgs/msg/Vector3Stamped"
NUMBERS = "LOCKSTEP_WINDOW, _RTF, _TIMEOUT, _START, _DURATION and _DOMAIN are numbers: could not"


def subset_of_lock(lock: str, *roots: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, DOCKER / "subset_of_lock.py", ROOT / "tools" / lock]
    return subprocess.run(
        [*command, *(DOCKER / name for name in roots)], check=False, capture_output=True, text=True
    )


def names_in(text: str) -> set[str]:
    """What a lock or a `.in` file names."""
    lines = (line.partition("==")[0].partition("#")[0].strip() for line in text.splitlines())
    return {line.lower() for line in lines if line and not line.startswith(("--", "-"))}


def test_an_image_gets_what_its_roots_need_and_no_tool() -> None:
    names = names_in(subset_of_lock("wheels.lock", "ros.in", "python.in").stdout)
    assert {"ros-jazzy-rclpy", "ros-rclpy", "ros-fastrtps", "numpy", "pydantic-core"} <= names
    assert not names & {"cmake", "colcon-core", "pytest", "mypy", "pyarrow", "selenium", "moto"}


def test_each_lock_pins_what_an_image_is_made_from_by_its_hash() -> None:
    for lock, roots in (("wheels.lock", ["ros.in", "python.in"]), ("distro.lock", ["python.in"])):
        part = subset_of_lock(lock, *roots)
        assert part.returncode == 0, part.stderr
        whole = (ROOT / "tools" / lock).read_text("utf-8")
        assert set(part.stdout.splitlines()) <= set(whole.splitlines())
        assert part.stdout.count("--hash=") >= len(names_in(part.stdout))


def test_a_root_that_the_lock_does_not_pin_is_told(tmp_path: Path) -> None:
    roots = tmp_path / "roots.in"
    roots.write_text("mcap\nnobody>=2 # whoever\n")
    refused = subset_of_lock("wheels.lock", str(roots))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "subset_of_lock: the lock does not pin nobody\n"


def test_an_image_has_all_that_the_library_and_its_suites_declare() -> None:
    tree = ast.parse((ROOT / "src/lockstep/setup.py").read_text("utf-8"))
    declared = {
        keyword.arg: ast.literal_eval(keyword.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in ("install_requires", "extras_require")
    }
    needed = [*declared["install_requires"], *declared["extras_require"]["suite"]]
    given = "".join((DOCKER / name).read_text("utf-8") for name in ("ros.in", "python.in"))
    assert {name.partition(">")[0].lower() for name in needed} <= names_in(given)


def test_an_image_is_made_with_all_that_set_up_reads() -> None:
    stages = (DOCKER / "Dockerfile").read_text("utf-8").split("\nFROM ")
    (stage,) = (stage for stage in stages if stage.startswith("wheels-base AS wheels-venv"))
    read = set(re.findall(r'TOOLS / "([\w.]+)"', (ROOT / "tools/set_up.py").read_text("utf-8")))
    assert read and all(f"tools/{name}" in stage for name in read)
    for_a_distro = subset_of_lock("distro.lock", "python.in", "installer.in").stdout
    assert "uv" in names_in(for_a_distro)


def test_any_builder_reads_the_dockerfile() -> None:
    text = (DOCKER / "Dockerfile").read_text("utf-8")
    assert "# syntax=" not in text and "<<" not in text and "--mount" not in text
    assert text.count("USER 1000:1000") == 3  # one for each image that runs


@contextmanager
def two_domains() -> Iterator[int]:
    """Hold a domain and the next one, so that no run of another test takes them; gives the
    first."""
    for domain in random.sample(range(1, 100), 99):
        with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
            try:
                one.bind(f"\0lockstep-domain-{domain}")
                other.bind(f"\0lockstep-domain-{domain + 1}")
            except OSError:
                continue
            if not sockets_of(domain) and not sockets_of(domain + 1):
                yield domain
                return
    pytest.fail("no two domains are free")


@contextmanager
def services(results: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """The services of compose.yaml as processes of this machine; gives the comparator."""
    with two_domains() as domain:
        yield from _services(results, domain, settings)


def _services(
    results: Path, domain: int, settings: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    started: list[subprocess.Popen[str]] = []
    implementations = {
        "python": settings.pop("python", "lockstep_examples:VectorNormalizer"),
        "cpp": settings.pop("cpp", "lockstep_examples_cpp/vector_normalizer"),
    }
    results.mkdir()
    try:
        for service in ("comparator", "recorder", "python", "cpp", "player"):
            ready = results.with_name(f"{service}.ready")
            environment = {
                **os.environ,
                "LOCKSTEP_BAGS": str(ROOT / "bags"),
                "LOCKSTEP_RESULTS": str(results),
                "LOCKSTEP_READY": str(ready),
                "LOCKSTEP_DOMAIN": str(domain),
                "LOCKSTEP_IMPLEMENTATION": implementations.get(service, ""),
                "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
                **settings,
            }
            process = subprocess.Popen(
                [sys.executable, DOCKER / "service.py", service],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            started.append(process)
            while not ready.exists() and process.poll() is None and started[0].poll() is None:
                time.sleep(0.05)
        yield started[0]
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.communicate(timeout=30)


def test_the_verdict_is_the_comparators_exit_code(tmp_path: Path) -> None:
    with services(tmp_path / "results", **ACCELERATION) as comparator:
        printed, _ = comparator.communicate(timeout=120)
        assert comparator.returncode == 0, printed
        assert "MATCH" in printed


def test_a_node_that_does_not_start_fails_the_run(tmp_path: Path) -> None:
    with services(tmp_path / "results", cpp="nowhere/nobody", **ACCELERATION) as comparator:
        printed, _ = comparator.communicate(timeout=120)
        assert comparator.returncode == 3, printed
        assert "cpp: cpp: package 'nowhere' is in none of" in printed


def test_what_a_node_that_is_no_component_did_not_take_fails_the_run(tmp_path: Path) -> None:
    """Fifty a second of three hundred, of which its queue holds a hundred."""
    node = f"python3 {ROOT}/tests/black_box_node.py slow --ros-args -r acceleration:=/vector"
    settings = {**ACCELERATION, "LOCKSTEP_WINDOW": "0", "LOCKSTEP_DURATION": "10"}
    settings |= {
        "LOCKSTEP_RTF": "20",
        "LOCKSTEP_OUTPUTS": "/direction:geometry_msgs/msg/Vector3Stamped",
    }
    with services(tmp_path / "results", python=node, cpp=node, **settings) as comparator:
        printed, _ = comparator.communicate(timeout=120)
    assert comparator.returncode == 3, printed
    assert re.search(r"python: the node did not take \d+ of the 301 messages on /vector", printed)


@pytest.fixture
def service() -> ModuleType:
    """docker/service.py as a module."""
    spec = importlib.util.spec_from_file_location("service", DOCKER / "service.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["service"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"LOCKSTEP_BAG": "none"}, "none does not exist"),
        ({"LOCKSTEP_TOPICS": "/nothing"}, "/nothing"),
        ({"LOCKSTEP_WINDOW": "0"}, "name topics by LOCKSTEP_OUTPUTS"),
        (
            {"LOCKSTEP_RTF": "fast"},
            "LOCKSTEP_WINDOW, _RTF, _TIMEOUT, _START, _DURATION and _DOMAIN are numbers: could not",
        ),
        ({"LOCKSTEP_RTF": "-1"}, "real-time factor -1 is not greater than 0"),
        ({"LOCKSTEP_START": "-1"}, "LOCKSTEP_START is 0 s or more"),
        ({"LOCKSTEP_DURATION": "nan"}, "LOCKSTEP_DURATION more than 0 s"),
        ({"LOCKSTEP_DOMAIN": "200"}, "LOCKSTEP_DOMAIN 200 is not between 0 and 100"),
        ({"LOCKSTEP_TOLERANCE": "a=b"}, "a=b"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_a_sentence(
    service: ModuleType, settings: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    environment = {"LOCKSTEP_BAGS": str(ROOT / "bags"), **ACCELERATION, **settings}
    environment["LOCKSTEP_RESULTS"] = str(tmp_path)
    with pytest.raises(LockstepError, match=re.escape(sentence)) as refused:
        service.check(service.Settings.of(environment))
    assert refused.value.exit_code == 2
