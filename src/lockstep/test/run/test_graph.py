"""The graph of a live run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
from lockstep.run.graph import own_graph

NODE = "import rclpy; rclpy.init(); rclpy.create_node('reader_of_profiles')"
REFUSED = "XMLPARSER"


def of_a_node(environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", NODE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stderr + done.stdout


@pytest.mark.skipif(
    not find_spec("rclpy") or "fastrtps" not in os.environ.get("RMW_IMPLEMENTATION", "fastrtps"),
    reason="there is no Fast DDS here",
)
def test_fast_dds_takes_the_profiles_of_a_run_in_lockstep(tmp_path: Path) -> None:
    with own_graph(tmp_path, lambda: None, in_lockstep=True, guarded=False) as graph:
        assert REFUSED not in of_a_node(graph.environment)
        # And it does read them there.
        profiles = Path(graph.environment["FASTRTPS_DEFAULT_PROFILES_FILE"]).read_text("utf-8")
        spoilt = tmp_path / "spoilt.xml"
        spoilt.write_text(profiles.replace("nackSupressionDuration", "nackDuration"))
        spoilt_environment = {**graph.environment, "FASTRTPS_DEFAULT_PROFILES_FILE": str(spoilt)}
        assert REFUSED in of_a_node(spoilt_environment)


@pytest.mark.parametrize(
    ("free", "segment"), [(24 << 30, 8 << 20), (64 << 20, 1 << 20), (1 << 20, 1 << 19)]
)
def test_nodes_take_no_more_shared_memory_than_many_can_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, segment: int
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with own_graph(tmp_path, lambda: None, in_lockstep=True, guarded=False) as graph:
        profiles = Path(graph.environment["FASTRTPS_DEFAULT_PROFILES_FILE"]).read_text("utf-8")
    assert f"<segment_size>{segment}</segment_size>" in profiles


def test_a_black_box_has_the_middleware_as_users_have_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", "of_the_user.xml")
    with own_graph(tmp_path, lambda: None, in_lockstep=False, guarded=False) as graph:
        assert "FASTRTPS_DEFAULT_PROFILES_FILE" not in graph.environment
