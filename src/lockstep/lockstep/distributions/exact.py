"""exp, log, sin, cos and the normal distribution, the same bits on every machine.

numpy's own differ in the last bits between processors (AVX-512 or not) and versions of the C
library. These use only what IEEE 754 rounds exactly, one operation at a time. Sources: W. J. Cody
and W. Waite, "Software Manual for the Elementary Functions", 1980, and FreeBSD's msun for exp, log,
sin and cos; M. J. Wichura, algorithm AS 241, Applied Statistics 37(3), 1988, for the normal
quantile; G. West, "Better approximations to cumulative normal functions", Wilmott, May 2005, for
the normal distribution. Errors are below 1e-14, relative to the result.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..message.arrays import Floats

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_INV_LN2 = 1.44269504088896338700
_EXP = (
    4.13813679705723846039e-08,
    -1.65339022054652515390e-06,
    6.61375632143793436117e-05,
    -2.77777777770155933842e-03,
    1.66666666666666019037e-01,
)
_LOG = (
    1.479819860511658591e-01,
    1.531383769920937332e-01,
    1.818357216161805012e-01,
    2.222219843214978396e-01,
    2.857142874366239149e-01,
    3.999999999940941908e-01,
    6.666666666666735130e-01,
)
_SIN = (
    1.58969099521155010221e-10,
    -2.50507602534068634195e-08,
    2.75573137070700676789e-06,
    -1.98412698298579493134e-04,
    8.33333333332248946124e-03,
    -1.66666666666666324348e-01,
)
_COS = (
    -1.13596475577881948265e-11,
    2.08757232129817482790e-09,
    -2.75573143513906633035e-07,
    2.48015872894767294178e-05,
    -1.38888888888741095749e-03,
    4.16666666666666019037e-02,
)
_HALF_PI = 1.57079632679489655800


def exp(x: npt.ArrayLike) -> Floats:
    """e to the power of `x`."""
    x = np.clip(np.asarray(x, np.float64), -745.5, 710.0)
    k = np.rint(x * _INV_LN2)
    high, low = x - k * _LN2_HIGH, k * _LN2_LOW
    r = high - low
    t = r * r
    c = r - t * _polynomial(_EXP, t)
    found = 1.0 - ((low - r * c / (2.0 - c)) - high)
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(found, k.astype(np.int64))


def log(x: npt.ArrayLike) -> Floats:
    """The natural logarithm of positive numbers."""
    mantissa, exponent = np.frexp(np.asarray(x, np.float64))
    small = mantissa < 0.70710678118654752440
    f = np.where(small, mantissa * 2.0, mantissa) - 1.0
    k = (exponent - small).astype(np.float64)
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    r = z * _polynomial(_LOG, z)
    found: Floats = k * _LN2_HIGH - ((half - (s * (half + r) + k * _LN2_LOW)) - f)
    return found


def sin_turns(turns: npt.ArrayLike) -> Floats:
    """The sine of an angle in turns of 2π."""
    quarters = np.remainder(np.asarray(turns, np.float64), 1.0) * 4.0  # exact
    nearest = np.rint(quarters)
    x = (quarters - nearest) * _HALF_PI
    z = x * x
    sine = x + x * z * _polynomial(_SIN, z)
    cosine = 1.0 - (0.5 * z - z * z * _polynomial(_COS, z))
    quadrant = nearest.astype(np.int64) & 3
    found = np.where(quadrant & 1, cosine, sine)
    return np.where(quadrant & 2, -found, found)


def cos_turns(turns: npt.ArrayLike) -> Floats:
    """The cosine of an angle in turns of 2π."""
    return sin_turns(np.asarray(turns, np.float64) + 0.25)


def power(x: Floats, exponent: float) -> Floats:
    """Positive numbers to a power."""
    return exp(exponent * log(x))


_CENTRE = (
    (
        2509.0809287301226727,
        33430.575583588128105,
        67265.770927008700853,
        45921.953931549871457,
        13731.693765509461125,
        1971.5909503065514427,
        133.14166789178437745,
        3.387132872796366608,
    ),
    (
        5226.495278852854561,
        28729.085735721942674,
        39307.89580009271061,
        21213.794301586595867,
        5394.1960214247511077,
        687.1870074920579083,
        42.313330701600911252,
        1.0,
    ),
)
_MIDDLE = (
    (
        7.7454501427834140764e-4,
        0.0227238449892691845833,
        0.24178072517745061177,
        1.27045825245236838258,
        3.64784832476320460504,
        5.7694972214606914055,
        4.6303378461565452959,
        1.42343711074968357734,
    ),
    (
        1.05075007164441684324e-9,
        5.475938084995344946e-4,
        0.0151986665636164571966,
        0.14810397642748007459,
        0.68976733498510000455,
        1.6763848301838038494,
        2.05319162663775882187,
        1.0,
    ),
)
_FAR = (
    (
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        0.0012426609473880784386,
        0.026532189526576123093,
        0.29656057182850489123,
        1.7848265399172913358,
        5.4637849111641143699,
        6.6579046435011037772,
    ),
    (
        2.04426310338993978564e-15,
        1.4215117583164458887e-7,
        1.8463183175100546818e-5,
        7.868691311456132591e-4,
        0.0148753612908506148525,
        0.13692988092273580531,
        0.59983220655588793769,
        1.0,
    ),
)


def normal_quantile(p: Floats) -> Floats:
    """Where the standard normal distribution reaches the probability `p`, 0 < p < 1."""
    q = p - 0.5
    r = 0.180625 - q * q
    found = q * _polynomial(_CENTRE[0], r) / _polynomial(_CENTRE[1], r)
    tail = np.flatnonzero(np.abs(q) > 0.425)
    if len(tail):
        side = q[tail]
        r = np.sqrt(-log(np.where(side < 0, p[tail], 1.0 - p[tail])))
        near, far = r - 1.6, r - 5.0
        x = np.where(
            r <= 5.0,
            _polynomial(_MIDDLE[0], near) / _polynomial(_MIDDLE[1], near),
            _polynomial(_FAR[0], far) / _polynomial(_FAR[1], far),
        )
        found[tail] = np.where(side < 0, -x, x)
    return found


_ABOVE = (
    3.52624965998911e-02,
    0.700383064443688,
    6.37396220353165,
    33.912866078383,
    112.079291497871,
    221.213596169931,
    220.206867912376,
)
_BELOW = (
    8.83883476483184e-02,
    1.75566716318264,
    16.064177579207,
    86.7807322029461,
    296.564248779674,
    637.333633378831,
    793.826512519948,
    440.413735824752,
)
_FAR_FROM_MEAN = 7.07106781186547


def normal_probability(x: Floats) -> Floats:
    """The probability that a standard normal number is below `x`, kept in the open interval from 0
    to 1."""
    size = np.abs(x)
    density = exp(-0.5 * size * size)
    fraction = size + 0.65
    for count in (4.0, 3.0, 2.0, 1.0):
        fraction = size + count / fraction
    upper = np.where(
        size < _FAR_FROM_MEAN,
        density * _polynomial(_ABOVE, size) / _polynomial(_BELOW, size),
        density / (fraction * 2.506628274631),
    )
    return np.clip(np.where(x > 0, 1.0 - upper, upper), 2.0**-1000, 1.0 - 2.0**-53)


def _polynomial(coefficients: Sequence[float], x: Floats) -> Floats:
    """By Horner's rule, the highest power first."""
    found = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        found *= x
        found += coefficient
    return found
