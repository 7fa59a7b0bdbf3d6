"""Every example, Python against C++ on real recordings, as the README shows it."""

import json

import pytest
import yaml
from lockstep.bag import Bag
from lockstep.verify.model import load
from lockstep.verify.verify import verify
from rosbags.highlevel import AnyReader
from stranger import ROOT, Stranger

VERIFY = ROOT / "src/lockstep_examples/verify"


@pytest.mark.parametrize(
    ("name", "messages_in", "messages_out"),
    [
        ("vector_normalizer", 3000, 3000),
        ("imu_complementary_filter", 11865, 11865),
        ("imu_complementary_filter_gazebo", 1997, 1997),
        ("pd_controller", 1189, 997),
        ("scan_sectors", 1159, 1159),
        ("image_threshold", 4, 4),
    ],
)
def test_the_twins_match_to_the_last_bit_live_and_direct(
    stranger: Stranger, name, messages_in, messages_out
):
    content = yaml.safe_load((VERIFY / f"{name}.yaml").read_text("utf-8"))
    content["inputs"]["bag"] = str((VERIFY / content["inputs"]["bag"]).resolve())
    recorded = []
    for mode in ("live", "direct"):
        run = content.get("run", {}) | {"mode": mode, "repeat": 1}  # the reference once
        (stranger.cwd / f"{mode}.yaml").write_text(yaml.safe_dump(content | {"run": run}), "utf-8")
        done = stranger.run("verify", f"{mode}.yaml", "-o", mode, "--json", timeout_s=120)
        assert done.code == 0, done.err
        result = json.loads(done.out)
        assert result["match"] is True
        for run in result["runs"].values():
            assert sum(run["sent"].values()) == messages_in
            assert sum(run["recorded"].values()) == messages_out
        (key,) = result["comparisons"]["cpp"]["keys"].values()
        assert (key["aligned"], key["differing"], key["largest_error"]) == (messages_out, 0, None)
        recorded += [outputs(stranger.cwd / mode / twin / "bag") for twin in ("python", "cpp")]
    live, *others = recorded
    assert len(live) == messages_out
    assert others == [live] * 3
    for run in result["runs"].values():
        assert run["p99_ns"] >= run["median_ns"] > 0
        assert run["cpu_ns"] > 0
        assert run["resources"]["peak_bytes"] > 1e6
    stranger.assert_nothing_left()


def test_an_ordinary_node_matches_its_port_to_the_last_bit(tmp_path):
    verification = load(VERIFY / "vector_normalizer_node.yaml")
    verdict = verify(verification, tmp_path / "out")
    assert verdict.exit_code == 0
    (found,) = verdict.comparisons["cpp"].keys.values()
    assert (found.aligned.count_a, found.grade) == (3000, "identical bytes")


def outputs(path):
    """Everything in a bag of outputs, with its times."""
    return [(m.topic, m.log_time_ns, m.data) for m in Bag(path).messages()]


def test_the_faulty_variant_differs_and_the_verdict_says_where(stranger: Stranger):
    file = VERIFY / "imu_complementary_filter_f32.yaml"
    done = stranger.run("verify", file, "-o", "out", timeout_s=120)
    assert done.code == 1, done.err
    assert "DIFFERENT: cpp_f32 does not do what python does" in done.out
    summary = (stranger.cwd / "out/summary.txt").read_text()
    assert (
        "first at tick 0, t = 0.000000000 s: quaternion.x is 0.699211597442627, expected" in summary
    )
    assert "tolerance abs 1e-09" in summary
    diff = (stranger.cwd / "out/cpp_f32_vs_python/orientation.diff").read_text().splitlines()
    assert diff[0].startswith("--- python\t/orientation\tgeometry_msgs/msg/QuaternionStamped")
    assert diff[1].startswith("+++ cpp_f32\t/orientation")
    assert diff[2] == "@@ tick 0, t = 0.000000000 s @@"
    assert "why: b is a but for the precision of float32" in summary
    inputs = stranger.cwd / "out/cpp_f32_vs_python/inputs_before_first_difference.txt"
    lines = inputs.read_text("utf-8").splitlines()
    assert lines[0] == "/imu/data 0 t 0.000000000"
    assert any(line.startswith("angular_velocity.z: ") for line in lines)


def test_a_recorded_bag_is_a_rosbag2_bag_that_others_read(stranger: Stranger):
    file = VERIFY / "imu_complementary_filter_gazebo.yaml"
    done = stranger.run("run", file, "cpp", "-o", "out", timeout_s=120)
    assert done.code == 0, done.err
    assert "1997 messages in, 1997 out" in done.out
    with AnyReader([stranger.cwd / "out/bag"]) as reader:
        (connection,) = reader.connections
        messages = [
            (time_ns, reader.deserialize(raw, connection.msgtype))
            for _, time_ns, raw in reader.messages()
        ]
    assert (connection.topic, connection.msgtype, len(messages)) == (
        "/orientation",
        "geometry_msgs/msg/QuaternionStamped",
        1997,
    )
    source = Bag(ROOT / "bags/gazebo_diff_drive")
    decode = source.codec("/clock").decode
    clocks = [decode(m.data).clock for m in source.messages(["/clock"])]
    clock = {c.sec * 1_000_000_000 + c.nanosec for c in clocks}
    assert {time_ns for time_ns, _ in messages} <= clock, "logged on the simulation's time"


def test_the_same_run_again_gives_the_same_bytes_at_any_window(
    stranger: Stranger, write_verification
):
    controller = {"component": "lockstep_examples:PdController"}
    inputs = {
        "bag": str(ROOT / "bags/gazebo_diff_drive"),
        "topics": {"command": "/cmd_vel", "odometry": "/odom"},
        "duration": 5.0,
    }
    outputs = []
    for window in (1, 1000):
        file = write_verification(
            {"python": controller}, inputs=inputs, run={"window": window}, compare={}
        )
        done = stranger.run("run", file, "python", "-o", f"out{window}")
        assert done.code == 0, done.err
        bag = Bag(stranger.cwd / f"out{window}/bag")
        outputs.append([(m.topic, m.log_time_ns, m.data) for m in bag.messages()])
    assert len(outputs[0]) > 200
    assert outputs[0] == outputs[1]


def test_a_wall_time_gazebo_bag_runs_on_its_clock_too(stranger: Stranger, write_verification):
    inputs = {
        "bag": str(ROOT / "bags/gazebo_diff_drive_wall"),
        "topics": {"command": "/cmd_vel", "odometry": "/odom"},
        "clock": "bag",
    }
    pair = {
        "python": {"component": "lockstep_examples:PdController"},
        "cpp": {"executable": "lockstep_examples_cpp/pd_controller"},
    }
    file = write_verification(pair, inputs=inputs, compare={})
    done = stranger.run("verify", file, "-o", "out", "--json")
    assert done.code == 0, done.err
    (key,) = json.loads(done.out)["comparisons"]["cpp"]["keys"].values()
    assert 950 < key["identical_bytes"] == key["aligned"] < 1010
    assert Bag(stranger.cwd / "out/cpp/bag").end_ns < 25_000_000_000, (
        "simulation time, not wall time"
    )
