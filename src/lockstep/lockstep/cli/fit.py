"""`lockstep fit`."""

from __future__ import annotations

import re
from typing import Annotated

import typer
import yaml

from ..bag import Bag
from ..distributions.declaration import data_of, python_of
from ..distributions.proposal import left_out, proposed
from .show import console, print_line, stderr


def command(
    path: Annotated[
        str,
        typer.Argument(
            metavar="BAG", help="Any bag: folder, file, glob or URL.", show_default=False
        ),
    ],
    topic: Annotated[str, typer.Argument(help="A topic of the bag.", show_default=False)],
) -> None:
    """Propose a distribution for a topic of a recording, as Python and as YAML for verify.yaml.

    Each number gets the distribution that is nearest to it, alone; what fields have to do with each
    other is lost. Use Empirical("BAG", "TOPIC") to draw whole recorded messages.

    **Examples**

    lockstep fit bags/husky_gps_imu_odom /imu/data
    """
    with Bag(path) as bag:
        distribution = proposed(bag, topic)
        missing = left_out(bag, topic)
        kind = bag.topics[topic].type
    python = [
        f'        "{field}": {python_of(rule)},' for field, rule in distribution.rules.items()
    ]
    python += ["    },", f"    at={python_of(distribution.at)},", ")"]
    words = sorted({name for line in python for name in re.findall(r"\b[A-Z]\w+(?=\()", line)})
    lines = [
        f"# Python, for {kind}",
        *(["from scipy import stats"] if any("stats." in line for line in python) else []),
        f"from lockstep.distributions import {', '.join(['Distribution', *words])}",
        "",
        "distribution = Distribution(",
        "    {",
        *python,
        "",
        "# YAML, for inputs.sample.dist",
    ]
    for field, data in data_of(distribution).items():
        flow = yaml.safe_dump(
            {field: data}, default_flow_style=True, width=1 << 20, allow_unicode=True
        )
        lines.append(flow.strip()[1:-1])
    for line in lines:
        print_line(console, line)
    for field in missing:
        print_line(stderr, f"note: no distribution is proposed for '{field}'; give one")
