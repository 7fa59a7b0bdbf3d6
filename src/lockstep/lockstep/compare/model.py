"""How to compare: a section of a verify.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..errors import CompareError
from ..strict_yaml import MAX_S, Number, StrictModel
from .align import Align
from .tolerance import Alignment, By, Pairing, Tolerance, Tolerances, checked


class ToleranceModel(StrictModel):
    """A Tolerance: |b - a| <= abs + rel * |a|, and the like."""

    abs: Number = Field(default=0.0, ge=0)
    rel: Number = Field(default=0.0, ge=0)
    ulp: int = Field(default=0, ge=0)
    angle: bool = False
    quaternion: Number | None = Field(default=None, ge=0, description="rad")
    distance: Number | None = Field(
        default=None, ge=0, description="from point to point, in their unit"
    )
    norm: Number | None = Field(default=None, ge=0, description="of a vector, in its unit")
    direction: Number | None = Field(default=None, ge=0, description="of a vector, rad")
    frobenius: Number | None = Field(default=None, ge=0, description="of a covariance, share")
    effect: Number | None = Field(
        default=None, ge=0, description="of distributions, in their standard deviations"
    )
    unordered: bool | tuple[str, ...] = Field(
        default=False, description="true, or the arrays whose elements move with its own"
    )
    keyed: bool | tuple[str, ...] | None = Field(
        default=None, description="true, false, or the arrays whose elements belong to its own"
    )
    pair: Pairing = Field(default="auto", description="which points of clouds belong together")
    reach: Number | None = Field(default=None, ge=0, description="of points to their partners")
    unpaired: Number = Field(default=0.0, ge=0, le=1, description="share of points")
    text: str | None = Field(default=None, description="regular expression")
    nan: bool = True
    by: By = "element"
    quantile: Number = Field(default=1.0, gt=0, le=1)
    at_least: Number | None = Field(default=None, description="PSNR in dB, or SSIM")
    data_range: Number | None = Field(default=None, gt=0, description="of pixels")
    at_most: Number | None = Field(default=None, ge=0, description="ATE or RPE in m")
    alignment: Alignment = Field(default="none", description="of trajectories")
    delta: int = Field(default=1, ge=1, description="poses that RPE looks ahead")

    @model_validator(mode="after")
    def _makes_sense(self) -> ToleranceModel:
        try:
            checked(Tolerance(**self.model_dump()))
        except CompareError as error:
            raise ValueError(str(error)) from error
        return self


class Compare(StrictModel):
    """How outputs are aligned and compared."""

    align: Align | dict[str, Align] | None = Field(
        default=None,
        description="one way for all outputs or by output; default: time in lockstep, else auto",
    )
    time_tolerance: Number | None = Field(
        default=None,
        ge=0,
        le=MAX_S,
        description="seconds; default: none in lockstep, else half the interval",
    )
    silent: list[str] = Field(default=[], description="outputs that need not carry a message")
    failures: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[],
        description="texts of exceptions that may end all runs in one step; direct runs only",
    )
    common_fields: bool = Field(
        default=False, description="compare what other definitions of a type have in common"
    )
    noise_margin: Number = Field(
        default=0.1,
        gt=0,
        le=1,
        description="the share by which noise may be larger than that of the reference",
    )
    tolerance: dict[str, ToleranceModel | Literal["exact", "ignore"]] = Field(default={})

    def align_of(self, output: str, *, in_lockstep: bool = True) -> Align:
        """How the messages of an output are aligned."""
        default: Align = "time" if in_lockstep else "auto"
        if isinstance(self.align, dict):
            return self.align.get(output, default)
        return self.align or default

    def any_align(self, align: Align) -> bool:
        """Whether the messages of any output are to be aligned so."""
        return align in (self.align.values() if isinstance(self.align, dict) else (self.align,))

    def tolerances(self, topics: Mapping[str, str] | None = None) -> Tolerances:
        """The rules in the comparison's own terms, those of one output for that by its name, or for
        its topic by that of `topics`."""
        rules = {}
        for pattern, rule in self.tolerance.items():
            output, colon, field = pattern.partition(":")
            if colon and topics:
                pattern = f"{topics.get(output, output)}:{field}"
            if isinstance(rule, str):
                rules[pattern] = Tolerance(ignore=rule == "ignore")
            else:
                rules[pattern] = Tolerance(**rule.model_dump())
        return Tolerances(rules)
