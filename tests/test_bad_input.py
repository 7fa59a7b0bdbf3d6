"""Whatever is wrong with the input, the answer is one sentence and the right exit code."""

import json

import pytest
from lockstep.bag import Bag
from stranger import ACCELERATION, ROOT, Stranger
from verifications import CPP, PYTHON


def inputs(bag=ACCELERATION, topics=None, **more):
    return {"bag": str(bag), "topics": topics or {"vector": "/imu/acceleration"}, **more}


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        (
            {"inputs": inputs("nowhere")},
            "nowhere does not exist; give a rosbag2 folder or a .mcap, .db3 or .bag file",
        ),
        (
            {"inputs": inputs(ROOT / "README.md")},
            "README.md is not a bag; give a rosbag2 folder or a file of .mcap, .db3, .bag",
        ),
        ({"inputs": inputs(ROOT / "src")}, "src holds no .mcap file"),
        (
            {"inputs": inputs(topics={"vector": "/imu"})},
            "husky_acceleration has no topic /imu; it has /imu/acceleration",
        ),
        (
            {"inputs": inputs(topics={"vektor": "/imu/acceleration"})},
            "the contract has no input 'vektor'; it has vector",
        ),
        (
            {"inputs": inputs(ROOT / "bags/husky_gps_imu_odom", {"vector": "/imu/data"})},
            "topic /imu/data of",
        ),
        (
            {"parameters": {"epsilom": 1.0}},
            "the contract has no parameter 'epsilom'; it has epsilon",
        ),
        ({"compare": {"tolerence": {}}}, "verify.yaml:13: unknown key 'tolerence' in compare"),
        ({"run": {"window": "many"}}, "run.window"),
    ],
)
def test_a_bad_verification_runs_nothing(
    stranger: Stranger, write_verification, sections, sentence
):
    done = stranger.run("verify", write_verification(**sections), "-o", "out")
    assert (done.code, done.out) == (2, "")
    assert sentence in done.error
    assert not (stranger.cwd / "out").exists()


def test_a_type_mismatch_names_both_types(stranger: Stranger, write_verification):
    file = write_verification(
        inputs=inputs(ROOT / "bags/husky_gps_imu_odom", {"vector": "/imu/data"})
    )
    done = stranger.run("verify", file)
    assert done.code == 2
    assert (
        "is sensor_msgs/msg/Imu, but input 'vector' takes geometry_msgs/msg/Vector3Stamped"
        in done.error
    )


def test_a_truncated_bag_is_refused_before_anything_runs(stranger: Stranger, write_verification):
    cut = stranger.cwd / "cut.mcap"
    cut.write_bytes((ACCELERATION / "husky_acceleration_0.mcap").read_bytes()[:100_000])
    done = stranger.run("verify", write_verification(inputs=inputs(cut)), "-o", "out")
    assert done.code == 2
    assert "cut.mcap is cut off: its last" in done.error
    assert not (stranger.cwd / "out").exists()


@pytest.mark.parametrize(
    ("executable", "sentence"),
    [
        ("lockstep_examples_cpp/no_such_node", "has no executable 'no_such_node' in lib"),
        ("no_such_package/node", "AMENT_PREFIX_PATH; build it and source its workspace"),
    ],
)
def test_a_missing_executable_is_named(
    stranger: Stranger, write_verification, executable, sentence
):
    file = write_verification({"python": PYTHON, "cpp": {"executable": executable}})
    done = stranger.run("verify", file)
    assert done.code == 2
    assert f"cpp: package '{executable.split('/')[0]}'" in done.error
    assert sentence in done.error


def test_a_component_that_cannot_be_loaded_is_named(stranger: Stranger, write_verification):
    file = write_verification({"python": PYTHON, "other": {"component": "faulty:NoSuchClass"}})
    done = stranger.run("verify", file)
    assert done.code == 2
    assert "other printed no contract: cannot load 'faulty:NoSuchClass'" in done.error


def test_a_tolerance_of_images_for_what_is_none_is_refused_before_anything_runs(
    stranger: Stranger, write_verification
):
    rule = {"vector": {"by": "psnr", "at_least": 40}}
    done = stranger.run("verify", write_verification(compare={"tolerance": rule}), "-o", "out")
    assert done.code == 2
    assert "'vector.x' is no image; by: psnr and by: ssim are for the field data" in done.error
    assert not (stranger.cwd / "out").exists()


def test_a_parameter_out_of_range_is_refused_before_anything_runs(
    stranger: Stranger, write_verification
):
    file = write_verification(
        {
            "python": {"component": "lockstep_examples:ScanSectors"},
            "cpp": {"executable": "lockstep_examples_cpp/scan_sectors"},
        },
        inputs=inputs(ROOT / "bags/office_scan_odom_tf", {"scan": "/scan"}),
        parameters={"count": 0},
        compare={"align": "stamp"},
    )
    done = stranger.run("verify", file, "-o", "out")
    assert (done.code, done.out) == (2, "")
    assert "python: parameter 'count' must be at least 1, not 0" in done.error
    assert not (stranger.cwd / "out").exists()


