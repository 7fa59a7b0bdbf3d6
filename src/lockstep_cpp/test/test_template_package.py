"""The package of docs/cpp.md is whole: built anywhere, it passes its test and has its contract."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "cpp.md"


def write_package(folder, cmake_more=""):
    files = re.findall(
        r"^\*\*(\S+)\*\*\n+```\w+\n(.*?)```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    package = folder / "src" / "smoother_cpp"
    for name, text in files:
        file = package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with (package / "CMakeLists.txt").open("a") as file:
        file.write(cmake_more)
    return package


def run(command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()
    return done.stdout


def test_a_package_outside_the_workspace_needs_one_call(tmp_path):
    write_package(tmp_path)
    run([sys.executable, "-m", "colcon", "build", "--event-handlers", "console_direct+"], tmp_path)
    assert "PASSED" in run(["build/smoother_cpp/test_smoother"], tmp_path)
    # As in the terminal of the user, who finds packages by their markers.
    prefix = tmp_path / "install" / "smoother_cpp"
    assert (prefix / "share/ament_index/resource_index/packages/smoother_cpp").is_file()
    program = prefix / "lib/smoother_cpp/smoother"
    sourced = f". install/local_setup.bash && echo $AMENT_PREFIX_PATH && {program} --contract"
    path, _, text = run(["bash", "-c", sourced], tmp_path).partition("\n")
    assert path.split(os.pathsep)[0] == str(prefix)
    contract = json.loads(text)
    assert contract["component"] == "Smoother"
    assert [port["topic"] for port in contract["outputs"]] == ["smooth", "smoother/count"]
    assert contract["parameters"][0] == {
        "name": "share",
        "type": "double",
        "default": 0.5,
        "description": "of the new number in the result",
        "minimum": 0.0,
        "maximum": 1.0,
        "read_only": False,
    }


def test_a_package_may_call_ament_package_itself(tmp_path):
    package = write_package(tmp_path, "ament_package()\n")
    assert "Generating done" in run(["cmake", "-S", package, "-B", "build"], tmp_path)
