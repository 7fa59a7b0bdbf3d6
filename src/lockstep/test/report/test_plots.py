"""Plots say what is in the data: titles, labels, lines, marks. Real data are
from the sample bags.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lockstep.bag import Bag
from lockstep.compare import Tolerance
from lockstep.dataset import Dataset
from lockstep.message.images import pixels
from lockstep.message.units import unit_of
from lockstep.report import (
    ReportError,
    plot_comparison,
    plot_heatmap,
    plot_histogram,
    plot_pixels,
    plot_timeseries,
)
from lockstep.report.downsample import extremes, min_max
from lockstep.report.style import plain

pytestmark = pytest.mark.skipif(not find_spec("matplotlib"), reason="matplotlib is not installed")
T0 = 1_700_000_000_000_000_000
NAMES = ("python", "cpp")
Z = "angular_velocity.z"
HAND = "/spot/camera/hand_color/image"


@pytest.fixture(scope="module")
def husky(bags: Path) -> Dataset:
    return Dataset.load(bags / "husky_gps_imu_odom")


@pytest.fixture(scope="module")
def imu(husky: Dataset) -> Any:
    return husky["/imu/data"]


@pytest.fixture(scope="module")
def scan(bags: Path) -> Any:
    return Dataset.load(bags / "office_scan_odom_tf")["/scan"]


@pytest.fixture(scope="module")
def photo(bags: Path) -> Any:
    return np.array(pixels(Dataset.load(bags / "spot_raw_stills")[HAND][0]))


@pytest.fixture(autouse=True)
def no_warnings() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("error", RuntimeWarning)
        yield


def drawn(figure: Any) -> Any:
    """The figure, which can be drawn."""
    figure.canvas.draw()
    return figure


def finding(figure: Any) -> str:
    return str(figure.texts[0].get_text()).replace("\n", " ")


def line_of(axes: Any, label: str) -> Any:
    return next(line for line in axes.lines if line.get_label() == label)


def legend_of(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_comparison_states_how_many_differ_the_first_and_the_worst(imu: Any) -> None:
    a = imu.column("linear_acceleration.x")[:1801]
    b = a.copy()
    b[[7, 900, 1411]] += [1e-9, -2e-9, 1.5e-7]
    figure = drawn(plot_comparison(a, b, imu.times()[:1801], names=NAMES, unit="m/s²"))
    seconds = (imu.times()[7] - imu.times()[0]) / 1e9
    assert finding(figure) == (
        f"3 of 1801 differ, first at tick 7 ({seconds:.3f} s), largest error 1.5e-07 "
        "m/s² at tick 1411"
    )
    top, bottom = figure.axes
    assert legend_of(top) == list(NAMES)
    assert top.get_ylabel() == "value [m/s²]"
    assert bottom.get_ylabel() == "error [m/s²]"
    assert bottom.get_xlabel() == "time since the first [s]"
    np.testing.assert_array_equal(line_of(top, "python").get_ydata(), a)
    np.testing.assert_array_equal(line_of(top, "cpp").get_ydata(), b)
    assert line_of(top, "python").get_linestyle() != line_of(top, "cpp").get_linestyle()
    assert [text.get_text() for text in bottom.texts] == ["first: tick 7"]
    for axes in (top, bottom):
        assert any(list(line.get_xdata()) == [seconds, seconds] for line in axes.lines)
    assert line_of(bottom, "largest error").get_ydata()[0] == pytest.approx(1.5e-7)


def test_a_field_of_a_series_brings_its_name_unit_and_time(imu: Any) -> None:
    figure = drawn(plot_comparison(imu, imu, path=Z))
    top, bottom = figure.axes
    assert top.get_title(loc="left") == "angular_velocity.z of /imu/data"
    assert top.get_ylabel() == "angular_velocity.z [rad/s]"
    assert finding(figure) == "all 11865 are equal"
    assert bottom.get_xlim()[1] == pytest.approx(imu.duration_s, rel=0.02)
    assert not bottom.texts


def test_rounding_to_float32_is_within_a_relative_tolerance(imu: Any) -> None:
    a = imu.column("orientation.w")
    b = a.astype(np.float32).astype(np.float64)
    differing = int((a != b).sum())
    assert differing
    assert finding(plot_comparison(a, b)).startswith(f"{differing} of 11865 differ, first at tick ")
    within = drawn(plot_comparison(a, b, tolerance=Tolerance(rel=2e-7)))
    assert finding(within).startswith("all 11865 are within tolerance, at most ")
    assert legend_of(within.axes[1]) == ["largest difference", "tolerance: rel 2e-07"]


def test_the_band_is_the_tolerance_and_what_is_beyond_it_is_counted() -> None:
    a = np.zeros(4)
    figure = drawn(plot_comparison(a, [0.0, 0.1, -0.3, 0.2], tolerance=0.2))
    assert finding(figure).startswith(
        "1 of 4 are beyond tolerance, first at tick 2, largest error 0.3"
    )
    band = figure.axes[1].collections[0].get_datalim(figure.axes[1].transData)
    assert (band.y0, band.y1) == pytest.approx((-0.2, 0.2))


def test_a_tolerance_far_above_the_error_does_not_flatten_it() -> None:
    figure = drawn(plot_comparison(np.zeros(3), [0, 1e-6, 0], tolerance=1.0))
    assert figure.axes[1].get_ylim()[1] < 1e-5
    assert "tolerance ±1, beyond the axis" in legend_of(figure.axes[1])


def test_series_of_unequal_length_are_aligned_by_time(imu: Any) -> None:
    figure = drawn(
        plot_comparison(imu[:500], imu[[*range(200), *range(201, 500)]], path=Z, names=NAMES)
    )
    assert finding(figure) == "all 499 are equal; 1 only in python"


def test_unequal_lengths_without_times_are_refused() -> None:
    with pytest.raises(ReportError, match="a has 3 values and b 2, without times"):
        plot_comparison([1, 2, 3], [1, 2])


def test_of_arrays_the_worst_element_is_shown(scan: Any) -> None:
    a = scan.column("ranges")
    b = a.copy()
    b[30:40, 357] += 0.5
    figure = drawn(plot_comparison(a, b, scan.times(), names=NAMES))
    assert finding(figure).startswith(
        "10 of 1159 differ (10 of 725534 elements), first at tick 30 ("
    )
    assert " in [357]" in finding(figure)
    np.testing.assert_array_equal(line_of(figure.axes[0], "cpp").get_ydata()[:20], b[:20, 357])


def test_nan_and_inf_are_gaps_that_the_title_counts() -> None:
    a = np.array([0.0, np.nan, 1.0, np.inf, 2.0])
    b = np.array([0.0, np.nan, np.nan, np.inf, 2.0])
    figure = drawn(plot_comparison(a, b, names=NAMES))
    assert finding(figure) == (
        "1 of 5 differ, first at tick 2; 1 NaN, 1 inf in python; 2 NaN, 1 inf in cpp"
    )
    assert np.isnan(line_of(figure.axes[0], "python").get_ydata()[[1, 3]]).all()
    assert line_of(figure.axes[1], "NaN or inf on one side").get_xdata().tolist() == [2]
    lines = drawn(plot_timeseries(a)).axes[0].lines
    assert np.isnan(lines[0].get_ydata()).tolist() == [False, True, False, True, False]


def test_integers_of_64_bits_differ_by_one() -> None:
    figure = plot_comparison(np.array([T0, T0]), np.array([T0, T0 + 1]))
    assert finding(figure) == "1 of 2 differ, first at tick 1, largest error 1 at tick 1"


def test_a_histogram_shares_bins_and_shows_the_difference(imu: Any) -> None:
    a = imu.column(Z)
    b = a + 0.01
    figure = drawn(plot_histogram(a, b, names=NAMES, unit="rad/s"))
    top, bottom = figure.axes
    of_a, of_b = (patch.get_data() for patch in top.patches if patch.get_label() in NAMES)
    np.testing.assert_array_equal(of_a.edges, of_b.edges)
    assert of_a.values.sum() == of_b.values.sum() == len(a)
    np.testing.assert_array_equal(bottom.patches[0].get_data().values, of_b.values - of_a.values)
    assert finding(figure).startswith("11865 values each, ")
    assert bottom.get_xlabel() == "value [rad/s]"
    assert legend_of(top) == list(NAMES)


def test_a_histogram_of_one_side_and_of_arrays_of_unequal_length() -> None:
    messages = [{"ranges": [1.0, 2.0]}, {"ranges": [3.0]}, {"ranges": []}]
    figure = drawn(plot_histogram(messages, path="ranges"))
    assert finding(figure) == "3 values from 1 to 3 m, mean 2 m"
    assert figure.axes[0].get_xlabel() == "ranges [m]"


def test_few_whole_numbers_get_a_bin_each() -> None:
    figure = plot_histogram([1, 2, 2, 5], [True, False])
    edges = figure.axes[0].patches[0].get_data().edges
    assert edges.tolist() == [-0.5, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5]


def test_several_fields_are_told_apart_and_units_get_their_own_axes(imu: Any) -> None:
    figure = drawn(plot_timeseries(imu, [Z, "angular_velocity.x", "linear_acceleration.x"]))
    rates, accelerations = figure.axes
    assert rates.get_ylabel() == "value [rad/s]"
    assert accelerations.get_ylabel() == "value [m/s²]"
    assert legend_of(rates) == [Z, "angular_velocity.x"]
    assert len({line.get_linestyle() for line in rates.lines}) == 2
    assert finding(figure) == "11865 values in 395.3 s"
    z = imu.column(Z)
    assert line_of(rates, Z).get_ydata().max() == z.max()
    assert line_of(rates, Z).get_ydata().min() == z.min()


def test_series_by_name_share_the_time_of_the_first() -> None:
    late = Dataset.create()
    early = Dataset.create()
    for second in range(3):
        late.append("x", float(second), T0 + (second + 5) * 1_000_000_000)
        early.append("x", float(second), T0 + second * 1_000_000_000)
    axes = drawn(plot_timeseries({"python": early, "cpp": late})).axes[0]
    assert line_of(axes, "python").get_xdata().tolist() == [0, 1, 2]
    assert line_of(axes, "cpp").get_xdata().tolist() == [5, 6, 7]


def test_wide_arrays_are_shown_by_median_and_range(scan: Any) -> None:
    figure = drawn(plot_timeseries(scan, "ranges"))
    assert finding(figure).startswith("1159 × 626 values in 115.8 s, from ")
    assert "inf" in finding(figure)
    assert legend_of(figure.axes[0]) == ["range of 626 elements", "median of ranges"]
    assert len(drawn(plot_timeseries(np.zeros((5, 3)))).axes[0].lines) == 3


@dataclass
class Stamp:
    sec: int
    nanosec: int


@dataclass
class Header:
    stamp: Stamp


@dataclass
class Reading:
    header: Header
    temperature: float


def test_messages_bring_their_header_stamps_and_dicts_their_ticks() -> None:
    messages = [Reading(Header(Stamp(5 + i, 500)), 20.0 + i) for i in range(3)]
    axes = drawn(plot_timeseries(messages, "temperature")).axes[0]
    assert axes.lines[0].get_xdata().tolist() == [0, 1, 2]
    assert axes.get_ylabel() == "temperature [°C]"
    axes = drawn(plot_timeseries([{"a": {"b": 1}}, {"a": {"b": 2}}], "a.b")).axes[0]
    assert axes.get_xlabel() == "tick"
    assert axes.lines[0].get_ydata().tolist() == [1, 2]


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (np.array([T0, T0 + 500_000_000]), [0, 0.5]),
        ([10.0, 12.5], [0, 2.5]),
        (np.array(["2024-01-01T00:00:00", "2024-01-01T00:00:01"], "datetime64[ms]"), [0, 1]),
    ],
)
def test_times_are_seconds_since_the_first(time: Any, seconds: list[float]) -> None:
    assert plot_timeseries([1, 2], time=time).axes[0].lines[0].get_xdata().tolist() == seconds


def test_a_heatmap_shows_array_index_over_time(scan: Any) -> None:
    a = scan.column("ranges")
    b = a.copy()
    b[300:310, 200:204] += 0.25
    b[800, 100] = np.nan
    figure = drawn(plot_heatmap(b, against=a, time=scan.times(), unit="m"))
    assert finding(figure).startswith(
        "11 of 1159 ticks differ (41 of 725534 elements), first at tick 300 ("
    )
    assert finding(figure).endswith("; 1 NaN or inf")
    axes, scale = figure.axes[0], figure.axes[0].child_axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time since the first [s]", "index")
    assert scale.get_ylabel() == "|error| [m]"
    assert legend_of(axes) == ["NaN or inf"]
    cells = np.ma.filled(axes.collections[0].get_array(), np.nan)
    assert np.nanmax(cells) > 0.25  # beyond the scale: NaN
    assert np.isfinite(cells).sum() < 41


def test_a_heatmap_shows_fields_over_time(imu: Any) -> None:
    paths = ["angular_velocity.x", "linear_acceleration.x"]
    errors = {
        path: np.where(np.arange(11865) == 40, 0.5, 0.0) * (path == paths[1]) for path in paths
    }
    figure = drawn(plot_heatmap(errors, time=imu.times()))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == paths
    assert "1 of 11865 ticks differ (1 of 23730 fields), first at tick 40" in finding(figure)
    assert "in linear_acceleration.x" in finding(figure)
    same = drawn(plot_heatmap(imu, paths, against=imu))
    assert finding(same) == "all 11865 ticks are equal"


def test_a_pause_stays_blank_in_a_heatmap() -> None:
    figure = drawn(plot_heatmap(np.ones((4, 2)), time=[0.0, 1.0, 2.0, 50.0]))
    edges = figure.axes[0].collections[0].get_coordinates()[0, :, 0]
    assert edges.tolist() == [0, 1, 2, 3, 50, 51]


@pytest.mark.parametrize("count", [6, 3000])
@pytest.mark.parametrize("each", [3, 10_000])
def test_a_heatmap_draws_all_messages_of_equal_stamps(count: int, each: int) -> None:
    errors = np.zeros((count, 2))
    errors[1, 0], errors[-2, 1] = 5.0, 7.0
    times = np.arange(count) // each * 0.01
    figure = drawn(plot_heatmap(errors, time=times))
    (cells,) = figure.figure.axes[0].collections
    shown, corners = cells.get_array(), cells.get_coordinates()
    widths = np.diff(corners[0, :, 0])
    assert np.all(widths > 0)
    assert [np.nanmax(row) for row in shown.filled(0)] == [5.0, 7.0]


def test_a_heatmap_shows_regions_of_images(photo: Any) -> None:
    other = photo.copy()
    other[100, 200] ^= 255
    figure = drawn(plot_heatmap(other, against=photo, by="region"))
    assert finding(figure).startswith("1 of 307200 pixels differ")
    cells = np.ma.filled(figure.axes[0].collections[0].get_array(), np.nan)
    assert np.isfinite(cells).sum() == 1
    many = drawn(plot_heatmap([photo, other], against=[photo, photo], by="region"))
    assert "; any of 2 images" in finding(many)


def test_wrong_pixels_are_counted_and_marked(photo: Any) -> None:
    other = photo.copy()
    other[100, 200, 0] ^= 255
    other[400, 600] += 3
    figure = drawn(plot_pixels(photo, other, names=NAMES))
    assert finding(figure).startswith(
        "2 of 307200 pixels differ (0.00065 %), first at row 100 column 200"
    )
    of_a, of_b, difference = figure.axes[:3]
    assert [axes.get_title(loc="left") for axes in (of_a, of_b)] == list(NAMES)
    marks = np.column_stack(difference.lines[0].get_data())
    assert marks.tolist() == [[200.5, 100.5], [600.5, 400.5]]
    np.testing.assert_allclose(of_b.images[0].get_array(), other / 255, atol=1e-6)


def test_a_single_wrong_pixel_of_a_large_image_is_seen() -> None:
    a = np.zeros((1500, 2000), np.uint8)
    b = a.copy()
    b[1499, 1999] = 1
    cells = np.ma.filled(drawn(plot_pixels(a, b)).axes[2].collections[0].get_array(), np.nan)
    assert cells.size < 500 * 500
    assert np.isfinite(cells).sum() == 1


def test_images_of_every_kind_are_shown(bags: Path) -> None:
    stills = Dataset.load(bags / "spot_raw_stills")
    for key in stills:
        image = stills[key][0]
        assert "pixels are equal" in finding(drawn(plot_pixels(image, image)))
    blue = {"height": 1, "width": 1, "encoding": "bgr8", "is_bigendian": 0, "step": 3}
    blue["data"] = np.array([255, 0, 0], np.uint8)  # type: ignore[assignment]
    assert plot_pixels(blue, blue).axes[0].images[0].get_array().tolist() == [[[0, 0, 1]]]
    depth = np.array([[1.0, np.nan], [np.inf, 2.0]])
    figure = drawn(plot_pixels(depth, np.ones((2, 2))))
    assert finding(figure).endswith("; 1 NaN, 1 inf in a")


def test_images_of_different_size_are_refused() -> None:
    with pytest.raises(ReportError, match="image a is 2 × 3 and b is 3 × 2"):
        plot_pixels(np.zeros((2, 3)), np.zeros((3, 2)))


@pytest.mark.parametrize("data", [[], [1.5], [2.0] * 9, [7, 7], [np.nan], np.empty((0, 3)),
                                  np.ones((2, 2)), np.ones((3, 2, 2)), np.empty((3, 0)),
                                  [1e308, -1e308], [1.0, np.nextafter(1.0, 2)], [True, False],
                                  np.array([1, 2**64 - 1], np.uint64), 5.0])  # fmt: skip
def test_nothing_crashes(data: Any) -> None:
    drawn(plot_timeseries(data))
    drawn(plot_comparison(data, data, tolerance=0.1))
    drawn(plot_histogram(data, data))
    drawn(plot_heatmap(data))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 1), (1, 1, 3), (2, 1, 1), (5, 900)])
def test_no_image_crashes(shape: tuple[int, ...]) -> None:
    drawn(plot_pixels(np.zeros(shape), np.ones(shape)))
    drawn(plot_heatmap(np.ones(shape), by="region"))


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_pictures_are_written_and_the_same_each_time(suffix: str, tmp_path: Path, imu: Any) -> None:
    first, second = (tmp_path / f"{n}.{suffix}" for n in "ab")
    for file in (first, second):
        plot_timeseries(imu[:100], Z, file=file)
    assert first.stat().st_size > 5000
    assert first.read_bytes() == second.read_bytes()


def test_every_plot_can_be_saved(tmp_path: Path, photo: Any) -> None:
    plot_histogram([1.0, 2.0], [1.0, 3.0], file=tmp_path / "histogram.png")
    plot_heatmap(np.eye(3), file=tmp_path / "heatmap.svg")
    plot_comparison([1.0, 2.0], [1.0, 3.0], file=tmp_path / "comparison.svg")
    plot_pixels(photo, photo, file=tmp_path / "pixels.png")
    assert all(path.stat().st_size > 2000 for path in tmp_path.iterdir())
    assert (tmp_path / "histogram.png").read_bytes()[:4] == b"\x89PNG"


def test_names_are_no_formulas_and_are_shortened() -> None:
    axes = drawn(
        plot_comparison([1.0], [2.0], title="/$a_b$/\\frac{", names=("_x", "y" * 90))
    ).axes[0]
    assert axes.get_title(loc="left") == r"/\$a_b\$/\frac{"
    assert legend_of(axes)[0] == " _x"
    assert len(legend_of(axes)[1]) == 30
    assert plain("a\x00b\ud800\n") == "a?b??"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda imu: plot_timeseries(imu, "angular_velocity.w"), "'angular_velocity.w' is not in"),
        (
            lambda imu: plot_comparison(imu, imu, path="header.frame_id"),
            "of /imu/data are no numbers",
        ),
        (lambda imu: plot_timeseries(imu), "choose|name a field|no numbers"),
        (lambda imu: plot_timeseries([{"a": 1}], "b"), "value 0 of what is given has no field 'b'"),
        (lambda imu: plot_timeseries(np.ones(3), "x"), "has no field 'x'; leave the path out"),
        (lambda imu: plot_timeseries([[1.0], [1.0, 2.0]]), "arrays of unequal length; choose one"),
        (lambda imu: plot_timeseries([1, 2], time=[1]), "1 times for 2 values"),
        (lambda imu: plot_timeseries([1, 2], time="log"), "names a time of a Series"),
        (lambda imu: plot_timeseries(imu, Z, time="now"), "'now' is no time"),
        (lambda imu: plot_timeseries({}), "nothing to show"),
        (lambda imu: plot_timeseries([1], file="a.txt"), "a.txt is no picture"),
        (
            lambda imu: plot_timeseries([1], file="/no/such/a.png"),
            "/no/such/a.png cannot be written",
        ),
        (lambda imu: plot_comparison([1], [1], tolerance=-1), "tolerance of -1 makes no sense"),
        (lambda imu: plot_comparison([[1, 2]], [[1, 2, 3]]), "these have no difference"),
        (lambda imu: plot_histogram([1], bins=0), "0 bins hold nothing"),
        (lambda imu: plot_heatmap([1], by="space"), "use 'time' or 'region'"),  # type: ignore[arg-type]
        (lambda imu: plot_heatmap({"a": [1], "b": [1, 2]}), "need the same ticks; these have 1, 2"),
        (lambda imu: plot_pixels("text", "text"), "an image is an array"),
    ],
)
def test_mistakes_are_told_in_a_sentence(call: Any, sentence: str, imu: Any) -> None:
    with pytest.raises(ReportError, match=sentence) as raised:
        call(imu)
    assert "\n" not in str(raised.value)


def test_a_dataset_of_several_keys_needs_a_choice(husky: Dataset) -> None:
    with pytest.raises(ReportError, match="choose one key of the dataset"):
        plot_timeseries(husky, Z)


@pytest.mark.parametrize(
    ("path", "type_name", "unit"),
    [
        ("angular_velocity.z", "sensor_msgs/msg/Imu", "rad/s"),
        ("twist.twist.linear.x", "nav_msgs/msg/Odometry", "m/s"),
        ("linear.x", "geometry_msgs/msg/Accel", "m/s²"),
        ("accel.angular.x", "", "rad/s²"),
        ("pose.pose.position.y", "", "m"),
        ("transforms[].transform.translation.x", "", "m"),
        ("points[].x", "", "m"),
        ("ranges[3]", "", "m"),
        ("position[0]", "sensor_msgs/msg/JointState", ""),
        ("orientation.x", "", ""),
        ("x", "", ""),
        ("pose.covariance[0]", "", ""),
        ("", "", ""),
    ],
)
def test_units_of_fields(path: str, type_name: str, unit: str) -> None:
    assert unit_of(path, type_name) == unit


numbers = st.floats(allow_nan=True, allow_infinity=True, width=32)


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(numbers, max_size=300),
    columns=st.integers(1, 40),
    steps=st.lists(st.integers(-1, 1000), min_size=300, max_size=300),
)
def test_peaks_survive_downsampling(values: list[float], columns: int, steps: list[int]) -> None:
    given_time = T0 + np.cumsum(steps[: len(values)], dtype=np.int64)
    given_values = np.where(np.isfinite(values), values, np.nan)
    kept_time, kept = min_max(given_time, values, columns)
    assert len(kept_time) == len(kept) <= max(2 * columns, 0)
    finite, kept_finite = (x[np.isfinite(x)] for x in (given_values, kept))
    assert len(finite) == 0 or (kept_finite.min(), kept_finite.max()) == (
        finite.min(),
        finite.max(),
    )
    # What is kept came in, in this order.
    points = iter(zip(given_time.tolist(), given_values.tolist(), strict=True))
    for at, value in zip(kept_time.tolist(), kept.tolist(), strict=True):
        assert any(at == t and np.array_equal(value, v, equal_nan=True) for t, v in points)


@settings(deadline=None)
@given(st.lists(numbers, min_size=1, max_size=300), st.integers(1, 40))
def test_extremes_enclose_all_values(values: list[float], columns: int) -> None:
    array = np.array(values)
    starts, low, high = extremes(np.arange(len(array)), array, columns)
    assert len(starts) == len(low) == len(high) <= columns
    for start, end, least, most in zip(starts, [*starts[1:], len(array)], low, high, strict=True):
        finite = array[start:end][np.isfinite(array[start:end])]
        assert finite.size == 0 or (least, most) == (finite.min(), finite.max())


def test_a_peak_of_one_sample_in_ten_million_survives() -> None:
    values = np.zeros(10_000_000)
    values[1_234_567] = 1.0
    started = time.perf_counter()
    at, kept = min_max(np.arange(len(values)), values, 1500)
    assert (
        time.perf_counter() - started < 10
    )  # it takes about 0.1 s; the clock of a busy machine decides nothing
    assert at[kept == 1.0].tolist() == [1_234_567]
    assert len(kept) <= 3000


def test_matplotlib_is_not_imported_before_something_is_plotted() -> None:
    code = "import lockstep.report, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_plotting_leaves_pyplot_alone() -> None:
    code = (
        "import sys; from lockstep.report import plot_timeseries; plot_timeseries([1.0]);"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_backend_that_matplotlib_does_not_know_is_told_in_a_sentence() -> None:
    program = """
