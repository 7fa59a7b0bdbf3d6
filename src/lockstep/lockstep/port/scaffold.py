"""Scaffolds: the package of a port that is still to be written.

It builds, keeps the contract, and fails honestly.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from ..errors import PortError
from .shared_tests import shared_tests
from .subject import Subject, drawn, reference_of
from .targets import target_of


def scaffold(subject: Subject, language: str, folder: Path, *, force: bool = False) -> list[Path]:
    """Write the package of a port below `folder`, such as the src of a workspace; returns the
    files.

    Raises PortError for an unknown language, and for a package that exists already unless `force`
    is given; then the files of the scaffold are written over.
    """
    reference_of(subject)
    target = target_of(language)
    package = folder / subject.package(language)
    if package.exists() and not force:
        raise PortError(
            f"{package} exists already; choose another folder, or overwrite it with --force"
        )
    texts = {
        **target.package_files(subject),
        "verify.yaml": verification_text(subject, language, package),
        f"test/test_{subject.node}.py": shared_tests(subject),
    }
    files = []
    for name, text in texts.items():
        file = package / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        except OSError as error:
            raise PortError(f"cannot write {file}: {error.strerror}") from error
        files.append(file)
    return files


def verification_text(subject: Subject, language: str, package: Path) -> str:
    """The verify.yaml of a port: that of the reference, with the port as the other implementation.

    Without one the inputs are drawn from the distributions of the component.
    """
    executable = f"{subject.package(language)}/{subject.node}"
    if subject.file is None:
        data = drawn(reference_of(subject), subject.target)
        reference = data["reference"]
        implementations = data["implementations"]
    else:
        data = yaml.safe_load(subject.file.read_text("utf-8"))
        reference = data["reference"]
        implementations = {reference: data["implementations"][reference]}
        _move(data["inputs"], subject.file.parent, package)
    implementations[_free(language, implementations)] = {"executable": executable}
    ordered = {"implementations": implementations, "reference": reference}
    ordered |= {key: value for key, value in data.items() if key not in ordered}
    title = (
        f"# {subject.contract.component} in {target_of(language).title} against its reference.\n"
    )
    return title + yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True, width=120)


def _free(language: str, taken: dict[str, Any]) -> str:
    return f"{language}_port" if language in taken else language


def _move(inputs: Any, old: Path, new: Path) -> None:
    """Make the path of a bag relative to the new place of its verify.yaml; URLs stay.

    What has nothing but the root in common with it gets its absolute path.
    """
    for one in inputs if isinstance(inputs, list) else [inputs]:
        bag = one.get("bag")
        if isinstance(bag, str) and "://" not in bag:
            path = (old / bag).resolve()
            together = os.path.commonpath([path, new.resolve()])
            one["bag"] = str(path) if together == "/" else os.path.relpath(path, new.resolve())
