"""Faults are planted where something is computed, one at a time, and told by
inputs that show them.
"""

import importlib
import sys

import pytest
from geometry_msgs.msg import Vector3Stamped
from lockstep.cdr.codec import codec
from lockstep.compare import Tolerance, Tolerances
from lockstep.host.in_process import InProcess
from lockstep.message.definitions import definition
from lockstep.search.killing import Given, InThisProcess, Original
from lockstep.search.mutants import mutants

VECTOR = "geometry_msgs/msg/Vector3Stamped", definition("geometry_msgs/msg/Vector3Stamped")
HELPER = "SCALE = 2.0  # used\n\n\ndef scaled(value):\n    return value * SCALE\n"
COMPONENT = '''\
from geometry_msgs.msg import Vector3Stamped
from lockstep.component import Component, Input, Output, Parameter

from planted_helper import scaled


class Planted(Component):
    """Declares a port, a parameter and some arithmetic."""

    vector = Input(Vector3Stamped)
    out = Output(Vector3Stamped)
    limit = Parameter(3.0)

    def on_vector(self, msg):
        """Scale."""
        self.logger.info(f"got {msg.vector.x + 1}")
        result = Vector3Stamped()
        result.vector.x = min(scaled(msg.vector.x), self.limit)
        if msg.vector.y < 0.0:
            return
        count = 0
        while count < 1:
            count += 1
        self.out.publish(result)
'''


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A component in a module of its own, which uses another one."""
    (tmp_path / "planted_helper.py").write_text(HELPER)
    (tmp_path / "planted_component.py").write_text(COMPONENT)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield importlib.import_module("planted_component").Planted
    for name in ("planted_component", "planted_helper"):
        sys.modules.pop(name, None)


def vectors(*pairs):
    kind = codec(*VECTOR)
    found = []
    for tick, (x, y) in enumerate(pairs, 1):
        message = Vector3Stamped()
        message.vector.x, message.vector.y = x, y
        found.append(Given(0, tick, kind.encode(message)))
    return found


def test_faults_are_planted_in_computations_and_in_what_they_call(planted):
    assert [str(mutant) for mutant in mutants(planted)] == [
        "planted_component:17: `result = Vector3Stamped()` is missing",
        (
            "planted_component:18: `result.vector.x = min(scaled(msg.vector.x), "
            "self.limit)` is missing"
        ),
        "planted_component:18: the arguments `scaled(msg.vector.x), self.limit` are swapped",
        "planted_component:19: `<` became `<=`",
        "planted_component:19: `<` became `>=`",
        "planted_component:19: `0.0` became `1.0`",
        "planted_component:21: `count = 0` is missing",
        "planted_component:21: `0` became `1`",
        "planted_component:22: `<` became `<=`",
        "planted_component:22: `<` became `>=`",
        "planted_component:22: `1` became `2`",
        "planted_component:23: `count += 1` is missing",
        "planted_component:23: `+` became `-`",
        "planted_component:23: `1` became `2`",
        "planted_component:24: `self.out.publish(result)` is missing",
        "planted_helper:1: `2.0` became `2.2`",
        "planted_helper:5: `*` became `/`",
    ]


def test_a_mutant_has_its_fault_and_leaves_the_original_alone(planted):
    (mutant,) = (m for m in mutants(planted) if "`*` became `/`" in m.fault)
    own = [sys.modules[name] for name in ("planted_component", "planted_helper")]
    answers = []
    for component in (planted, mutant.make(), planted):
        run = InProcess(component(), {}, lambda _port, _time, data: answers.append(data))
        run.deliver(*vectors((1.0, 0.0))[0])
    decode = codec(*VECTOR).decode
    assert [decode(data).vector.x for data in answers] == [2.0, 0.5, 2.0]
    assert [sys.modules[name] for name in ("planted_component", "planted_helper")] == own
    assert sys.modules["planted_component"].Planted is planted


def test_inputs_kill_the_mutants_that_they_show_and_endless_ones(planted):
    few = Original(InThisProcess(planted, {}), vectors((0.0, 0.0)), Tolerances())
    more = Original(
        InThisProcess(planted, {}), vectors((1.0, 0.5), (2.0, -1.0), (1.0, 0.0)), Tolerances()
    )
    survivors = [str(m) for m in mutants(planted) if few.killed_at(m) is None]
    assert "planted_helper:5: `*` became `/`" in survivors
    found = {m.fault: more.killed_at(m) for m in mutants(planted) if m.line in (5, 19, 22)}
    assert found["`*` became `/`"] == 0
    assert found["`<` became `<=`"] is None or found["`<` became `<=`"] == 2
    assert found["`<` became `>=`"] is None or found["`<` became `>=`"] == 0
    endless = next(m for m in mutants(planted) if m.fault == "`count += 1` is missing")
    assert few.killed_at(endless) == 0


def test_a_fault_within_the_tolerance_is_not_told(planted):
    (mutant,) = (m for m in mutants(planted) if "`2.0` became `2.2`" in m.fault)
    inputs = vectors((1.0, 0.0))
    assert Original(InThisProcess(planted, {}), inputs, Tolerances()).killed_at(mutant) == 0
    wide = Tolerances({"vector.*": Tolerance(abs=0.5)})
    assert Original(InThisProcess(planted, {}), inputs, wide).killed_at(mutant) is None
