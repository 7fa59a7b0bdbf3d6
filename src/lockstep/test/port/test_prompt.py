"""The prompt of a component has what its port needs, from the real thing, and fits its budget."""

import ast
import importlib
import os
import re
import sys
from pathlib import Path

import pytest
from geometry_msgs.msg import Vector3Stamped
from lockstep.component import Component, Input, Output, contract_of
from lockstep.component.source import source_of
from lockstep.errors import UsageError
from lockstep.port import PortError, Prompt, create_prompt, send_prompt, subject_of
from lockstep.port.cpp_api import documented_api
from lockstep.port.definitions import all_types, cpp_header, cpp_type
from lockstep.port.numerics import rules
from lockstep.port.subject import where_verified
from lockstep.port.tokens import tokens

import lockstep_examples

EXAMPLES = lockstep_examples.__all__
FILTER = lockstep_examples.ImuComplementaryFilter


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module somewhere and imports it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def write(text, name="own_module"):
        (tmp_path / f"{name}.py").write_text(text)
        names.append(name)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield write
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_prompt_of_each_example_is_whole_within_the_default_budget(name):
    component = getattr(lockstep_examples, name)
    prompt = create_prompt(component)
    text = prompt.to_markdown()
    assert tokens(text) <= prompt.budget
    assert [title for title in re.findall(r"^## (.*)", text, re.MULTILINE)] == [
        "Task",
        "Contract",
        "Reference source",
        "Numeric rules",
        "Package to start from",
        "API for C++17",
        "Message types",
        "Tolerances of the verification",
        "Unit tests of the reference",
        "Sample inputs and outputs",
    ]
    assert contract_of(component).to_json() in text
    assert "To fit" not in text
    node = subject_of(component).node
    assert f"lockstep verify src/{node}_cpp/verify.yaml" in text


def test_the_source_has_what_the_component_calls_and_nothing_else(module):
    module("def half(x):\n    return x / 2\n\n\ndef unused(x):\n    return x\n", "own_helper")
    own = module(
        "from geometry_msgs.msg import Point, Vector3Stamped\n"
        "from lockstep.component import Component, Input, Output\n"
        "import own_helper\n"
        "from own_helper import half as halved\n\n"
        "# m/s\n"
        "LIMIT = 3.0\n"
        "OTHER = 4.0\n\n\n"
        "def limited(x):\n    return min(x, LIMIT)\n\n\n"
        "class Mine(Component):\n"
        "    vector = Input(Vector3Stamped)\n"
        "    out = Output(Vector3Stamped)\n\n"
        "    def on_vector(self, msg):\n"
        "        msg.vector.x = limited(halved(msg.vector.x)) + own_helper.half(2.0)\n"
        "        self.out.publish(msg)\n"
    )
    first, second = source_of(own.Mine).modules
    for part in ("# m/s\nLIMIT = 3.0", "def limited", "class Mine", "import half as halved"):
        assert part in first.text
    assert "OTHER" not in first.text and "Point" not in first.text
    assert "def half" in second.text and "unused" not in second.text
    ast.parse(first.text)


def test_what_changes_a_table_after_it_is_made_belongs_to_the_source(module):
    own = module(
        "import math\n"
        "from geometry_msgs.msg import Vector3Stamped\n"
        "from lockstep.component import Component, Input, Output\n\n"
        "STEP = 0.5\n"
        "OTHER = math.sqrt(2.0)\n"
        "TABLE = [0.0] * 8\n"
        "GAINS = {}\n"
        "LIMIT = 1.0\n"
        "LIMIT *= 2.0\n\n"
        "for i in range(8):\n"
        "    TABLE[i] = math.sin(i * STEP)\n\n\n"
        "def fill():\n"
        "    GAINS.update(x=1.5)\n\n\n"
        "fill()\n"
        "GAINS['y'] = 2.5\n"
        "print('loaded')\n\n\n"
        "class Mine(Component):\n"
        "    vector = Input(Vector3Stamped)\n"
        "    out = Output(Vector3Stamped)\n\n"
        "    def on_vector(self, msg):\n"
        "        msg.vector.x = min(TABLE[3] * GAINS['x'], LIMIT)\n"
        "        self.out.publish(msg)\n\n\n"
        "if __name__ == '__main__':\n"
        "    print(Mine)\n"
    )
    (part,) = source_of(own.Mine).modules
    changes = ("STEP = 0.5", "TABLE[i] = math.sin", "LIMIT *= 2.0", "\nfill()", "GAINS['y'] = 2.5")
    for text in (*changes, "GAINS.update"):
        assert text in part.text
    assert "OTHER" not in part.text and "__main__" not in part.text
    excerpt = module(part.text, "excerpt")
    assert [excerpt.TABLE, excerpt.GAINS, excerpt.LIMIT] == [own.TABLE, own.GAINS, own.LIMIT]
    text = create_prompt(own.Mine).to_markdown()
    assert "Of own_module, `OTHER` are not shown: nothing above uses them." in text


