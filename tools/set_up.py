"""Make the virtual environment that Lockstep is built, tested and run in; called by tools/setup.

In the wheels world it is .venv and holds ROS 2 itself (wheels.lock). In the distro world it is
.venv-distro and holds only the Python libraries that the distro lacks (distro.lock). A finished
environment carries a stamp of all it was made from; without one, or with another one, it is made
afresh (the installer's cache keeps what was downloaded).

pip installs uv, which installs all others, from where pip is configured to: several times as fast,
since it fetches and unpacks many at once.
"""

import ast
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
    """Install what a lock file pins.

    The processes inherit the lock that is held on the folder, so that no other set-up starts while
    they live.
    """
    first = venv / "installer.lock"
    first.write_text(pins("uv", TOOLS / "distro.lock"))
    outside = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON")
    }
    outside["_ROS_WHEELS_BOOTSTRAP_COMPLETE"] = "1"  # or each start of this Python is two
    pip: list[str | Path] = [venv / "bin/python", "-I", "-m", "pip"]
    quiet = ["--no-input", "--disable-pip-version-check"]
    fetch_uv = ["install", "--no-deps", "--require-hashes", "--progress-bar=off", *quiet]
    run_installer([*pip, *fetch_uv, "-r", first], outside, venv, held)

    listed = subprocess.run(
        [*pip, "config", "list"], check=True, capture_output=True, text=True, env=outside
    )
    for_uv = {**uv_settings(listed.stdout), **outside}
    uv: list[str | Path] = [venv / "bin/uv", "pip", "install", "--python", venv / "bin/python"]
    # Files of the cache must not be linked to, as the wheels are mended in place.
    uv += ["--no-deps", "--require-hashes", "--no-build-isolation", "--link-mode=copy"]
    uv += ["--index-strategy=unsafe-best-match", "--no-progress", "--color=never", "-r"]
    builder = pins("setuptools", lock)  # of empy, the one package that comes as its source
    if builder:
        first.write_text(builder)
        run_installer([*uv, first], for_uv, venv, held)
    total = len(re.findall(r"(?m)^\S+==(?!.*== 'win32')", lock.read_text()))
    run_installer([*uv, lock], for_uv, venv, held, total)


def pins(package: str, lock: Path) -> str:
    """The lines of a lock file that pin a package; none where it does not."""
    found = re.search(rf"^{package}==.*?(?=^\S)", lock.read_text(), re.MULTILINE | re.DOTALL)
    return found.group() if found else ""


def uv_settings(pip_config: str) -> dict[str, str]:
    """What `pip config list` tells of indexes and connections, as uv's environment variables.

    https://docs.astral.sh/uv/reference/environment
    """
    names = {
        "index-url": ("UV_DEFAULT_INDEX", " "),
        "extra-index-url": ("UV_INDEX", " "),
        "no-index": ("UV_NO_INDEX", " "),
        "find-links": ("UV_FIND_LINKS", ","),
        "trusted-host": ("UV_INSECURE_HOST", " "),
        "cert": ("SSL_CERT_FILE", " "),
        "client-cert": ("SSL_CLIENT_CERT", " "),
        "proxy": ("ALL_PROXY", " "),
        "retries": ("UV_HTTP_RETRIES", " "),
        "timeout": ("UV_HTTP_TIMEOUT", " "),
        "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    }
    settings = {}
    lines = re.findall(r"(?m)^(global|install|:env:)\.([a-z-]+)=(.+)$", pip_config)
    # in the order in which a later one counts for pip
    for _, name, value in sorted(
        lines, key=lambda line: ("global", "install", ":env:").index(line[0])
    ):
        values = str(ast.literal_eval(value)).split()
        if name in names and values:
            variable, separator = names[name]
            settings[variable] = separator.join(values)
    return settings


def run_installer(
    command: list[str | Path],
    environment: dict[str, str],
    venv: Path,
    held: int,
    total: int | None = None,
) -> None:
    """Run pip or uv, and say now and then how many of ``total`` packages there are."""
    log = venv / "install.log"
    with log.open("w") as output:
        installer = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, pass_fds=[held]
        )
    try:
        while installer.poll() is None:
            try:
                installer.wait(PROGRESS_PERIOD_S)
            except subprocess.TimeoutExpired:
                if total is not None:
                    installed = len(list(venv.glob("lib/python3*/site-packages/*.dist-info")))
                    say(f"{min(installed, total)} of {total} packages installed")
    finally:
        installer.kill()
        installer.wait()
    if installer.returncode:
        raise Obstacle(f"the packages cannot be installed: {failure(log.read_text())}")


def failure(output: str) -> str:
    """Why pip or uv has no connection, or else the last error that it tells."""
    lost = re.search(r"connection broken by '(.*)': /", output)
    if lost:
        return "no connection, " + re.sub(r"<[^>]*>: ", "", lost.group(1))
    lines = output.strip().splitlines() or ["it said nothing"]
    errors = [line for line in lines if re.match(r"(?i)error: (?!Exception:$)", line)]
    causes = [line.strip() for line in lines if re.match(r" *cause: ", line)]
    return "; ".join((errors or lines)[-1:] + causes[-1:])


def mend(venv: Path) -> None:
    say("mending the wheels")
    script = TOOLS / "mend_wheels.py"
    command = [venv / "bin/python", script]
    mended = subprocess.run(command, check=False, capture_output=True, text=True)
    if mended.returncode:
        raise Obstacle(f"the wheels cannot be mended: {mended.stderr.strip().splitlines()[-1]}")


def compile_packages(venv: Path) -> None:
    """As pip does: where PYTHONDONTWRITEBYTECODE is set, each process would compile what it
    imports. Tests and what next to nothing imports would be two thirds of the work."""
    seldom = r"/(tests?|moto|botocore|plotly/graph_objs|plotly/validators)/"
    command = ["-I", "-m", "compileall", "-q", "-j", "0", "-x", seldom, str(venv / "lib")]
    subprocess.run([venv / "bin/python", *command], check=False, stdout=subprocess.DEVNULL)


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
    compile_packages(venv)
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
