"""Example components; each has a C++ twin of the same name in lockstep_examples_cpp."""

from .image_threshold import ImageThreshold
from .imu_complementary_filter import ImuComplementaryFilter
from .pd_controller import PdController
from .scan_sectors import ScanSectors
from .vector_normalizer import VectorNormalizer

__all__ = [
    "ImageThreshold",
    "ImuComplementaryFilter",
    "PdController",
    "ScanSectors",
    "VectorNormalizer",
]