SAMPLES = """\
from geometry_msgs.msg import PointStamped, Vector3Stamped
from lockstep.component import Component, Input, Output, Timer
from lockstep.distributions import Box, Distribution, FrameId, Timestamps

VECTORS = Distribution(
    {
        "header.stamp": Timestamps(rate_hz=10.0),
        "header.frame_id": FrameId("imu"),
        "vector": Box(-1.0, 1.0),
    }
)


class Rare(Component):
    vector = Input(Vector3Stamped, dist=VECTORS)
    ready = Output(PointStamped)
    beat = Output(PointStamped)
    rare = Output(PointStamped)
    never = Output(PointStamped)
    tick = Timer(0.55)
    count = 0

    def on_start(self):
        self.ready.publish(PointStamped())

    def on_tick(self):
        self.logger.warning("beat")
        self.beat.publish(PointStamped())

    def on_vector(self, msg):
        self.count += 1
        if self.count == 150:
            self.rare.publish(PointStamped())
"""


def test_samples_show_an_output_of_every_port_in_the_order_in_which_they_came(module):
    prompt = create_prompt(module(SAMPLES).Rare)
    text = prompt.to_markdown().partition("## Sample inputs and outputs")[2]
    heads = re.findall(r"^(?:->|<-|…|   logs) .*", text, re.MULTILINE)
    assert heads[:2] == ["-> start", "<- ready at 0.000000000"]
    assert heads[2].startswith("-> vector at ")
    beat = next(i for i, head in enumerate(heads) if head.startswith("<- beat at "))
    assert heads[beat - 1] == "   logs warning: beat"
    assert heads[beat + 1].startswith("-> vector at ")  # the timer fired before the message came
    assert heads[beat + 1].rpartition(" ")[2] > heads[beat].rpartition(" ")[2]
    assert heads[-2].startswith("-> vector at ") and heads[-1].startswith("<- rare at ")
    assert heads[-5] == "… 142 steps left out"
    assert "In the first 2000 steps nothing was published on `never`." in text


def test_a_function_component_has_the_source_of_its_function(module):
    own = module(
        "from geometry_msgs.msg import Vector3Stamped\n"
        "from lockstep.component import component\n\n\n"
        "@component\n"
        "def halve(vector: Vector3Stamped) -> Vector3Stamped:\n"
        "    vector.vector.x = round(vector.vector.x / 2)\n"
        "    return vector\n"
    )
    subject = subject_of(own.halve)
    assert subject.target == "own_module:halve"
    assert "@component\ndef halve" in source_of(subject.reference).modules[0].text
    assert "rounds halves to even" in create_prompt(own.halve).to_markdown()


def test_numeric_rules_name_the_lines_they_apply_to(module):
    own = module(
        "import math\n"
        "from geometry_msgs.msg import Vector3Stamped\n"
        "from lockstep.component import Component, Input, Output\n\n\n"
        "class Mine(Component):\n"
        "    vector = Input(Vector3Stamped)\n"
        "    out = Output(Vector3Stamped)\n\n"
        "    def on_vector(self, msg):\n"
        "        a, b = msg.vector.x, msg.vector.y\n"
        "        a, b = b, a\n"
        "        c = -7 // 2 + int(a) % 3\n"
        "        d = math.atan2(a, b) - math.fmod(a, b)\n"
        "        if not a < b:\n"
        "            d = round(d)\n"
    )
    found = {rule.sentence.split(" ")[0]: rule.places for rule in rules(source_of(own.Mine))}
    assert found["`//`"] == ("own_module:13: -7 // 2",)
    assert found["`%`"] == ("own_module:13: int(a) % 3",)
    assert found["Simultaneous"] == ("own_module:12: a, b = b, a",)
    assert found["`atan2(y,"] == ("own_module:14: math.atan2(a, b)",)
    assert found["`math.fmod`"] == ("own_module:14: math.fmod(a, b)",)
    assert found["A"] == ("own_module:15: not a < b",)
    assert found["`round`"] == ("own_module:16: round(d)",)
    assert not any("BLAS" in rule.sentence for rule in rules(source_of(own.Mine)))


