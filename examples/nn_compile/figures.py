"""The figures of the workflow."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from consensus import FIELDS
from driving import Drive
from lockstep.report.style import (
    LINES,
    draw_line,
    finished,
    new_figure,
    set_legend,
    set_titles,
    tidy,
)

SHOWN_S = 1.5
Errors = Mapping[str, npt.NDArray[np.float64]]


def plot_errors(errors: Mapping[str, Errors], limits: Mapping[str, float], file: Path) -> None:
    """Histograms of the errors of each network, by field."""
    figure = new_figure(3.6)
    panels = figure.subplots(1, len(FIELDS), sharey=True)
    for axes, (field, unit) in zip(panels, FIELDS.items(), strict=True):
        largest = max(float(np.abs(found[field]).max()) for found in errors.values())
        edges = np.linspace(-largest, largest, 80)
        for (name, found), (colour, line) in zip(errors.items(), LINES, strict=False):
            counts, _ = np.histogram(found[field], edges)
            axes.stairs(counts, edges, label=name, color=colour, linestyle=line)
        axes.axvspan(-limits[field], limits[field], color="#D8D8D8", label="tolerance", zorder=0)
        axes.set_yscale("log")
        tidy(axes, "ticks", f"error of {field} [{unit}]")
    set_legend(panels[-1])
    worst = {name: np.abs(found["wrench.force.x"]).max() for name, found in errors.items()}
    told = ", ".join(f"{error:.1f} N with {name}" for name, error in worst.items())
    set_titles(figure, panels[0], f"Largest error of the force: {told}", "in the exam")
    finished(figure, file)


def plot_steps(drives: Mapping[str, Drive], speed: float, file: Path) -> None:
    """Closed loops after the same step, each controller over the others."""
    figure = new_figure(3.2)
    row = figure.subplots(1, 3)
    panels = (
        ("turn [rad/s]", lambda drive: drive.velocity[:, 1]),
        ("force [N]", lambda drive: drive.wrench[:, 0]),
        ("torque [Nm]", lambda drive: drive.wrench[:, 1]),
    )
    for axes, (label, values) in zip(row, panels, strict=True):
        for (name, drive), (colour, line) in zip(drives.items(), LINES, strict=False):
            begin = drive.seconds <= SHOWN_S
            look = {"color": colour, "linestyle": line, "label": name}
            draw_line(axes, drive.seconds[begin], values(drive)[begin], **look)
        tidy(axes, label, "time [s]")
    set_legend(row[-1])
    set_titles(
        figure,
        row[0],
        f"A step from standstill to {speed:g} m/s and {speed:g} rad/s, driven by each",
        "closed loop with the simulated base",
    )
    finished(figure, file)


def plot_disagreement(shares: Sequence[float], file: Path) -> None:
    """The share of ticks beyond tolerance, for the first network and after each round."""
    figure = new_figure(3.0)
    axes = figure.subplots()
    names = ["first", *(f"round {number}" for number in range(1, len(shares)))]
    bars = axes.bar(names, np.array(shares) * 100, color=LINES[0][0], width=0.5)
    axes.bar_label(bars, fmt="%.1f %%", padding=2)
    tidy(axes, "ticks beyond tolerance [%]")
    axes.margins(y=0.15)
    set_titles(
        figure,
        axes,
        f"Disagreement falls from {shares[0]:.1%} to {shares[-1]:.1%}",
        "in the exam: rough drives that are never learnt",
    )
    finished(figure, file)
