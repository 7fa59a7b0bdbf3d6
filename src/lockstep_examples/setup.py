from glob import glob

from setuptools import setup

package = "lockstep_examples"
nodes = [
    "vector_normalizer",
    "vector_normalizer_node",
    "imu_complementary_filter",
    "pd_controller",
    "scan_sectors",
    "image_threshold",
    "vector_gate",
]

setup(
    name=package,
    version="0.1.0",
    packages=[package],
    package_data={package: ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package}"]),
        (f"share/{package}", ["package.xml"]),
        (f"share/{package}/verify", glob("verify/*.yaml")),
    ],
    install_requires=["setuptools"],
    extras_require={"test": ["pytest"]},  # tells colcon test to run pytest
    zip_safe=True,
    maintainer="Lockstep developers",
    maintainer_email="lockstep-developers@example.com",
    description="Python components with their verify.yaml files and unit tests.",
    license="Apache-2.0",
    entry_points={"console_scripts": [f"{node} = {package}.{node}:main" for node in nodes]},
)
