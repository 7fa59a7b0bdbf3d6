"""However a verification is cut short, no process stays behind, and what was
recorded can be read.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from lockstep.bag import Bag
from lockstep.host.events import told_progress
from stranger import ACCELERATION, ROOT, Command, Stranger, small_disk
from verifications import CPP, Write

SLOW = {"component": "faulty:Slow"}
CONTRACT = "lockstep_examples:VectorNormalizer"
BOX = {
    "command": ["python3", str(ROOT / "tests/black_box_node.py")],
    "remap": {"vector": "acceleration", "normalized": "direction"},
}


def is_playing(folder: Path, messages: int = 2) -> bool:
    """Whether the player has sent some messages."""
    told = told_progress(folder / "player.events")
    return told is not None and told[0] >= messages


def reads(command: Command, bag: Path) -> bool:
    """Whether the command itself has a file of this bag open."""
    files = Path(f"/proc/{command.child.pid}/fd").iterdir()
    return any(str(file.readlink()).startswith(str(bag)) for file in files if file.is_symlink())


def written(file: Path) -> str:
    """What is in a file that comes to be."""
    return file.read_text("utf-8") if file.exists() else ""


def assert_interrupted(stranger: Stranger, command: Command) -> None:
    done = command.end(timeout_s=20)
    stranger.assert_nothing_left()
    assert (done.code, done.out) == (130, "")
    *told, ending = done.err.splitlines()
    assert ending == "interrupted; all processes ended"
    assert told == [line for line in told if "left process" in line]


def assert_whole(bag: Path) -> None:
    assert Bag(bag).problem is None
    assert Bag(bag).count > 0


# Phase → the implementations, and how one sees from outside that it has come.
PHASES = {
    "checking contracts": (
        {"slow": SLOW, "cpp": CPP},
        lambda stranger, out: stranger.processes("--contract"),
    ),
    "waiting for discovery": (
        {"deaf": {"command": ["bash", "-c", "setsid sleep 60 & sleep 60"]}, "cpp": CPP},
        lambda stranger, out: list(out.glob("deaf/bag/*.mcap")),
    ),
    "playing": (
        {"slow": SLOW, "cpp": CPP},
        lambda stranger, out: is_playing(out / "slow"),
    ),
    "draining": (
        {"box": BOX, "cpp": CPP},
        lambda stranger, out: (out / "box/player.json").exists(),
    ),
    "playing to the second implementation": (
        {"cpp": CPP, "slow": SLOW},
        lambda stranger, out: is_playing(out / "slow"),
    ),
}


BLACK_BOX = {"contract": CONTRACT, "run": {"rtf": 2.0}, "duration": 1.0}
RUN = {phase: {"run": {"window": 1}} for phase in PHASES} | {
    "waiting for discovery": BLACK_BOX,
    "draining": BLACK_BOX,
}


@pytest.mark.parametrize(
    ("phase", "how", "number"),
    [
        ("checking contracts", "signal_group", signal.SIGINT),
        ("checking contracts", "signal", signal.SIGTERM),
        ("waiting for discovery", "signal", signal.SIGHUP),
        ("playing", "signal_group", signal.SIGINT),
        ("playing", "signal", signal.SIGTERM),
        ("draining", "signal_group", signal.SIGINT),
        ("playing to the second implementation", "signal", signal.SIGINT),
    ],
)
def test_an_interruption_ends_everything_and_leaves_readable_bags(
    stranger: Stranger, write_verification: Write, phase: str, how: str, number: signal.Signals
) -> None:
    implementations, has_come = PHASES[phase]
    file = write_verification(implementations, **RUN[phase])
    out = stranger.cwd / "out"
    command = stranger.start("verify", file, "-o", out)
    command.wait_until(lambda: has_come(stranger, out), phase)
    getattr(command, how)(number)
    assert_interrupted(stranger, command)
    for bag in out.glob("*/bag"):
        assert Bag(bag).problem is None
    if "playing" in phase or phase == "draining":
        assert_whole(out / next(iter(implementations)) / "bag")


def test_an_interrupted_comparison_leaves_both_bags(
    stranger: Stranger, write_verification: Write
) -> None:
    file = write_verification({"cpp": CPP, "again": CPP}, duration=math.inf)
    out = stranger.cwd / "out"
    command = stranger.start("verify", file, "-o", out)
    command.wait_until(lambda: (out / "again/recorder.json").exists(), "the end of the second run")
    command.wait_until(lambda: reads(command, out / "cpp/bag"), "the comparison")
    command.signal_group(signal.SIGINT)
    assert_interrupted(stranger, command)
    for name in ("cpp", "again"):
        assert_whole(out / name / "bag")


def test_ctrl_c_while_modules_load_leaves_no_traceback(stranger: Stranger) -> None:
    command = stranger.start("verify", "nowhere.yaml")
    maps = Path(f"/proc/{command.child.pid}/maps")
    command.wait_until(lambda: "_multiarray_umath" in maps.read_text(), "numpy")
    command.signal_group(signal.SIGINT)
    done = command.end()
    assert (done.code, done.err) == (130, "")


def test_an_impatient_user_leaves_no_process_either(
    stranger: Stranger, write_verification: Write
) -> None:
    """Ctrl-C again and again, while a node that heeds neither SIGINT nor SIGTERM is being ended."""
    stubborn = {"component": "faulty:IgnoresSigintAndSigterm"}
    file = write_verification({"stubborn": stubborn, "cpp": CPP}, run={"window": 1})
    out = stranger.cwd / "out"
    command = stranger.start("verify", file, "-o", out)
    command.wait_until(lambda: is_playing(out / "stubborn"))
    command.signal_group(signal.SIGINT)
    command.wait_until(lambda: not stranger.processes("lockstep.player"), "the end of the player")
    for _ in range(3):
        command.signal_group(signal.SIGINT)
        command.signal(signal.SIGTERM)
    assert_interrupted(stranger, command)
    assert_whole(out / "stubborn/bag")


@pytest.mark.parametrize("name", ["HangsWithAChild", "HangsWithADaemon"])
def test_nothing_outlives_a_killed_lockstep(
    stranger: Stranger, write_verification: Write, name: str
) -> None:
    file = write_verification({"victim": {"component": f"faulty:{name}"}})
    out = stranger.cwd / "out"
    command = stranger.start("run", file, "victim", "-o", out)
    command.wait_until(lambda: is_playing(out, 1), "messages")
    command.signal(signal.SIGKILL)
    stranger.assert_nothing_left(within_s=10)
    assert Bag(out / "bag").problem is None


@pytest.mark.parametrize(
    ("name", "who"), [("HangsWithADaemon", "victim"), ("HangsWithADaemonWithoutATrace", "a run")]
)
def test_a_daemon_of_a_direct_run_ends_on_ctrl_c_and_is_told(
    stranger: Stranger, write_verification: Write, name: str, who: str
) -> None:
    file = write_verification({"victim": {"component": f"faulty:{name}"}}, run={"mode": "direct"})
    command = stranger.start("run", file, "victim", "-o", "out")
    pid = command.wait_until(lambda: written(stranger.cwd / "daemon.pid"), "the daemon")
    command.signal_group(signal.SIGINT)
    done = command.end()
    told, ending = done.err.splitlines()
    assert re.fullmatch(rf"{who} left process {pid} \(\w+\), which was ended", told)
    assert (done.code, ending) == (130, "interrupted; all processes ended")
    assert not Path(f"/proc/{pid}/fd/0").exists()
    stranger.assert_nothing_left()


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (
            "lockstep.nodes.prepared_host",
            "slow ended during the run (SIGKILL); its log {}/node.log ",
        ),
        (
            "lockstep.record",
            "the recorder of slow ended during the run (SIGKILL); its log {}/recorder.log ",
        ),
        (
            "lockstep.nodes.fork_server python3",
            "the player for slow failed (exit code 255); its log {}/player.log ",
        ),
        ("lockstep.player", "the player for slow failed (SIGKILL); its log {}/player.log "),
    ],
)
def test_a_killed_process_fails_the_run(
    stranger: Stranger, write_verification: Write, part: str, sentence: str
) -> None:
    file = write_verification({"slow": SLOW}, run={"window": 1})
    out = stranger.cwd / "out"
    command = stranger.start("run", file, "slow", "-o", out)
    command.wait_until(lambda: is_playing(out))
    (process,) = stranger.processes(part)
    os.kill(process.pid, signal.SIGKILL)
    done = command.end()
    stranger.assert_nothing_left()
    assert done.code == 3
    # What follows is what the middleware may have logged.
    assert done.err.splitlines()[0].startswith(f"error: {sentence.format(out)}")


def test_a_full_disk_fails_the_run_in_one_sentence(
    stranger: Stranger, write_verification: Write
) -> None:
    file = write_verification({"cpp": CPP}, duration=math.inf)
    with small_disk(stranger.cwd / "disk", "size=40k") as disk:
        done = stranger.run("run", file, "cpp", "-o", disk / "out")
        stranger.assert_nothing_left()
    assert done.code == 3
    assert done.error.endswith(f"the disk of {disk}/out is full")


@pytest.mark.parametrize("words", [["verify"], ["run", "cpp"]], ids=["verify", "run"])
def test_a_read_only_disk_is_refused_before_anything_runs(
    stranger: Stranger, write_verification: Write, words: list[str]
) -> None:
    file = write_verification({"cpp": CPP, "again": CPP})
    with small_disk(stranger.cwd / "disk", "ro") as disk:
        done = stranger.run(words[0], file, *words[1:], "-o", disk / "out")
    assert done.code == 2
    assert done.error == f"error: cannot create {disk}/out: Read-only file system"


def test_a_disk_that_is_full_after_direct_runs_have_begun_fails_the_run(
    stranger: Stranger, write_verification: Write
) -> None:
    file = write_verification({"cpp": CPP, "again": CPP}, duration=60.0, run={"mode": "direct"})
    with small_disk(stranger.cwd / "disk", "size=100k") as disk:
        done = stranger.run("verify", file, "-o", disk / "out")
    assert (done.code, done.err.count("\n")) == (3, 1), done.err
    assert "No space left on device" in done.err


def test_a_player_that_is_stopped_fails_the_run(
    stranger: Stranger, write_verification: Write
) -> None:
    file = write_verification({"slow": SLOW}, run={"window": 1, "timeout": 1.5})
    out = stranger.cwd / "out"
    command = stranger.start("run", file, "slow", "-o", out)
    command.wait_until(lambda: is_playing(out))
    (process,) = stranger.processes("lockstep.player")
    os.kill(process.pid, signal.SIGSTOP)
    done = command.end(timeout_s=60)
    stranger.assert_nothing_left()
    assert done.code == 3
    assert "the player for slow hangs: it told nothing for 9 s; its log " in done.err


def test_verifications_at_once_do_not_hear_each_other(
    stranger: Stranger, write_verification: Write
) -> None:
    commands = []
    for duration in (1.0, 2.0, 4.0):
        folder = stranger.cwd / str(duration)
        folder.mkdir()
        file = write_verification({"cpp": CPP, "again": CPP}, duration=duration, folder=folder)
        commands.append(stranger.start("verify", file, "--json"))
    results = []
    for command in commands:
        done = command.end(timeout_s=90)
        assert done.code == 0, done.err
        results.append(json.loads(done.out))
    counts = [
        {
            (run["sent"]["/vector"], run["recorded"]["/normalized"])
            for run in result["runs"].values()
        }
        for result in results
    ]
    assert counts == [{(31, 31)}, {(61, 61)}, {(121, 121)}]
    assert len(list((stranger.cwd / "runs").iterdir())) == 3


def test_a_busy_machine_loses_nothing(stranger: Stranger, write_verification: Write) -> None:
    for _ in range(2 * (os.cpu_count() or 1)):
        stranger.start("-c", "while True: pass", program=("python3",))
    file = write_verification({"cpp": CPP}, duration=20.0)
    done = stranger.run("run", file, "cpp", "--json", timeout_s=120)
    assert done.code == 0, done.err
    live = json.loads(done.out)
    assert (live["sent"], live["recorded"]) == ({"/vector": 601}, {"/normalized": 601})


def test_any_path_will_do(stranger: Stranger, write_verification: Write) -> None:
    folder = stranger.cwd / "ein Ordner, der 'schön' heißt; $HOME ∞" / "/".join(["x" * 200] * 10)
    folder.mkdir(parents=True)
    shutil.copytree(ACCELERATION, folder / "die Mäßwerte")
    inputs = {
        "bag": "die Mäßwerte",
        "topics": {"vector": "/imu/acceleration"},
        "duration": 2.0,
    }
    file = write_verification({"cpp": CPP}, name="prüfe mich.yaml", folder=folder, inputs=inputs)
    done = stranger.run("run", file.name, "cpp", cwd=folder)
    assert done.code == 0, done.err
    (bag,) = folder.glob("runs/*/bag")
    assert Bag(bag).count == 61


def test_the_users_dds_settings_stay_outside(stranger: Stranger, write_verification: Write) -> None:
    settings = {
        "ROS_DOMAIN_ID": "7",
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET",
        "ROS_STATIC_PEERS": "192.0.2.1",
        "ROS_DISCOVERY_SERVER": "192.0.2.1:11811",
        "ROS_SECURITY_ENABLE": "true",
        "FASTRTPS_DEFAULT_PROFILES_FILE": str(stranger.cwd / "robot.xml"),
    }
    deaf = (
        "<rtps><builtin><discovery_config><discoveryProtocol>NONE</discoveryProtocol>"
        "</discovery_config></builtin></rtps>"
    )
    profile = f'<participant profile_name="deaf" is_default_profile="true">{deaf}</participant>'
    for name in ("robot.xml", "DEFAULT_FASTRTPS_PROFILES.xml"):
        (stranger.cwd / name).write_text(
            f'<profiles xmlns="http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles">{profile}</profiles>'
        )
    command = stranger.start("run", write_verification({"cpp": CPP}), "cpp", env=settings)
    node = command.wait_until(lambda: stranger.processes("--params-file"), "the node")[0]
    environment = Path(f"/proc/{node.pid}/environ").read_text()
    assert "ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST" in environment
    assert "ROS_DOMAIN_ID=7\0" not in environment
    done = command.end()
    assert done.code == 0, done.err  # with the profile, the server or SROS 2, nobody finds anybody


FOREIGN_NODE = """
import socket, sys
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
for index, held in enumerate(sockets):
    held.bind(("", 7400 + 250 * int(sys.argv[1]) + 10 + 2 * 50 + index))
