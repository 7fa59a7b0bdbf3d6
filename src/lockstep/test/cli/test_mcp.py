"""A coding agent's way through the MCP server, and what it cannot do there."""

import os
import re
import shutil
import sys
from importlib.util import find_spec

import pytest
from stranger import ROOT

if find_spec("mcp"):
    import anyio
    from mcp.client import Client
    from mcp.client.stdio import StdioServerParameters

pytestmark = pytest.mark.skipif(not find_spec("mcp"), reason="mcp is optional")

COMPONENT = '''\
from geometry_msgs.msg import Vector3Stamped
from lockstep.component import Component, Input, Output


class {name}(Component):
    """Halve a vector."""

    vector = Input(Vector3Stamped)
    half = Output(Vector3Stamped)

    def on_vector(self, msg):
        print("components may print")
        msg.vector.x = msg.vector.x / {divisor}
        self.half.publish(msg)
'''
VERIFY = """\
implementations:
  python: {component: "halver:Halver"}
  other: {component: "other:Halver"}
reference: python
inputs: {bag: bag, topics: {vector: /imu/acceleration}, duration: 1}
run: {mode: direct}
compare: {silent: []}
"""


@pytest.fixture
def workspace(tmp_path):
    """A folder with a component, a wrong port of it, a bag, and things that lead out."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "halver.py").write_text(COMPONENT.format(name="Halver", divisor=2.0))
    (folder / "other.py").write_text(COMPONENT.format(name="Halver", divisor=2.5))
    (folder / "verify.yaml").write_text(VERIFY)
    shutil.copytree(ROOT / "bags/husky_acceleration", folder / "bag")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "verify.yaml").write_text(VERIFY)
    (outside / "elsewhere.py").write_text(COMPONENT.format(name="Halver", divisor=2.0))
    (folder / "link").symlink_to(outside)
    (folder / "linked.py").symlink_to(outside / "elsewhere.py")
    (folder / "command.yaml").write_text(
        VERIFY.replace('{component: "other:Halver"}', "{command: [touch, hacked]}").replace(
            "mode: direct", "rtf: 1"
        )
    )
    (folder / "foreign.yaml").write_text(VERIFY.replace("bag: bag", f"bag: {ROOT}/bags/x"))
    (folder / "climbing.yaml").write_text(VERIFY.replace("bag: bag", "bag: ../outside/bag"))
    (folder / "remote.yaml").write_text(VERIFY.replace("bag: bag", 'bag: "s3://bucket/bag"'))
    (folder / "stdlib.yaml").write_text(VERIFY.replace("other:Halver", "antigravity:Fly"))
    return folder


def talk(workspace, *calls):
    """What a server started in a folder answers to each (tool, arguments): (is an
    error, text, structure).
    """
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "lockstep.cli.main", "mcp"],
        cwd=workspace,
        env=dict(os.environ),
    )
    answers = []

    async def converse():
        with anyio.fail_after(120):
            async with Client(parameters) as client:
                tools = await client.list_tools()
                answers.append(sorted(tool.name for tool in tools.tools))
                for name, arguments in calls:
                    result = await client.call_tool(name, arguments)
                    text = "".join(part.text for part in result.content)
                    answers.append((result.is_error, text, result.structured_content))

    anyio.run(converse)
    return answers


def test_an_agent_goes_from_the_contract_to_the_counterexample(workspace):
    tools, contract, prompt, scaffold, again, red = talk(
        workspace,
        ("contract", {"component": "halver:Halver"}),
        ("prompt", {"component": "halver:Halver"}),
        ("scaffold", {"component": "halver:Halver", "output": "src"}),
        ("scaffold", {"component": "halver:Halver", "output": "src"}),
        ("verify", {"file": "verify.yaml"}),
    )
    assert tools == ["contract", "counterexample", "prompt", "scaffold", "verify"]
    assert '"component": "Halver"' in contract[2]["text"]
    assert "# Port Halver to C++17" in prompt[2]["text"]
    assert (workspace / "src/halver_cpp/package.xml").is_file()
    assert scaffold[2]["exit_code"] == 0
    assert again[0] and "src/halver_cpp exists already" in again[1]
    assert red[2]["exit_code"] == 1 and "DIFFERENT: other" in red[2]["text"]
    run = re.search(r"bags, logs and diffs: (\S+)", red[2]["text"])[1]
    (_, fix) = talk(workspace, ("counterexample", {"run": run}))
    assert "`vector.x` is " in fix[2]["text"]
    assert "b is 0.8 " in fix[2]["text"] or "Diagnosis" in fix[2]["text"]

    (workspace / "other.py").write_text(COMPONENT.format(name="Halver", divisor=2.0))
    _, green = talk(workspace, ("verify", {"file": "verify.yaml"}))
    assert green[2]["exit_code"] == 0


def test_nothing_outside_of_the_workspace_is_touched(workspace):
    refused = [
        ("verify", {"file": "/etc/passwd"}, "without '..'"),
        ("verify", {"file": "../outside/verify.yaml"}, "without '..'"),
        ("verify", {"file": "link/verify.yaml"}, "leads out of the workspace"),
        ("verify", {"file": "command.yaml"}, "'other' is a command or a launch"),
        ("verify", {"file": "foreign.yaml"}, "leads out of the workspace"),
        ("verify", {"file": "climbing.yaml"}, "leads out of the workspace"),
        ("verify", {"file": "remote.yaml"}, "give a bag of the workspace"),
        ("verify", {"file": "stdlib.yaml"}, "leads out of the workspace"),
        ("verify", {"file": "--help"}, "is no path"),
        ("verify", {"file": "nothing.yaml"}, "cannot read"),
        ("scaffold", {"component": "halver:Halver", "output": "/tmp"}, "without '..'"),
        ("scaffold", {"component": "halver:Halver", "output": "link"}, "leads out"),
        ("scaffold", {"component": "halver:Halver", "output": "a/../../b"}, "without '..'"),
        ("prompt", {"component": "linked:Halver"}, "leads out of the workspace"),
        ("prompt", {"component": "os:system"}, "leads out of the workspace"),
        ("prompt", {"component": "; touch hacked"}, "is no component"),
        ("prompt", {"component": "nowhere:Halver"}, "there is no module 'nowhere'"),
        ("contract", {"component": "halver:Halver", "other": "../x/y"}, "is no executable"),
        (
            "contract",
            {"component": "halver:Halver", "other": "a/b"},
            "package 'a' is in none",
        ),
        (
            "contract",
            {"component": "halver:Halver", "other": "lockstep_examples_cpp/pd_controller"},
            "leads out of the workspace",
        ),
        ("counterexample", {"run": "link"}, "leads out of the workspace"),
        ("counterexample", {"run": "bag"}, "holds no verdict"),
    ]
    _, *answers = talk(workspace, *((name, arguments) for name, arguments, _ in refused))
    for (name, arguments, sentence), (is_error, text, _) in zip(refused, answers, strict=True):
        assert is_error, (name, arguments, text)
        assert sentence in text, (name, arguments)
        assert "Traceback" not in text
    assert not list(workspace.rglob("hacked")) and not (workspace / "runs").exists()


def test_a_run_that_names_a_verify_yaml_outside_is_refused(workspace):
    run = workspace / "run"
    run.mkdir()
    (run / "verification.json").write_text('{"file": "/etc/verify.yaml"}')
    _, answer = talk(workspace, ("counterexample", {"run": "run"}))
    assert answer[0] and "leads out of the workspace" in answer[1]
    (run / "verification.json").unlink()
    (run / "x.diff").symlink_to("/etc/passwd")
    _, answer = talk(workspace, ("counterexample", {"run": "run"}))
    assert answer[0] and "leads out of the workspace" in answer[1]
