"""Example components; each has a C++ twin of the same name in lockstep_examples_cpp."""

from typing import TYPE_CHECKING

from lockstep.on_demand import on_demand

if TYPE_CHECKING:
    from .image_threshold import ImageThreshold
    from .imu_complementary_filter import ImuComplementaryFilter
    from .pd_controller import PdController
    from .scan_sectors import ScanSectors
    from .vector_gate import VectorGate
    from .vector_normalizer import VectorNormalizer

__all__ = [
    "ImageThreshold",
    "ImuComplementaryFilter",
    "PdController",
    "ScanSectors",
    "VectorGate",
    "VectorNormalizer",
]

__getattr__ = on_demand(  # so that a host loads the one that it runs
    __name__,
    {
        "image_threshold": "ImageThreshold",
        "imu_complementary_filter": "ImuComplementaryFilter",
        "pd_controller": "PdController",
        "scan_sectors": "ScanSectors",
        "vector_gate": "VectorGate",
        "vector_normalizer": "VectorNormalizer",
    },
)
