"""How far two trajectories are apart as a whole: ATE and RPE, as evo (Grupp 2017) defines them.

With poses P_i of A and Q_i of B that belong together, of which Q has been aligned:

- ATE (absolute trajectory error, evo's APE of the translation part) is the root of the mean square
  of ‖trans(Q_i) - trans(P_i)‖ over all i.
- RPE (relative pose error, of the translation part) is the root of the mean square of
  ‖trans((P_i⁻¹ P_i+Δ)⁻¹ (Q_i⁻¹ Q_i+Δ))‖ over i = 0, Δ, 2Δ, …

Both are those of Sturm, Engelhard, Endres, Burgard and Cremers, "A benchmark for the evaluation of
RGB-D SLAM systems" (IROS 2012). The alignment is that of Umeyama, "Least-squares estimation of
transformation parameters between two point patterns" (PAMI 13, 1991): a rigid motion (SE3), or a
motion and a scale (Sim3), of B onto A.
"""

from __future__ import annotations

import math

import numpy as np

from ..errors import CompareError
from ..message.arrays import Floats
from .tolerance import Tolerance


def trajectory_error(a: Floats, b: Floats, tolerance: Tolerance) -> float:
    """The ATE or RPE of poses (n, 7), or of positions (n, 3), as `tolerance.by` says; 0 of none.

    Poses are x, y, z and the quaternion x, y, z, w. It is inf where a number is not finite. Raises
    CompareError where no alignment is told apart from another, and where poses are too few for RPE.
    """
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        return 0.0 if same.all() else math.inf
    if np.array_equal(a, b):
        return 0.0
    return _root_mean_square(errors_of(a, aligned(a, b, tolerance), tolerance))


def errors_of(a: Floats, b: Floats, tolerance: Tolerance) -> Floats:
    """The errors of aligned trajectories whose root mean square is the ATE or the RPE, (k,)."""
    if tolerance.by == "ate":
        found: Floats = np.linalg.norm(b[:, :3] - a[:, :3], axis=1)
        return found
    starts = np.arange(0, len(a) - tolerance.delta, tolerance.delta)
    if not len(starts):
        raise CompareError(
            f"RPE is of poses {tolerance.delta} apart, and there are {len(a)}; use by: ate"
        )
    ends = starts + tolerance.delta
    # In the frame of the pose that it starts from; the rotation of the end does not matter for
    # the length of what remains of the translation once that of A is taken back.
    moved = [_turned_back(side[starts, 3:], side[ends, :3] - side[starts, :3]) for side in (a, b)]
    apart: Floats = np.linalg.norm(moved[1] - moved[0], axis=1)
    return apart


def aligned(a: Floats, b: Floats, tolerance: Tolerance) -> Floats:
    """B (n, 3 or 7) moved onto A as `tolerance.alignment` says."""
    if tolerance.alignment == "none" or not len(a):
        return b
    rotation, offset, scale = _umeyama(b[:, :3], a[:, :3], tolerance.alignment == "sim3")
    moved = b.copy()
    moved[:, :3] = scale * b[:, :3] @ rotation.T + offset
    if b.shape[1] == 7:
        moved[:, 3:] = _product(_quaternion(rotation), b[:, 3:])
    return moved


def _umeyama(x: Floats, y: Floats, with_scale: bool) -> tuple[Floats, Floats, float]:
    """The rotation (3, 3), offset (3,) and scale that bring x (n, 3) nearest to y."""
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    covariance = (y - mean_y).T @ (x - mean_x) / len(x)
    u, d, v = np.linalg.svd(covariance)
    if np.count_nonzero(d > np.finfo(np.float64).eps * max(1.0, d[0])) < 2:
        raise CompareError(
            "the positions lie on a line, onto which there is more than one way to align another; "
            "use alignment: none"
        )
    signs = np.ones(3)
    if np.linalg.det(u) * np.linalg.det(v) < 0:
        signs[-1] = -1.0
    rotation = u * signs @ v
    variance = float(np.square(x - mean_x).sum() / len(x))
    scale = float(d @ signs) / variance if with_scale else 1.0
    return rotation, mean_y - scale * rotation @ mean_x, scale


def _root_mean_square(errors: Floats) -> float:
    return float(np.sqrt(np.square(errors).mean())) if len(errors) else 0.0


def _turned_back(quaternions: Floats, vectors: Floats) -> Floats:
    """Vectors (k, 3) in the frames that quaternions (k, 4) turn."""
    with np.errstate(invalid="ignore"):
        unit = quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)
    axis, w = -unit[:, :3], unit[:, 3:]
    twice = 2 * np.cross(axis, vectors)
    turned: Floats = vectors + w * twice + np.cross(axis, twice)
    return turned


def _quaternion(rotation: Floats) -> Floats:
    """The unit quaternion (1, 4) of a rotation matrix."""
    from scipy.spatial.transform import Rotation

    found: Floats = Rotation.from_matrix(rotation).as_quat()[None]
    return found


def _product(one: Floats, others: Floats) -> Floats:
    """The quaternion product of one (1, 4) with others (n, 4)."""
    p, q = one[:, :3], others[:, :3]
    w, v = one[:, 3:], others[:, 3:]
    vector = w * q + v * p + np.cross(p, q)
    return np.hstack([vector, w * v - (p * q).sum(axis=1, keepdims=True)])