def test_members_of_messages_are_those_of_the_generated_headers():
    names = ["sensor_msgs/msg/Imu", "sensor_msgs/msg/Image", "nav_msgs/msg/Odometry"]
    checked = 0
    for described in all_types(names):
        package, kind, _ = described.name.split("/")
        stem = Path(cpp_header(described.name)).stem
        header = next(
            path
            for prefix in os.environ["AMENT_PREFIX_PATH"].split(os.pathsep)
            for path in Path(prefix, "include", package).glob(
                f"{package}/{kind}/detail/{stem}__struct.hpp"
            )
        ).read_text()
        for field in described.fields:
            (declared,) = re.findall(rf"using _{field.name}_type =\n\s*(.*);", header)
            declared = re.sub(
                r", typename std::allocator_traits<.*?>::template \w+<\w+>", "", declared
            )
            declared = declared.replace("_<ContainerAllocator>", "")
            declared = re.sub(r"std::basic_string<char, .*", "std::string", declared)
            assert declared == cpp_type(field), (described.name, field.name)
            checked += 1
    assert checked == 40


def test_the_api_is_that_of_the_installed_headers():
    api = documented_api()
    for part in (
        "virtual void on_start();",
        "void publish(const Message & message) const;",
        "Minimum",
        "std::int64_t stamp_ns(const builtin_interfaces::msg::Time & stamp)",
        "void warning(const std::string & text) const;",
        "LOCKSTEP_COMPONENT(Class)",
        "Parameter( Component * owner, std::string name, T default_value",
        "Input( Owner * owner, std::string name, void (Class::*callback)(const Message &)",
        "Output(Component * owner, std::string name",
        "Service( Owner * owner, const std::string & name, Response (Class::*callback)",
    ):
        assert part in api
    assert "private" not in api and "Sink" not in api and "ParameterValue" not in api
    assert len(documented_api(brief=True)) < len(api) / 2


def test_a_service_is_written_as_one_with_its_definition_once():
    text = create_prompt("lockstep_examples:VectorGate", "cpp").to_markdown()
    for part in (
        'Service<SetBool> set_open{this, "set_open", &VectorGate::on_set_open};',
        "SetBool::Response on_set_open(const SetBool::Request & request);",
        "std_srvs::srv::SetBool::Response VectorGate::on_set_open(const SetBool::Request & ",
        '* std_srvs/srv/SetBool: `#include "std_srvs/srv/set_bool.hpp"`, `std_srvs::srv::SetBool`',
        "std_srvs/srv/SetBool.srv\nbool data # e.g. for hardware enabling / disabling\n---\nbool",
    ):
        assert text.count(part) == 1, part
    assert "set_open_response{" not in text


@pytest.mark.parametrize("budget", [2_500, 5_000, 8_000, 12_000])
def test_what_does_not_fit_is_left_out_from_the_least_important_on_and_named(budget):
    text = create_prompt(FILTER, budget=budget).to_markdown()
    assert tokens(text) <= budget
    assert contract_of(FILTER).to_json() in text
    assert f"To fit {budget} tokens" in text
    assert ("class ImuComplementaryFilter" in text) == (budget >= 5_000)


def test_a_budget_too_small_for_the_contract_is_refused():
    with pytest.raises(PortError, match=r"a budget of 300 tokens is too small: .* alone take 1"):
        create_prompt(FILTER, budget=300).to_markdown()


def test_an_instance_a_class_and_a_name_give_the_same_prompt():
    texts = {
        Prompt.from_component(FILTER()).to_markdown(),
        create_prompt(FILTER, "cpp").to_markdown(),
        create_prompt("lockstep_examples:ImuComplementaryFilter").to_markdown(),
    }
    assert len(texts) == 1


