from glob import glob

from setuptools import setup

package = "lockstep_launch"

setup(
    name=package,
    version="0.1.0",
    packages=[package],
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package}"]),
        (f"share/{package}", ["package.xml"]),
        (f"share/{package}/launch", glob("*.launch.py")),
        (f"share/{package}/gazebo", glob("gazebo/*")),
    ],
    install_requires=["setuptools"],
    extras_require={"test": ["pytest"]},
    zip_safe=True,
    maintainer="Lockstep developers",
    maintainer_email="lockstep-developers@example.com",
    description="Launch files that replay a bag, record and verify implementations.",
    license="Apache-2.0",
    entry_points={"console_scripts": ["system = lockstep_launch.system:main"]},
)
