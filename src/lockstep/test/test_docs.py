import os
import re
import subprocess
import sys
from functools import reduce
from operator import xor
from pathlib import Path

import pytest
from lockstep.verify.model import load
from lockstep.verify.verify import verify


@pytest.mark.parametrize(
    ("page", "left_behind"),
    [
        ("bags.md", {"acceleration"}),
        ("compare.md", set()),
        ("distributions.md", set()),
        ("porting.md", {"prompt.md", "again.md"}),
        ("datasets.md", {"run", "slow", "drive_log", "incident.pkl"}),
    ],
)
def test_the_examples_of_a_page_work(
    bags: Path, tmp_path: Path, page: str, left_behind: set[str]
) -> None:
    text = (bags.parent / "docs" / page).read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    (tmp_path / "bags").symlink_to(bags)
    done = subprocess.run(
        [sys.executable, "-c", "".join(blocks)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == {"bags", *left_behind}


def gga(tick: int) -> bytes:
    """A sentence of a receiver that moves; one in five is damaged."""
    position = f"48{tick:02}.{tick:03},N,01131.{tick:03},W"
    body = f"GPGGA,{120000 + tick}.00,{position},1,08,0.9,{tick}.4,M,46.9,M,,"
    checksum = reduce(xor, body.encode()) ^ (tick % 5 == 4)
    return f"${body}*{checksum:02X}\r\n".encode()


@pytest.fixture
def driver(bags: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the driver in sensors.md, with its bytes recorded."""
    text = (bags.parent / "docs" / "sensors.md").read_text("utf-8")
    for name, block in re.findall(r"`([a-z_]+\.(?:py|yaml))`\n\n```\w+\n(.*?)```", text, re.DOTALL):
        (tmp_path / name).write_text(block)
    (tmp_path / "receiver.nmea").write_bytes(b"".join(map(gga, range(50))))
    subprocess.run([sys.executable, "record_bytes.py"], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]]))
    return tmp_path


def test_the_driver_of_the_page_on_sensors_is_verified_at_its_bytes(driver: Path) -> None:
    verdict = verify(load(driver / "verify.yaml"), driver / "out")
    assert verdict.exit_code == 0
    assert verdict.comparisons["rewritten"].keys["/fix"].aligned.count == 40


def test_a_driver_that_does_not_check_what_it_reads_differs(driver: Path) -> None:
    file = driver / "nmea_rewritten.py"
    text = file.read_text()
    check = 'if checksum == int(match["checksum"], 16):'
    assert check in text
    file.write_text(text.replace(check, "if match:"))
    verdict = verify(load(driver / "verify.yaml"), driver / "out")
    assert verdict.exit_code == 1
    assert len(verdict.comparisons["rewritten"].keys["/fix"].aligned.only_b) == 10
