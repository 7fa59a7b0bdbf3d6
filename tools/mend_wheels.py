"""Mend the faults of the ros-jazzy-* wheels that stop CMake and the linker; safe to repeat.

Each fault is either found exactly as written here, and mended, or found already mended. Anything
else means that a wheel has changed, and fails with one sentence that names the file. Run by the
virtual environment's own Python, which says where the environment, its numpy and the interpreter's
headers are.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

PREFIX = Path(sys.prefix)

# librcl* link the Python halves of these messages, whose Py* symbols nothing provides in a C++
# program.
PYTHON_MESSAGES_NEEDED = {
    "librcl.so": {
        "rcl_interfaces",
        "rmw_dds_common",
        "service_msgs",
        "type_description_interfaces",
    },
    "librcl_action.so": {
        "action_msgs",
        "rcl_interfaces",
        "rmw_dds_common",
        "type_description_interfaces",
    },
    "librcl_lifecycle.so": {
        "lifecycle_msgs",
        "rcl_interfaces",
        "rmw_dds_common",
        "type_description_interfaces",
    },
}


class WheelChanged(Exception):
    """A file of a wheel is neither faulty in the known way nor mended; the message names it."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{file} is not as its pinned wheel made it: remove .venv and run `make setup`"
        )


def mend_text(file: Path, fault: str, mended: str) -> None:
    """Replace the one occurrence of fault in a text file."""
    text = file.read_text() if file.is_file() else ""
    faults, mends = text.count(fault), text.count(mended)
    if (faults, mends) == (1, 0):
        scratch = file.with_name(file.name + ".mending")
        scratch.write_text(text.replace(fault, mended))
        os.replace(scratch, file)
    elif (faults, mends) != (0, 1):
        raise WheelChanged(file)


def mend_python_paths() -> None:
    """Message exports name the headers of the machine that built the wheel."""
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    builder = "/opt/python/cp{0}{1}-cp{0}{1}".format(*sys.version_info)
    fault = f'"{builder}/include/{python};{builder}/lib/{python}/site-packages/numpy/_core/include"'
    headers = sysconfig.get_config_var("INCLUDEPY")
    mended = f'"{headers};{sysconfig.get_path("purelib")}/numpy/_core/include"'
    exports = sorted(PREFIX.glob("share/*/cmake/export_*__rosidl_generator_pyExport.cmake"))
    if not exports:
        raise WheelChanged(PREFIX / "share")
    for file in exports:
        mend_text(file, fault, mended)
    for file in PREFIX.glob("share/**/*.cmake"):
        if "/opt/python/" in file.read_text():
            raise WheelChanged(file)


def mend_fast_dds() -> None:
    """Fast DDS carries its own TinyXML2 and OpenSSL, yet asks for the development files of both."""
    folder = PREFIX / "share/fastrtps/cmake"
    bundled = (
        r"/usr/lib64/libtinyxml2.so;\$<\$<BOOL:1>:OpenSSL::SSL\$<SEMICOLON>OpenSSL::Crypto"
        r"\$<\$<BOOL:>:\$<SEMICOLON>crypt32.lib>>;"
    )
    before, after = "foonathan_memory;-lpthread;dl;", r"\$<\$<BOOL:>:iphlpapi"
    mend_text(folder / "fastrtps-shared-targets.cmake", before + bundled + after, before + after)
    requires = "find_package(foonathan_memory REQUIRED)\n"
    mend_text(
        folder / "fastrtps-config.cmake",
        f"{requires}find_package(TinyXML2 QUIET)\n\nfind_package(OpenSSL REQUIRED)\n",
        f"{requires}\n\n",
    )


def mend_rcl() -> None:
    """Remove the needed-entries of PYTHON_MESSAGES_NEEDED."""
    patchelf = PREFIX / "bin/patchelf"
    for name, messages in PYTHON_MESSAGES_NEEDED.items():
        file = PREFIX / "lib" / name
        if not file.is_file():
            raise WheelChanged(file)
        listing = subprocess.run(
            [patchelf, "--print-needed", file], check=True, capture_output=True, text=True
        ).stdout.split()
        found = {library for library in listing if library.endswith("__rosidl_generator_py.so")}
        if found and found != {f"lib{message}__rosidl_generator_py.so" for message in messages}:
            raise WheelChanged(file)
        if found:
            removals = [word for library in sorted(found) for word in ("--remove-needed", library)]
            scratch = file.with_name(file.name + ".mending")
            subprocess.run([patchelf, *removals, "--output", scratch, file], check=True)
            os.replace(scratch, file)


def main() -> int:
    try:
        mend_python_paths()
        mend_fast_dds()
        mend_rcl()
    except WheelChanged as error:
        print(f"mend_wheels: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
