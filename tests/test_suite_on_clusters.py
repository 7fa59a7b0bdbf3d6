"""`lockstep suite --on` as a stranger meets it: clusters of several processes on this machine,
whose workers are killed, and whose head is restarted."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from stranger import Stranger
from verifications import CPP, Write

import lockstep

pytestmark = pytest.mark.skipif(find_spec("duckdb") is None, reason="duckdb is not installed")
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")
needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="dask is not installed")
CASES = int(os.environ.get("LOCKSTEP_TEST_CASES", "16"))
"""Of which every other differs."""


def wait_until_listening(port: int, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.1)
    pytest.fail(f"nobody listens on port {port}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RayNodes:
    """A head without cores, and nodes of one core each."""

    def __init__(self) -> None:
        self.port, self._gcs = free_port(), free_port()
        self.url = f"ray://127.0.0.1:{self.port}"
        self._cluster: Any = None

    def start(self) -> None:
        from ray.cluster_utils import Cluster

        head = {
            "num_cpus": 0,
            "gcs_server_port": self._gcs,
            "ray_client_server_port": self.port,
            "include_dashboard": False,
            "object_store_memory": 80_000_000,
        }
        try:
            self._cluster = Cluster(initialize_head=True, head_node_args=head)
        except Exception as error:
            if "timed out during startup" not in str(error):
                raise
            pytest.skip("this machine is too busy for Ray, whose head must be there within 30 s")
        wait_until_listening(self.port)
        for _ in range(2):
            self._add()

    def lose_a_worker(self) -> None:
        """Its machine, with all that runs on it."""
        self._cluster.remove_node(self._cluster.list_all_nodes()[-1], allow_graceful=False)
        self._add()

    def restart(self) -> None:
        self.end()
        self.start()

    def end(self) -> None:
        self._cluster.shutdown()

    def _add(self) -> None:
        self._cluster.add_node(wait=False, num_cpus=1, object_store_memory=80_000_000)


class DaskProcesses:
    """A scheduler, and two workers of one thread."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"dask://127.0.0.1:{self.port}"
        self._scheduler: Any = None
        self._workers: list[Any] = []

    def start(self) -> None:
        self._scheduler = self._run("scheduler", "--port", str(self.port), "--no-dashboard")
        wait_until_listening(self.port)
        for _ in range(2):
            self._add()

    def lose_a_worker(self) -> None:
        os.killpg(self._workers.pop().pid, signal.SIGKILL)
        self._add()

    def restart(self) -> None:
        self.end()
        self.start()

    def end(self) -> None:
        for process in (self._scheduler, *self._workers):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._workers = []

    def _add(self) -> None:
        options = ("--nthreads", "1", "--no-dashboard", "--death-timeout", "60")
        self._workers.append(self._run("worker", f"tcp://127.0.0.1:{self.port}", *options))

    def _run(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


Cluster = RayNodes | DaskProcesses


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    made: Cluster = request.param()
    made.start()
    yield made
    made.end()


EACH = [
    pytest.param(RayNodes, marks=needs_ray, id="ray"),
    pytest.param(DaskProcesses, marks=needs_dask, id="dask"),
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("cluster", EACH, indirect=True)
def test_what_kills_its_worker_has_no_verdict_and_other_versions_are_refused(
    cluster: Cluster, write_verification: Write, stranger: Stranger, tmp_path: Path
) -> None:
    implementations = {"cpp": CPP, "again": CPP, "killer": {"component": "suites:KillsItsWorker"}}
    write_verification(implementations, duration=0.3, run={"mode": "direct", "timeout": 60})
    (tmp_path / "suite.yaml").write_text("verify: [verify.yaml]\n")
    asked = ("suite", "suite.yaml", "--on", cluster.url)
    done = stranger.run(*asked, "--json", timeout_s=400)
    assert done.code == 3, done.err
    rows = [json.loads(line) for line in done.out.splitlines()[:-1]]
    by_name = {row["implementation"]: row for row in rows}
    assert {name: row["verdict"] for name, row in by_name.items()} == {
        "again": "match",
        "killer": "no verdict",
    }
    assert "died, and so did another" in by_name["killer"]["sentence"]

    package = Path(lockstep.__file__).parent
    shutil.copytree(package, tmp_path / "other/lockstep", ignore=shutil.ignore_patterns("*.pyc"))
    with (tmp_path / "other/lockstep/version.py").open("a") as stream:
        stream.write("# edited\n")
    path = f"{tmp_path}/other:{os.environ['PYTHONPATH']}"
    refused = stranger.run(*asked, env={"PYTHONPATH": path}, timeout_s=200)
    assert (refused.code, refused.out) == (2, "")
    assert re.search(
        r" has lockstep .*, and not lockstep .*; give all workers the same", refused.error
    )


def write_suite(folder: Path, write_verification: Write, cases: int) -> None:
    """Two of each file, one of which gives zero vectors."""
    implementations = {"cpp": CPP, "again": CPP, "other": {**CPP, "parameters": {"epsilon": 1e9}}}
    for number in range(cases // 2):
        write_verification(
            implementations,
            name=f"verify_{number:03}.yaml",
            duration=0.2 + 0.001 * number,
            run={"mode": "direct", "timeout": 120},
        )
    (folder / "suite.yaml").write_text('verify: ["verify_*.yaml"]\n')


def done(folder: Path) -> list[dict[str, Any]]:
    """The results until now."""
    found = folder.glob("runs/suite/*/cases.jsonl")
    return [json.loads(line) for file in found for line in file.read_text().splitlines()]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("cluster", EACH, indirect=True)
def test_all_cases_are_answered_once_though_a_worker_is_lost_and_the_head_restarted(
    cluster: Cluster, write_verification: Write, stranger: Stranger, tmp_path: Path
) -> None:
    write_suite(tmp_path, write_verification, CASES)
    command = stranger.start("suite", "suite.yaml", "--on", cluster.url)
    command.wait_until(lambda: len(done(tmp_path)) >= CASES // 5, "some", timeout_s=2000)
    cluster.lose_a_worker()
    command.wait_until(lambda: len(done(tmp_path)) >= CASES // 2, "half of them", timeout_s=2000)
    cluster.restart()
    ended = command.end(timeout_s=2000)
    assert ended.code in (1, 3), ended.err
    rows = done(tmp_path)
    assert len({row["case"] for row in rows}) == len(rows) == CASES
    right = {"again": "match", "other": "differs"}
    for row in rows:
        assert row["verdict"] in (right[row["implementation"]], "no verdict"), row["case"]
    assert sum(row["verdict"] == "no verdict" for row in rows) <= 2