def test_a_specification_by_hand_makes_a_prompt_without_reference():
    text = create_prompt(
        name="SpeedLimiter",
        description="Limit a commanded velocity.",
        inputs={"command": "geometry_msgs/msg/Twist"},
        outputs={"limited": "geometry_msgs/msg/Twist"},
        parameters={"max_speed": 1.5},
        timers={"tick": 0.1},
        requirements=["Publish zero when no command came for a second."],
    ).to_markdown()
    assert "Write the component SpeedLimiter in C++17: Limit a commanded velocity." in text
    assert "Publish zero when no command came" in text
    assert 'Parameter<double> max_speed{this, "max_speed", 1.5, ""};' in text
    assert "lockstep verify" not in text and "Sample inputs" not in text


class Typed(Component):
    """Has source here, but not what is made below."""

    vector = Input(Vector3Stamped)
    out = Output(Vector3Stamped)

    def on_vector(self, msg):
        self.out.publish(msg)


def test_a_component_typed_into_an_interpreter_is_refused():
    typed = type("Here", (Typed,), {"__module__": "__console__"})
    with pytest.raises(
        UsageError, match=r"Here has no source that can be read .*put it into a \.py"
    ):
        create_prompt(typed)


def test_an_unknown_language_names_those_there_are():
    with pytest.raises(PortError, match="target language 'cobol' is unknown; choose cpp"):
        create_prompt(FILTER, "cobol")


def test_what_is_neither_a_component_nor_a_node_is_refused():
    with pytest.raises(PortError, match="is neither a component nor a class of rclpy nodes"):
        create_prompt(len)
    with pytest.raises(PortError, match="give a component, or the name"):
        create_prompt()


def test_a_prompt_is_saved_once_and_never_overwritten(tmp_path):
    prompt = create_prompt(Typed)
    file = prompt.save(tmp_path / "deep" / "prompt.md")
    assert file.read_text() == prompt.to_markdown()
    with pytest.raises(PortError, match="exists already"):
        send_prompt(prompt, "file", path=file)
    send_prompt(prompt, "file", path=file, force=True)


def test_a_prompt_is_printed_or_copied(tmp_path, monkeypatch, capsys):
    prompt = create_prompt(Typed)
    send_prompt(prompt, "print")
    assert capsys.readouterr().out == prompt.to_markdown() + "\n"
    program = tmp_path / "xclip"
    program.write_text(f"#!/bin/sh\nexec cat > {tmp_path}/copied\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    send_prompt(prompt, "clipboard")
    assert (tmp_path / "copied").read_text() == prompt.to_markdown()


def test_a_missing_clipboard_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        PortError, match=r"no clipboard can be reached .*write the prompt to a file"
    ):
        send_prompt(create_prompt(Typed), "clipboard")


INSTALLED = """\
from geometry_msgs.msg import Vector3Stamped
from lockstep.component import Component, Input, Output


class Copy(Component):
    vector = Input(Vector3Stamped)
    copied = Output(Vector3Stamped)

    def on_vector(self, msg):
        self.copied.publish(msg)
"""


def test_the_verification_of_an_installed_package_is_in_its_share_folder(tmp_path, monkeypatch):
    package = tmp_path / "lib" / "python3" / "site-packages" / "copying"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(INSTALLED)
    share = tmp_path / "share" / "copying"
    share.mkdir(parents=True)
    (share / "package.xml").write_text("<package/>")
    monkeypatch.syspath_prepend(str(package.parent))
    component = importlib.import_module("copying").Copy
    try:
        without = subject_of("copying:Copy")
        assert without.file is None
        assert where_verified(without).startswith("no verify.yaml is taken for Copy (looked for")
        assert str(share) in where_verified(without)
        assert "no verify.yaml was taken" in create_prompt(component).to_markdown()
        (share / "verify.yaml").write_text(
            "implementations: {python: {component: 'copying:Copy'}}\nreference: python\n"
            "inputs: {sample: {n: 10}}\nrun: {mode: direct}\n"
        )
        found = subject_of("copying:Copy")
        assert found.file == share / "verify.yaml"
        assert where_verified(found) == f"verified as {share / 'verify.yaml'} says"
    finally:
        sys.modules.pop("copying", None)