def test_different_contracts_differ_before_anything_runs(stranger: Stranger, write_verification):
    file = write_verification({"python": PYTHON, "other": {"component": "faulty:WrongDefault"}})
    done = stranger.run("verify", file, "-o", "out")
    assert done.code == 1
    assert "CONTRACT DIFFERS: other: parameter 'epsilon' has default" in done.out
    assert not (stranger.cwd / "out/python").exists()
    assert json.loads((stranger.cwd / "out/result.json").read_text())["match"] is False


@pytest.mark.parametrize(
    ("fault", "sentences"),
    [
        (
            "CrashAtStart",
            ["on_start failed at 0.000000000 s: RuntimeError: there is no calibration"],
        ),
        (
            "CrashInTheMiddle",
            ["on_vector failed at", "ValueError: the 50th vector is not to my taste"],
        ),
        ("ExitInTheMiddle", ["other ended during the run (exit code 7)"]),
        ("SegfaultInTheMiddle", ["other ended during the run (SIGSEGV)"]),
        ("Hang", ["no answer for 2 s to the message of /vector at"]),
        ("Silent", ["other never answered: it published nothing on /normalized"]),
    ],
)
def test_a_run_that_fails_is_never_a_verdict(
    stranger: Stranger, write_verification, fault, sentences
):
    other = {"component": f"faulty:{fault}"}
    file = write_verification({"python": PYTHON, "other": other}, run={"timeout": 2.0})
    done = stranger.run("verify", file, "-o", "out")
    assert done.code == 3
    for sentence in sentences:
        assert sentence in done.err
    assert "MATCH" not in done.out
    assert Bag(stranger.cwd / "out/other/bag").problem is None
    stranger.assert_nothing_left()


def test_a_message_that_is_left_out_is_named_by_its_tick(stranger: Stranger, write_verification):
    file = write_verification({"python": PYTHON, "other": {"component": "faulty:DropsOne"}})
    done = stranger.run("verify", file, "-o", "out")
    assert done.code == 1
    assert "1 only in python" in done.out
    assert "first only in python: tick 49" in done.out


def test_an_output_folder_that_exists_is_left_alone(stranger: Stranger, write_verification):
    (stranger.cwd / "out").mkdir()
    (stranger.cwd / "out/precious").write_text("mine")
    for command in (["verify"], ["run"]):
        name = ["cpp"] if command == ["run"] else []
        done = stranger.run(*command, write_verification(), *name, "-o", "out")
        assert done.code == 2
        assert "out exists already; choose another folder or delete it" in done.error
    assert (stranger.cwd / "out/precious").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["info", "nowhere"], "nowhere does not exist"),
        (["info", str(ROOT / "README.md")], "README.md is not a bag"),
        (["compare", str(ACCELERATION), "nowhere"], "nowhere does not exist"),
        (["compare", str(ACCELERATION), str(ACCELERATION), "-t", "/x"], "has no topic /x"),
        (
            ["compare", str(ACCELERATION), str(ACCELERATION), "--tolerance", "x=y"],
            "tolerance 'x=y' is not PATTERN=ABS",
        ),
        (
            ["compare", str(ACCELERATION), str(ACCELERATION), "--tolerance", "vektor=1"],
            "tolerance 'vektor' matches no field; the fields are",
        ),
        (["contract", "no_such_module:X"], "cannot load 'no_such_module:X'"),
        (["contract", "nonsense"], "nonsense"),
        (["contract", "lockstep_examples_cpp/nonsense"], "has no executable 'nonsense'"),
        (["verify", "nowhere.yaml"], "cannot read nowhere.yaml: No such file or directory"),
    ],
)
def test_every_command_says_in_a_sentence_what_is_wrong(stranger: Stranger, words, sentence):
    done = stranger.run(*words)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.error


def test_an_unknown_implementation_is_named(stranger: Stranger, write_verification):
    done = stranger.run("run", write_verification(), "rust")
    assert done.code == 2
    assert "has no implementation 'rust'; it has python, cpp" in done.error


@pytest.mark.parametrize("command", ["verify", "run", "compare", "info", "contract"])
def test_help_of_every_command_has_examples(stranger: Stranger, command):
    done = stranger.run(command, "--help")
    assert done.code == 0
    assert "Examples" in done.out
    assert f"lockstep {command} " in done.out


def test_info_of_a_damaged_bag_shows_what_is_there_and_fails(stranger: Stranger):
    cut = stranger.cwd / "cut.mcap"
    cut.write_bytes((ACCELERATION / "husky_acceleration_0.mcap").read_bytes()[:100_000])
    done = stranger.run("info", cut, "--json")
    assert done.code == 2
    data = json.loads(done.out)
    assert "cut off" in data["problem"]
    assert 0 < data["messages"] < 3000


def test_compare_prints_json_for_scripts(stranger: Stranger):
    done = stranger.run("compare", ACCELERATION, ACCELERATION, "--json")
    assert done.code == 0
    assert json.loads(done.out)["keys"]["/imu/acceleration"]["identical_bytes"] == 3000


def test_the_reference_alone_is_a_verification_without_comparisons(stranger, write_verification):
    done = stranger.run("verify", write_verification({"cpp": CPP}), "-o", "out")
    assert done.code == 2
    assert "needs another implementation to compare with" in done.error
