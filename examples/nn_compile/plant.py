"""The simulated plant: a mobile base that a force and a torque move."""

from dataclasses import dataclass

STEP_S = 0.001


@dataclass
class Axis:
    """One degree of freedom: inertia and friction, behind a motor that follows its demand with a
    lag."""

    inertia: float
    """kg or kg m²"""
    friction: float
    """N per m/s or Nm per rad/s"""
    lag_s: float
    velocity: float = 0.0
    effort: float = 0.0

    def step(self, demand: float, push: float) -> None:
        """One step of the symplectic Euler method."""
        self.effort += (demand - self.effort) * STEP_S / self.lag_s
        self.velocity += (
            (self.effort + push - self.friction * self.velocity) * STEP_S / self.inertia
        )


class MobileBase:
    """Moves along x and turns about z."""

    def __init__(self) -> None:
        self.linear = Axis(inertia=5.0, friction=4.0, lag_s=0.2)
        self.angular = Axis(inertia=0.5, friction=0.5, lag_s=0.2)

    @property
    def velocity(self) -> tuple[float, float]:
        """m/s and rad/s."""
        return self.linear.velocity, self.angular.velocity

    def advance(
        self, seconds: float, wrench: tuple[float, float], push: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        """Let time pass under a demanded force and torque, while something pushes with another."""
        for _ in range(round(seconds / STEP_S)):
            self.linear.step(wrench[0], push[0])
            self.angular.step(wrench[1], push[1])
