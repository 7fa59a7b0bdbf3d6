import re
import subprocess
import sys
from pathlib import Path

import pytest


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
