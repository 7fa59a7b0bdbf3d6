"""Transforms are looked up as tf2 does; the values are those of its BufferCore (geometry2 0.36).

lockstep_cpp's test_transforms.cpp has the same ones.
"""

import math
import random

import pytest
from geometry_msgs.msg import TransformStamped
from lockstep.component import Component, Input, Output, TfListener, TransformError, contract_of
from lockstep.component.transforms import TransformBuffer
from lockstep.message.time import to_stamp
from stand_in_tf2_msgs import stand_in

S = 10**9
TOLD = (
    ("map", "odom", 1 * S, (1.0, 2.0, 0.0), (0.0, 0.0, 0.6, 0.8)),
    ("map", "odom", 3 * S, (1.5, 2.5, 0.1), (0.0, 0.0, -0.28, 0.96)),
    ("odom", "base", 1 * S, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)),
    ("odom", "base", 2 * S, (0.5, -0.25, 0.0), (0.36, 0.48, 0.0, -0.8)),
    ("/base", "laser", 0, (0.2, 0.0, 0.35), (0.48, -0.6, 0.64, 0.0)),
)
LOOKED_UP = {
    ("map", "laser", 1_250_000_000): (
        ("0x1.2b0ce6f6c3cf0p+0", "0x1.2228522730578p+1", "0x1.949e6d0858b9dp-2"),
        (
            "0x1.3620a54a241a1p-1",
            "-0x1.0b9958ba66fbdp-2",
            "0x1.4442b4cc83cebp-1",
            "-0x1.9e54ebddda89dp-2",
        ),
        1_250_000_000,
    ),
    ("laser", "map", 1_250_000_000): (
        ("0x1.969ba822c7837p+0", "0x1.4f82cddd4254cp+0", "-0x1.8e28e90a57aedp+0"),
        (
            "0x1.3620a54a241a1p-1",
            "-0x1.0b9958ba66fbdp-2",
            "0x1.4442b4cc83cebp-1",
            "0x1.9e54ebddda89dp-2",
        ),
        1_250_000_000,
    ),
    ("odom", "laser", 0): (
        ("0x1.5b2d4d4024b34p-2", "0x1.5379fa97e1320p-6", "0x1.01a36e2eb1c44p-2"),
        (
            "0x1.3a92a30553263p-4",
            "-0x1.ff2e48e8a71dep-3",
            "0x1.eab367a0f9098p-1",
            "-0x1.d7dbf487fcb91p-4",
        ),
        2 * S,
    ),
    ("base", "map", 2 * S): (
        ("-0x1.daf3a14cec422p+0", "-0x1.defc7a3982020p+0", "0x1.0faacd9e83e43p+0"),
        (
            "0x1.12c49dd0cc1eap-2",
            "0x1.12c49dd0cc1e8p-1",
            "-0x1.2515fdab8464cp-3",
            "0x1.92fe3ccbd60abp-1",
        ),
        2 * S,
    ),
}


@pytest.fixture
def buffer():
    buffer = TransformBuffer()
    for told in TOLD:
        assert buffer.add(*told, is_static=told[1] == "laser")
    return buffer


@pytest.mark.parametrize("asked", LOOKED_UP, ids=str)
def test_lookups_are_those_of_tf2_to_the_last_bit(buffer, asked):
    translation, rotation, time_ns = LOOKED_UP[asked]
    found = buffer.lookup(*asked)
    assert found.translation == tuple(map(float.fromhex, translation))
    assert found.rotation == tuple(map(float.fromhex, rotation))
    assert found.time_ns == time_ns


def unknown(source, target, at, frame, known):
    return (
        f"no transform from '{source}' to '{target}' at {at} s: that of '{frame}' is known {known}"
    )


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            ("map", "laser", 2 * S + 1),
            unknown("laser", "map", "2.000000001", "base", "until 2.000000000 s"),
        ),
        (
            ("map", "base", S - 1),
            unknown("base", "map", "0.999999999", "base", "from 1.000000000 s on"),
        ),
        (("map", "nowhere", S), "frame 'nowhere' is not known"),
        (("", "map", S), "'' is no name of a frame; give one that does not begin with /"),
        (("/map", "base", S), "'/map' is no name of a frame; give one that does not begin with /"),
        (("map", "island", 0), "no transforms connect 'island' and 'map'"),
        (
            ("sea", "island", S + 1),
            unknown("island", "sea", "1.000000001", "island", "at 1.000000000 s alone"),
        ),
    ],
)
def test_what_is_not_known_is_refused_in_a_sentence(buffer, asked, sentence):
    buffer.add("sea", "island", S, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
    assert not buffer.can_lookup(*asked)
    with pytest.raises(TransformError) as refused:
        buffer.lookup(*asked)
    assert str(refused.value) == sentence


def test_a_frame_keeps_ten_seconds(buffer):
    identity = (0.0, 0.0, 0.0, 1.0)
    for second in (13, 14):  # what is too old goes when the next one comes
        assert buffer.can_lookup("map", "odom", 1 * S)
        buffer.add("map", "odom", second * S, (0.0, 0.0, 0.0), identity)
    with pytest.raises(TransformError, match=r"that of 'odom' is known from 3.000000000 s on"):
        buffer.lookup("map", "odom", 1 * S)


def test_transforms_in_a_circle_are_refused():
    buffer = TransformBuffer()
    for parent, child in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "e")):
        buffer.add(parent, child, S, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
    with pytest.raises(TransformError, match="the transforms from 'a' to 'e' go round in a circle"):
        buffer.lookup("e", "a", S)


@pytest.mark.parametrize(
    ("parent", "translation", "rotation"),
    [
        ("b", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)),
        ("", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)),
        ("a", (0.0, math.nan, 0.0), (0.0, 0.0, 0.0, 1.0)),
        ("a", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0)),
        ("a", (0.0, 0.0, 0.0), (0.0, math.nan, 0.0, 1.0)),
    ],
)
def test_what_is_no_transform_is_passed_over(parent, translation, rotation):
    assert not TransformBuffer().add(parent, "b", S, translation, rotation)


