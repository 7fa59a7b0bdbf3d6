"""An engine, the base images and Lockstep's image for the tests of docker/; `make docker-test`.

An engine that runs already is used as it is; else one is started with a state of its own, which
takes root. What the tests make there is removed; layers stay in the cache for the next time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CERTIFICATES = Path("/usr/local/share/ca-certificates")
BASES = {"wheels": "debian:bookworm-slim", "distro": "ros:jazzy-ros-base"}


def run(*command: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with what it prints as text."""
    return subprocess.run(command, check=False, capture_output=True, text=True, **options)  # type: ignore[call-overload,no-any-return]


def leftovers() -> dict[str, set[str]]:
    """What an engine has, by kind."""
    listings = {
        "containers": ("ps", "-aq"),
        "networks": ("network", "ls", "-q"),
        "volumes": ("volume", "ls", "-q"),
        "images": ("images", "--format", "{{.Repository}}:{{.Tag}}"),
    }
    return {kind: set(run("docker", *listing).stdout.split()) for kind, listing in listings.items()}


@pytest.fixture(scope="session")
def engine() -> Iterator[None]:
    """A Docker engine with compose; DOCKER_HOST names it."""
    if not shutil.which("docker"):
        pytest.skip("there is no docker: apt install docker.io")
    if run("docker", "compose", "version").returncode:
        pytest.skip("docker has no compose: apt install docker-compose (2 or later)")
    if run("docker", "info", "--format", "{{.ServerVersion}}").returncode == 0:
        yield
        return
    if os.getuid() != 0 or not shutil.which("dockerd"):
        pytest.skip("no Docker engine runs, and starting one takes root and docker.io's dockerd")
    state = ROOT / "build/docker-engine"
    state.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:  # a socket's path is short
        os.environ["DOCKER_HOST"] = f"unix://{folder}/docker.sock"
        command = ["dockerd", "--host", os.environ["DOCKER_HOST"], "--data-root", str(state)]
        command += ["--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
        with (state.parent / "docker-engine.log").open("w") as log:
            daemon = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 30
            while run("docker", "info").returncode or daemon.poll() is not None:
                if daemon.poll() is not None or time.monotonic() > deadline:
                    last = Path(log.name).read_text("utf-8").strip().splitlines()[-1:]
                    pytest.skip(f"dockerd does not start here: {' '.join(last)}")
                time.sleep(0.2)
            yield
        finally:
            daemon.terminate()
            daemon.wait(30)
            del os.environ["DOCKER_HOST"]


def image(tag: str) -> str:
    """The number of an image; empty if there is none."""
    return run("docker", "image", "inspect", tag, "--format", "{{.Id}}").stdout.strip()


def base_image(tag: str) -> bool:
    """Whether a base image is there, or comes from a registry, or, Debian's, from its packages."""
    if image(tag):
        return True
    if run("docker", "pull", "--quiet", tag).returncode == 0:
        return True
    if not tag.startswith("debian:") or not shutil.which("debootstrap") or os.getuid() != 0:
        return False
    release = tag.partition(":")[2].removesuffix("-slim")
    with tempfile.TemporaryDirectory() as folder:
        run("debootstrap", "--variant=minbase", release, folder).check_returncode()
        for name in ("doc", "man", "locale", "info"):  # as the slim ones are
            shutil.rmtree(Path(folder, "usr/share", name), ignore_errors=True)
        for name in ("var/cache/apt", "var/lib/apt/lists"):
            shutil.rmtree(Path(folder, name), ignore_errors=True)
        tar = subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE)
        run("docker", "import", "-", tag, stdin=tar.stdout).check_returncode()
        tar.wait()
    return True


def build(profile: str) -> Iterator[str]:
    """Lockstep's image of a profile, removed at the end if it was not there before."""
    tag = f"lockstep:{profile}"
    if not base_image(BASES[profile]):
        pytest.skip(f"the base image {BASES[profile]} is not to be had here")
    before = image(tag)
    given = "".join(file.read_text("ascii") for file in sorted(CERTIFICATES.glob("*.crt")))
    environment = {"CA_CERTIFICATES": given, **os.environ, "COMPOSE_PROFILES": profile}
    command = ["docker", "compose", "-f", str(ROOT / "docker/compose.yaml"), "build"]
    built = run(*command, "comparator", env=environment)
    assert built.returncode == 0, built.stderr[-4000:]
    if before not in ("", image(tag)):
        run("docker", "image", "rm", before)  # it has no name any more
    yield tag
    if not before:
        run("docker", "image", "rm", tag)


@pytest.fixture(scope="session")
def wheels(engine: None) -> Iterator[str]:
    """The image of the wheels world."""
    yield from build("wheels")


@pytest.fixture(scope="session")
def distro(engine: None) -> Iterator[str]:
    """The image of a distro."""
    yield from build("distro")


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left(engine: None) -> Iterator[None]:
    """Whatever the tests start and make is gone at their end, but for the base images."""
    before = leftovers()
    yield
    after = leftovers()
    after["images"] -= set(BASES.values())
    assert {kind: after[kind] - before[kind] for kind in after} == {kind: set() for kind in after}
