"""Make the virtual environment that Lockstep is built, tested and run in; called by tools/setup.

In the wheels world it is .venv and holds ROS 2 itself (wheels.lock). In the distro world it is
.venv-distro and holds only the Python libraries that the distro lacks (distro.lock). A finished
environment carries a stamp of all it was made from; without one, or with another one, it is made
afresh (pip's cache keeps what was downloaded).
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parent
STAMP = "lockstep-setup"
DISK_NEEDED_GB = 1.5
GLIBC_NEEDED = (2, 28)
PROGRESS_PERIOD_S = 5
START_S = time.monotonic()


class Obstacle(Exception):
    """What is missing or in the way, in one sentence."""


def say(text: str) -> None:
    print(f"setup: {time.monotonic() - START_S:3.0f} s  {text}", flush=True)


def check_machine() -> None:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise Obstacle(f"ROS 2 wheels exist for x86_64 Linux only, this is {platform.platform()}")
    libc, version = platform.libc_ver()
    if libc != "glibc" or tuple(map(int, version.split(".")[:2])) < GLIBC_NEEDED:
        raise Obstacle(f"ROS 2 wheels need glibc 2.28 or later, this is {libc} {version}")


def check_compiler() -> None:
    for tool in ("g++", "make"):
        if not shutil.which(tool):
            raise Obstacle(f"{tool} is missing: install it (apt install {tool})")


def check_folder() -> None:
    """CMake, make and ament each give some characters of a path a meaning of their own."""
    odd = sorted(set(re.findall(r"[^\w/.+@-]", str(ROOT))))
    if odd:
        names = ", ".join("a space" if letter == " " else repr(letter) for letter in odd)
        raise Obstacle(f"the path {ROOT} contains {names}, which ament cannot build in")
    if not os.access(ROOT, os.W_OK):
        raise Obstacle(f"{ROOT} is not writable: use a copy of your own")
    free_gb = shutil.disk_usage(ROOT).free / 1e9
    if free_gb < DISK_NEEDED_GB:
        raise Obstacle(f"{ROOT} has {free_gb:.1f} GB of disk left, set-up needs {DISK_NEEDED_GB}")


def stamp_of(lock: Path) -> str:
    """Everything that an environment is made from."""
    digest = hashlib.sha256()
    for file in (lock, TOOLS / "set_up.py", TOOLS / "mend_wheels.py"):
        digest.update(file.read_bytes())
    python = f"{sys.executable} {sys.version_info.major}.{sys.version_info.minor}"
    return f"{ROOT} {python} {digest.hexdigest()}\n"


def create(venv: Path, options: list[str]) -> None:
    say(f"a new virtual environment of Python {platform.python_version()} in {venv}")
    if venv.exists():
        shutil.rmtree(venv)
    command = [sys.executable, "-m", "venv", *options, str(venv)]
    made = subprocess.run(command, check=False, capture_output=True, text=True)
    if made.returncode:
        last = (made.stdout + made.stderr).strip().splitlines()[-1:]
        raise Obstacle(f"the virtual environment cannot be made: {' '.join(last)}")
    # The second is what colcon looks for in a prefix of ROS packages, and the wheels leave out.
    for name in ("COLCON_IGNORE", "local_setup.sh", "local_setup.bash", "local_setup.zsh"):
        (venv / name).touch()


def install(venv: Path, lock: Path, held: int) -> None:
    """Install what a lock file pins; empy, the one source package, is built with the setuptools
    pinned."""
    text = lock.read_text()
    builder = re.search(r"^setuptools==.*?(?=^\S)", text, re.MULTILINE | re.DOTALL)
    if builder:
        first = venv / "setuptools.lock"
        first.write_text(builder.group())
        run_pip(venv, first, held)
    run_pip(venv, lock, held)


def run_pip(venv: Path, lock: Path, held: int) -> None:
    """Run pip and say now and then how far it is.

    pip inherits the lock that is held on the folder, so that no other set-up starts while it lives.
    """
    pins = re.findall(r"^\S+==(?!.*== 'win32')", lock.read_text(), re.MULTILINE)
    command: list[str | Path] = [
        venv / "bin/python",
        "-I",
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--require-hashes",
    ]
    command += ["--no-build-isolation", "--use-pep517", "--no-input", "--no-warn-script-location"]
    command += ["--disable-pip-version-check", "--progress-bar=off", "-r", lock]
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON")
    }
    environment["_ROS_WHEELS_BOOTSTRAP_COMPLETE"] = "1"  # or each start of this Python is two
    log = venv / f"{lock.stem}.log"
    with log.open("w") as output:
        pip = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, pass_fds=[held]
        )
    try:
        while pip.poll() is None:
            try:
                pip.wait(PROGRESS_PERIOD_S)
            except subprocess.TimeoutExpired:
                say(progress(log.read_text(), venv, len(pins)))
    finally:
        pip.kill()
        pip.wait()
    if pip.returncode:
        raise Obstacle(f"pip could not install the packages: {failure(log.read_text())}")


def progress(output: str, venv: Path, total: int) -> str:
    if "\nInstalling collected packages" in output:
        installed = len(list(venv.glob("lib/python3*/site-packages/*.dist-info")))
        return f"{min(installed, total)} of {total} packages installed"
    fetched = len(re.findall(r"^Collecting ", output, re.MULTILINE))
    return f"{fetched} of {total} packages downloaded"


def failure(output: str) -> str:
    """Why pip has no connection, or else the last error that it tells."""
    lost = re.search(r"connection broken by '(.*)': /", output)
    if lost:
        return "no connection, " + re.sub(r"<[^>]*>: ", "", lost.group(1))
    lines = output.strip().splitlines() or ["it said nothing"]
    errors = [line for line in lines if re.match(r"ERROR: (?!Exception:$)", line)]
    return (errors or lines)[-1]


def mend(venv: Path) -> None:
    say("mending the wheels")
    script = TOOLS / "mend_wheels.py"
    command = [venv / "bin/python", script]
    mended = subprocess.run(command, check=False, capture_output=True, text=True)
    if mended.returncode:
        raise Obstacle(f"the wheels cannot be mended: {mended.stderr.strip().splitlines()[-1]}")


def set_up(world: str, held: int) -> None:
    venv, lock = {
        "wheels": (ROOT / ".venv", TOOLS / "wheels.lock"),
        "distro": (ROOT / ".venv-distro", TOOLS / "distro.lock"),
    }[world]
    stamp = venv / STAMP
    wanted = stamp_of(lock)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    if world == "wheels":
        check_machine()
    check_compiler()
    check_folder()
    create(venv, ["--system-site-packages"] if world == "distro" else [])
    install(venv, lock, held)
    if world == "wheels":
        mend(venv)
    stamp.write_text(wanted)
    say("done")


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    held = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up of this folder")
            fcntl.flock(held, fcntl.LOCK_EX)
        set_up(sys.argv[1], held)
    except (Obstacle, OSError) as obstacle:
        print(f"setup: {obstacle}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("setup: interrupted, run it again to start over", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