def test_lookups_in_random_trees_are_those_of_tf2_to_the_last_bit():
    """Where tf2_py is installed; static frames, repeated and late ones, other parents, errors."""
    tf2_py = pytest.importorskip("tf2_py")
    duration, time = pytest.importorskip("rclpy.duration"), pytest.importorskip("rclpy.time")
    random.seed(1)
    for _ in range(20):
        theirs, ours = tf2_py.BufferCore(duration.Duration(seconds=10)), TransformBuffer()
        frames = [f"frame{number}" for number in range(6)]
        for now in range(S, 20 * S, 300_000_000):
            at = max(1, now - random.choice([0, 0, 5_000_000, 2 * S, 11 * S]))
            place = random.randrange(1, len(frames))
            parent, child = random.choice(frames[:place]), frames[place]
            turned = tuple(random.gauss(0.0, 1.0) for _ in range(4))
            moved = tuple(random.uniform(-9.0, 9.0) for _ in range(3))
            told = transform(parent, child, at, moved, turned)
            is_static = place == 2
            set_transform = theirs.set_transform_static if is_static else theirs.set_transform
            set_transform(told, "test")
            ours.add(parent, child, at, moved, turned, is_static=is_static)
            target, source = random.choice(frames), random.choice(frames)
            asked = random.choice([0, at, now - random.randint(0, 3 * S)])
            try:
                right = theirs.lookup_transform_core(
                    target, source, time.Time(nanoseconds=max(0, asked))
                ).transform
            except tf2_py.TransformException:
                assert not ours.can_lookup(target, source, max(0, asked))
                continue
            found = ours.lookup(target, source, max(0, asked))
            moved, turned = right.translation, right.rotation
            assert found.translation == (moved.x, moved.y, moved.z)
            assert found.rotation == (turned.x, turned.y, turned.z, turned.w)


def transform(parent, child, time_ns, moved, turned):
    message = TransformStamped(child_frame_id=child)
    message.header.stamp, message.header.frame_id = to_stamp(time_ns), parent
    translation, rotation = message.transform.translation, message.transform.rotation
    translation.x, translation.y, translation.z = moved
    rotation.x, rotation.y, rotation.z, rotation.w = turned
    return message


@pytest.fixture
def follower(monkeypatch):
    stand_in(monkeypatch)
    return type("Follower", (Component,), {"tf": TfListener(), "told": Output(TransformStamped)})


def test_a_listener_is_two_inputs_that_it_hears_itself(follower):
    message = follower.inputs["tf"].message_type
    contract = contract_of(follower)
    assert [(port.name, port.topic, port.qos.durability) for port in contract.inputs] == [
        ("tf", "/tf", "volatile"),
        ("tf_static", "/tf_static", "transient_local"),
    ]
    first, second = follower(), follower()
    identity = (0.0, 0.0, 0.0, 1.0)
    first.on_tf(message(transforms=[transform("a", "b", S, (1.0, 0.0, 0.0), identity)]))
    first.on_tf_static(message(transforms=[transform("b", "c", 0, (0.0, 2.0, 0.0), identity)]))
    found = first.tf.lookup("a", "c", S)
    assert (found.header.frame_id, found.child_frame_id) == ("a", "c")
    assert found.header.stamp == to_stamp(S)
    assert (found.transform.translation.x, found.transform.translation.y) == (1.0, 2.0)
    assert not second.tf.can_lookup("a", "c", S)  # which has heard nothing


def test_a_component_does_not_hear_what_its_listener_does(follower):
    with pytest.raises(TypeError, match="has a method on_tf, but 'tf' is heard by a TfListener"):
        type("Eager", (Component,), {"tf": TfListener(), "on_tf": print})
    own = Input(follower.inputs["tf"].message_type)
    with pytest.raises(TypeError, match="input 'tf_static' is declared twice"):
        type("Twice", (follower,), {"tf_static": own})
