import re
import subprocess
import sys
from pathlib import Path


def test_the_examples_of_the_page_on_datasets_work(bags: Path, tmp_path: Path) -> None:
    page = (bags.parent / "docs" / "datasets.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 4
    (tmp_path / "bags").symlink_to(bags)
    done = subprocess.run(
        [sys.executable, "-c", "".join(blocks)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    there = {path.name for path in tmp_path.iterdir()}
    assert there == {"bags", "run", "slow", "drive_log", "incident.pkl"}
