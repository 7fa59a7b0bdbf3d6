import pytest
from geometry_msgs.msg import Vector3, Vector3Stamped
from lockstep.component import Component, component, component_of, contract_of
from lockstep.distributions import Box
from lockstep.testing.component_under_test import component_under_test
from lockstep.testing.in_process import InProcessHarness


@component(output="scaled", dist=Box(-1, 1))
def scale_by(vector: Vector3, *, factor: float = 2.0) -> "Vector3 | None":
    """Make a vector longer."""
    return Vector3(x=factor * vector.x) if vector.x >= 0 else None


def test_the_contract_of_a_function_comes_from_its_annotations():
    contract = contract_of(component_of(scale_by))
    assert contract.component == "ScaleBy"
    assert [(port.name, port.type) for port in contract.inputs] == [
        ("vector", "geometry_msgs/msg/Vector3")
    ]
    assert [(port.name, port.type) for port in contract.outputs] == [
        ("scaled", "geometry_msgs/msg/Vector3")
    ]
    assert [(one.name, one.type, one.default) for one in contract.parameters] == [
        ("factor", "double", 2.0)
    ]


def test_a_function_stays_one_and_runs_as_a_component():
    assert scale_by(Vector3(x=1.0), factor=3.0).x == 3.0
    harness = InProcessHarness(component_of(scale_by))
    with component_under_test("python", harness, {"factor": 5.0}) as running:
        running.vector.send(Vector3(x=2.0), 7)
        running.vector.send(Vector3(x=-2.0), 8)
        assert running.scaled.times_ns == [7]
        assert running.scaled.last.x == 10.0


def test_a_distribution_is_no_part_of_the_contract():
    assert component_of(scale_by).inputs["vector"].dist == Box(-1, 1)
    assert "dist" not in contract_of(component_of(scale_by)).to_json()


def test_what_is_no_component_is_told_apart():
    assert component_of(print) is None
    assert component_of(3) is None
    assert issubclass(component_of(scale_by), Component)


def no_annotation(vector):
    return vector


def two(a: Vector3, b: Vector3Stamped) -> Vector3:
    return a


def no_default(vector: Vector3, *, factor: float) -> Vector3:
    return vector


def unknown(vector: "Nothing") -> Vector3:  # noqa: F821
    return vector


def same_name(output: Vector3) -> Vector3:
    return output


def any_number(*vectors: Vector3) -> Vector3:
    return vectors[0]


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (no_annotation, "annotate it, as def no_annotation"),
        (two, "two takes 2 messages; a function takes one"),
        (no_default, "parameter 'factor' of no_default has no default"),
        (unknown, "an annotation of unknown is not known .*import its message"),
        (same_name, "has 'output' for its input and its output"),
        (any_number, "any_number takes \\*vectors"),
        (Vector3, "is no function"),
    ],
)
def test_a_function_that_makes_no_component_is_refused(function, sentence):
    with pytest.raises(TypeError, match=sentence):
        component(function)
