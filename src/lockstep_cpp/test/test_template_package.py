"""A package of a user has a component with find_package(lockstep_cpp) and one call, wherever it stands."""

import json
import os
import subprocess
import sys

SOURCE = """\
#include <std_msgs/msg/float64.hpp>

#include "lockstep/component.hpp"
#include "lockstep/registration.hpp"

namespace stranger
{

using std_msgs::msg::Float64;

class Halver : public lockstep::Component
{
  Input<Float64> number{this, "number", &Halver::on_number, SENSOR_DATA};
  Output<Float64> half{this, "half"};
  Parameter<double> divisor{this, "divisor", 2.0, "what to divide by", Minimum{1}, READ_ONLY};

  void on_number(const Float64 & msg)
  {
    Float64 result;
    result.data = msg.data / divisor;
    half.publish(result);
  }
};

}  // namespace stranger

LOCKSTEP_COMPONENT(stranger::Halver)
"""

CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project(stranger_cpp LANGUAGES CXX)
{before}
find_package(lockstep_cpp REQUIRED)
lockstep_add_component(halver CLASS Halver SOURCES halver.cpp DEPENDENCIES std_msgs)
{after}
"""

PACKAGE = """\
<?xml version="1.0"?>
<package format="3">
  <name>stranger_cpp</name>
  <version>1.0.0</version>
  <description>A component of somebody else.</description>
  <maintainer email="somebody@example.com">Somebody</maintainer>
  <license>Apache-2.0</license>
  <depend>lockstep_cpp</depend>
  <depend>std_msgs</depend>
  <export><build_type>ament_cmake</build_type></export>
</package>
"""


def write_package(folder, before="", after=""):
    package = folder / "src" / "stranger_cpp"
    package.mkdir(parents=True)
    (package / "halver.cpp").write_text(SOURCE)
    (package / "CMakeLists.txt").write_text(CMAKE.format(before=before, after=after))
    (package / "package.xml").write_text(PACKAGE)
    return package


def run(command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()
    return done.stdout


def test_a_package_outside_the_workspace_needs_one_call(tmp_path):
    write_package(tmp_path)
    run([sys.executable, "-m", "colcon", "build", "--event-handlers", "console_direct+"], tmp_path)
    # As in the terminal of the user, who finds packages by their markers.
    prefix = tmp_path / "install" / "stranger_cpp"
    assert (prefix / "share/ament_index/resource_index/packages/stranger_cpp").is_file()
    program = prefix / "lib/stranger_cpp/halver"
    sourced = f". install/local_setup.bash && echo $AMENT_PREFIX_PATH && {program} --contract"
    path, _, text = run(["bash", "-c", sourced], tmp_path).partition("\n")
    assert path.split(os.pathsep)[0] == str(prefix)
    contract = json.loads(text)
    assert contract["component"] == "Halver"
    assert [port["type"] for port in contract["inputs"]] == ["std_msgs/msg/Float64"]
    assert contract["parameters"] == [
        {
            "name": "divisor",
            "type": "double",
            "default": 2.0,
            "description": "what to divide by",
            "minimum": 1.0,
            "maximum": None,
            "read_only": True,
        }
    ]


def test_a_package_may_call_ament_package_itself(tmp_path):
    package = write_package(tmp_path, "find_package(ament_cmake REQUIRED)", "ament_package()")
    assert "Generating done" in run(["cmake", "-S", package, "-B", "build"], tmp_path)