from lockstep.report import ReportError, plot_heatmap
try:
    plot_heatmap([[1.0]])
except ReportError as error:
    print(error)
"""
    environment = {**os.environ, "MPLBACKEND": "paper"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert "'paper' is not a valid value for backend" in done.stdout
    assert "mend MPLBACKEND" in done.stdout


def titles_of(figure: Any) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]


def panel(figure: Any, title: str) -> Any:
    return next(axes for axes in figure.axes if axes.get_title(loc="left").startswith(title))


class Mode(Enum):
    IDLE = 0
    DRIVING = 1


@dataclass
class State:
    speed: float
    mode: Mode
    name: str
    place: tuple[float, float]


def test_a_histogram_of_whole_messages_has_a_panel_for_each_field(scan: Any) -> None:
    figure = drawn(plot_histogram(scan[:20]))
    assert finding(figure) == "10 fields of /scan"
    titles = titles_of(figure)
    assert titles[:3] == ["header.frame_id", "angle_min", "angle_max"]
    beams = scan[0].ranges.shape[0]
    left_out = next(title for title in titles if title.startswith("ranges"))
    assert left_out.startswith(f"ranges ({20 * beams} elements)")


def test_dataclasses_show_enumerations_texts_and_small_arrays() -> None:
    states = [State(0.1 * i, Mode(i % 2), "ab"[i % 2], (1.0 * i, 2.0 * i)) for i in range(9)]
    figure = drawn(plot_histogram(states, states[:4], names=NAMES))
    mode = panel(figure, "mode")
    assert [label.get_text() for label in mode.get_yticklabels()] == ["IDLE", "DRIVING"]
    assert [bar.get_width() for bar in mode.patches] == [5, 4, 2, 2]
    assert [label.get_text() for label in panel(figure, "name").get_yticklabels()] == ["a", "b"]
    assert drawn(plot_histogram(states[0])).axes
    alone = panel(drawn(plot_histogram(states)), "place")
    assert legend_of(alone) == ["[0]", "[1]"]


def test_numbers_of_a_message_are_called_by_its_constants(husky: Dataset) -> None:
    status = panel(drawn(plot_histogram(husky["/fix"][:50])), "status.status")
    assert [label.get_text() for label in status.get_yticklabels()] == ["SBAS_FIX"]
    of_bag = panel(drawn(plot_histogram(husky.select(["/fix"]))), "status.status")
    assert [label.get_text() for label in of_bag.get_yticklabels()] == ["SBAS_FIX"]


def test_heavy_tails_are_on_a_logarithmic_axis() -> None:
    rng = np.random.default_rng(0)
    messages = [
        {"even": x, "tail": math.exp(4 * y), "both": y**9}
        for x, y in rng.normal(size=(2000, 2)).tolist()
    ]
    figure = drawn(plot_histogram(messages))
    scales = {name: panel(figure, name).get_xscale() for name in ("even", "tail", "both")}
    assert scales == {"even": "linear", "tail": "log", "both": "symlog"}
    for name in scales:
        (outline,) = panel(figure, name).patches
        assert outline.get_data().values.sum() == 2000


def test_a_bag_and_its_path_are_data_as_a_dataset_is(bags: Path, husky: Dataset) -> None:
    path = bags / "husky_gps_imu_odom"
    figure = drawn(plot_timeseries(path, f"/imu/data:{Z}"))
    drawn_largest = max(line.get_ydata().max() for line in figure.axes[0].lines)
    assert drawn_largest == husky["/imu/data"].column(Z).max()
    with Bag(path) as bag:
        figure = drawn(plot_comparison(bag, husky, path=f"/imu/data:{Z}"))
        assert figure.axes[0].get_title(loc="left") == f"{Z} of /imu/data"
        assert titles_of(drawn(plot_histogram(bag)))[1] == "/imu/data orientation.x"