sys.stdin.read()
"""


def test_a_foreign_node_in_the_domain_of_a_run_ends_it_at_once(
    stranger: Stranger, write_verification: Write
) -> None:
    """It may be a robot's, which must not hear what is replayed."""
    file = write_verification({"cpp": CPP, "slow": SLOW}, run={"rtf": 1.0}, duration=math.inf)
    out = stranger.cwd / "out"
    command = stranger.start("verify", file, "-o", out)
    command.wait_until(lambda: is_playing(out / "cpp"), "playing")
    node = stranger.processes("lockstep_examples_cpp/vector_normalizer")[0].pid
    variables = dict(
        variable.partition("=")[::2]
        for variable in Path(f"/proc/{node}/environ").read_text("utf-8").split("\0")
    )
    domain = variables["ROS_DOMAIN_ID"]
    with subprocess.Popen(
        ["python3", "-c", FOREIGN_NODE, domain], stdin=subprocess.PIPE
    ) as foreign:
        done = command.end(timeout_s=20)
        assert foreign.stdin is not None
        foreign.stdin.close()
    stranger.assert_nothing_left()
    assert done.code == 3
    assert f"process {foreign.pid} (python3) joined ROS_DOMAIN_ID {domain}" in done.error
    assert_whole(out / "cpp/bag")
