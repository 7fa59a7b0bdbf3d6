"""Interface packages from the definitions that a bag embeds,
so that its types can be built where they are missing.

Written are ament_cmake packages as rosidl_generate_interfaces takes them
(https://docs.ros.org/en/jazzy, "Creating custom msg and srv files"; package.xml of REP-149). Bags
come from anyone: of their text only names that are valid in ROS 2 get into file names, CMake or
XML, and all other text only into .msg and .idl files, if it holds no code.
"""

from __future__ import annotations

import graphlib
import keyword
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import BagError
from ..message.primitives import SIZES, STRINGS
from ..message.schema import Field, MessageType, qualified, schema
from ..temporary_folder import TemporaryFolder
from .reader import Bag
from .rosidl_check import check_with_rosidl
from .smuggled_code import smuggled_code
from .topic import Topic

# What rosidl and catkin_pkg accept; longer names make file names that no file system takes.
_PACKAGE = re.compile(r"(?!.*__)[a-z][a-z0-9_]{0,99}(?<!_)", re.ASCII)
_MESSAGE = re.compile(r"[A-Z][A-Za-z0-9]{0,99}", re.ASCII)
_FIELD = re.compile(r"(?!.*__)[a-z][a-z0-9_]*(?<!_)", re.ASCII)
_CONSTANT = re.compile(r"(?!.*__)[A-Z][A-Z0-9_]*(?<!_)", re.ASCII)
_HEADING = re.compile(r"^={20,}[ \t]*\r?\n\s*(?:MSG|IDL):([^\n]*)(?:\n|\Z)", re.MULTILINE)
# Types as ROS 1 and some bags name them, which are read here,
# but which no .msg file of ROS 2 may name so.
_FOREIGN = re.compile(
    r"^[ \t]*(time|duration|Header|\w+/msg/\w+)(?=[ \t[])", re.MULTILINE | re.ASCII
)
# A separator begins on a new line: before it comes a line break that is none of the text.
_LINE_BREAK = re.compile(r"(?:^|(?<=\n))\r?\n\Z")
# Where some programs see the end of a line and others do not, a definition has two readings.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]|\r(?!\n)")
_COMMENT = re.compile(r"""^([^"'#]*)#.*""")
_SUFFIXES = {"ros2msg": ".msg", "ros2idl": ".idl"}
_MAKERS = {"srv": "a service", "action": "an action"}
_CHOOSE = "choose other topics with --topic"

_CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project({name})

find_package(ament_cmake REQUIRED)
{finds}find_package(rosidl_default_generators REQUIRED)

rosidl_generate_interfaces(${{PROJECT_NAME}}
{interfaces}{dependencies})

ament_export_dependencies(rosidl_default_runtime)
ament_package()
"""
_XML = """\
<?xml version="1.0"?>
<?xml-model href="http://download.ros.org/schema/package_format3.xsd" schematypens="http://www.w3.org/2001/XMLSchema"?>
<package format="3">
  <name>{name}</name>
  <version>0.0.0</version>
  <description>Messages of {name}, as far as a recording holds their definitions.</description>
  <maintainer email="unknown@example.com">Unknown</maintainer>
  <license>Unknown: written from the definitions in a recording</license>

  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
{depends}  <exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>

  <export>
    <build_type>ament_cmake</build_type>
  </export>
</package>
"""


@dataclass(frozen=True)
class InterfacePackage:
    """One package: the files of its `types` ("pkg/msg/Name") and all `files` with their contents,
    by path in its folder.
    """

    name: str
    types: Mapping[str, str]
    depends: tuple[str, ...]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Interfaces:
    """The packages of a bag by name, and sentences on what they lack or hide."""

    packages: Mapping[str, InterfacePackage]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class _Text:
    """How one topic defines a type."""

    topic: str
    encoding: str
    text: str
    described: MessageType


def interface_packages(
    bag: Bag, topics: Collection[str] | None = None, *, installed_too: bool = False
) -> Interfaces:
    """The packages of all types that `topics` (default: all) of a bag use.

    Only packages of which a type is not installed, unless `installed_too`. Raises BagError, which
    names the topic, for a definition that is malformed, contradicts another one, or could not be
    built.
    """
    remarks: list[str] = []
    found: dict[str, list[_Text]] = {}
    for name in bag.topics if topics is None else dict.fromkeys(topics):
        topic = bag.topic(name)
        if topic.clash:
            raise BagError(topic.clash)
        if why := _not_a_message(topic):
            if installed_too or not _is_installed(topic.type):
                remarks.append(f"{name} is left out: {why}")
            continue
        for type_name, text in _texts(topic):
            found.setdefault(type_name, []).append(text)
    missing = {_package(name) for name in found if installed_too or not _is_installed(name)}
    texts = {
        name: _agreed(name, texts, exactly=_package(name) in missing)
        for name, texts in sorted(found.items())
    }
    packages = {
        package: _interface_package(
            package, {name: text for name, text in texts.items() if _package(name) == package}
        )
        for package in sorted(missing)
    }
    _check_order(packages)
    remarks += [
        f"{name} has a field '{word}', a word of Python: {_package(name)} serves C++, "
        "but Python cannot import it"
        for name, text in texts.items()
        if _package(name) in missing
        for word in filter(keyword.iskeyword, map(_as_written, text.described.fields))
    ]
    if not installed_too:
        remarks += [
            f"{name} is installed here, but without {_missing_type(package)}; once built, "
            "the package from the bag hides it with all its other types"
            for name, package in packages.items()
            if _is_on_path(f"{name}/package.xml")
        ]
    return Interfaces(packages, tuple(remarks))


def write_packages(
    packages: Mapping[str, InterfacePackage], folder: str | os.PathLike[str]
) -> tuple[str, ...]:
    """Write packages into a folder, each in one of its own;
    gives the names of those that were not there yet.

    All or nothing: raises BagError and leaves the folder as it was if a package is there with other
    contents.
    """
    folder = Path(folder)
    missing = [path for path in (folder, *folder.parents) if not os.path.exists(path)]
    placed: list[Path] = []
    try:
        new = [name for name, package in packages.items() if not _is_there(package, folder / name)]
        if not new:
            return ()
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFolder(".lockstep-types-", within=folder) as staging:
            for name in new:
                _write(packages[name], staging.path / name)
            for name in new:
                os.rename(staging.path / name, folder / name)
                placed.append(folder / name)
    except BaseException as error:
        for path in placed:
            shutil.rmtree(path, ignore_errors=True)
        for path in missing:
            with suppress(OSError):
                path.rmdir()
        if isinstance(error, OSError):
            raise BagError(f"cannot write to {folder}: {error.strerror or error}") from error
        raise
    return tuple(new)


def _not_a_message(topic: Topic) -> str:
    """Why no package can define the type of a topic; empty if one can."""
    if topic.encoding in _SUFFIXES:
        package, kind, name = _valid(topic.name, topic.type).split("/")
        if kind in _MAKERS:
            return (
                f"{topic.type} is a part of {_MAKERS[kind]}, which no message file defines; "
                f"install {package}, which has {kind}/{name.partition('_')[0]}.{kind}"
            )
        return ""
    if topic.encoding or topic.definition.strip():
        return (
            f"{topic.type or 'its type'} is described as '{topic.encoding}', not as a ROS 2 message"
        )
    return f"the bag embeds no definition of {topic.type or 'its type'}"


def _valid(topic: str, name: str) -> str:
    """The full name of a type.

    Raises BagError, which names the topic, if ROS 2 allows no such name.
    """
    with suppress(BagError):
        package, kind, message = qualified(name).split("/")
        # The types of services and actions have names like AddTwoInts_Request.
        parts = [message] if kind == "msg" else message.split("_")
        if _PACKAGE.fullmatch(package) and all(map(_MESSAGE.fullmatch, parts)):
            return f"{package}/{kind}/{message}"
    raise BagError(
        f"{topic} uses a type named {name[:200]!r}, which is no valid name in ROS 2; {_CHOOSE}"
    )


def _texts(topic: Topic) -> Iterator[tuple[str, _Text]]:
    """The text of each type that a topic uses, by the type's name."""
    root = _valid(topic.name, topic.type)
    if match := _CONTROL.search(topic.definition):
        raise BagError(
            f"the definition of {topic.type} on {topic.name} holds the control character "
            f"U+{ord(match[0]):04X}; {_CHOOSE}"
        )
    try:
        types = schema(root, topic.definition, topic.encoding)
    except BagError as error:
        raise BagError(f"{topic.name}: {error}; {_CHOOSE}") from error
    texts = list(_split(topic, root))
    defined = {name for name, _ in texts}
    for name in types.types:
        if name not in defined or _kind(name) != "msg":
            raise BagError(
                f"{topic.name}: the definition of {topic.type} has no part of its own for {name}; "
                f"{_CHOOSE}"
            )
    for name, text in texts:
        if name in types.types:
            yield name, _Text(topic.name, topic.encoding, text, types.types[name])


def _split(topic: Topic, root: str) -> Iterator[tuple[str, str]]:
    """The names of all types of a definition and their texts."""
    first, *rest = _HEADING.split(topic.definition)
    others = [
        (_valid(topic.name, name.strip()), text)
        for name, text in zip(rest[::2], rest[1::2], strict=True)
    ]
    pieces = [(root, first), *others]
    if topic.encoding == "ros2idl" and not first.strip():
        pieces = others  # each part has a heading, as the MCAP specification wants it
    *inner, last = pieces
    for name, text in inner:
        yield name, _LINE_BREAK.sub("", text)
    yield last


def _agreed(name: str, texts: Sequence[_Text], *, exactly: bool) -> _Text:
    """The one text of a type.

    Raises BagError if there are several, or if only the fields count, those differ.
    """
    chosen, *others = sorted(texts, key=lambda text: text.encoding != "ros2msg")
    for other in others:
        if exactly and other.encoding == chosen.encoding:
            same = _plain(other.text) == _plain(chosen.text)
        else:
            same = other.described == chosen.described
        if not same and other.topic == chosen.topic:
            raise BagError(f"{other.topic} defines {name} in two ways; {_CHOOSE}")
        if not same:
            first, second = sorted((chosen.topic, other.topic))
            raise BagError(
                f"{first} and {second} define {name} in two ways; "
                "choose topics that agree with --topic"
            )
    return chosen


def _plain(text: str) -> list[str]:
    """The lines of a text that say something, without white space and comments."""
    lines = (" ".join(_COMMENT.sub(r"\1", line).split()) for line in text.split("\n"))
    return [line for line in lines if line]


def _interface_package(package: str, texts: Mapping[str, _Text]) -> InterfacePackage:
    types, files, used = {}, {}, set()
    for name, text in texts.items():
        if code := smuggled_code(text.text, text.encoding):
            raise BagError(
                f"{text.topic} uses {name}, whose definition holds {code[:60]!r}, "
                f"with which it could bring code into what is built from it; {_CHOOSE}"
            )
        if text.encoding == "ros2msg":
            _check_names(text)
        try:
            check_with_rosidl(name, text.text, text.encoding)
        except ValueError as error:
            raise BagError(
                f"{text.topic} uses {name}, whose definition rosidl refuses ({error}); {_CHOOSE}"
            ) from error
        types[name] = f"msg/{name.rpartition('/')[2]}{_SUFFIXES[text.encoding]}"
        files[types[name]] = text.text.encode()
        used |= {
            _package(field.type)
            for field in text.described.fields
            if field.type not in SIZES and field.type not in STRINGS
        }
    depends = tuple(sorted(used - {package}))
    files["CMakeLists.txt"] = _CMAKE.format(
        name=package,
        finds="".join(f"find_package({name} REQUIRED)\n" for name in depends),
        interfaces="".join(f'  "{path}"\n' for path in types.values()),
        dependencies=f"  DEPENDENCIES {' '.join(depends)}\n" if depends else "",
    ).encode()
    files["package.xml"] = _XML.format(
        name=package, depends="".join(f"  <depend>{name}</depend>\n" for name in depends)
    ).encode()
    return InterfacePackage(package, types, depends, files)


def _check_names(text: _Text) -> None:
    """Raise BagError for names in a .msg file that rosidl refuses, as some of ROS 1 are."""
    described = text.described
    own = {field.type for field in described.fields}
    for foreign in _FOREIGN.findall(text.text):
        if f"{_package(described.name)}/msg/{foreign}" not in own:
            raise BagError(
                f"{text.topic} uses {described.name}, which has a field of the type '{foreign}'; "
                f"a .msg file of ROS 2 cannot name it so; {_CHOOSE}"
            )
    for field in described.fields:
        name = _as_written(field)
        if not _FIELD.fullmatch(name):
            raise BagError(
                f"{text.topic} uses {described.name}, "
                f"whose field '{name}' is no valid name in ROS 2; {_CHOOSE}"
            )
    for constant in described.constants:
        if not _CONSTANT.fullmatch(constant):
            raise BagError(
                f"{text.topic} uses {described.name}, whose constant '{constant}' is no valid "
                f"name in ROS 2; {_CHOOSE}"
            )


def _as_written(field: Field) -> str:
    """The name of a field as its definition has it.

    The parser adds an underscore to words of Python.
    """
    plain = field.name.removesuffix("_")
    return plain if keyword.iskeyword(plain) else field.name


def _check_order(packages: Mapping[str, InterfacePackage]) -> None:
    """Raise BagError if packages depend on each other, so that none can be built first."""
    try:
        graphlib.TopologicalSorter(
            {name: package.depends for name, package in packages.items()}
        ).prepare()
    except graphlib.CycleError as error:
        circle = " → ".join(error.args[1])
        raise BagError(
            f"the packages of the types use each other and cannot be built: {circle}; {_CHOOSE}"
        ) from error


def _package(type_name: str) -> str:
    return type_name.partition("/")[0]


def _kind(type_name: str) -> str:
    return type_name.split("/")[1]


def _missing_type(package: InterfacePackage) -> str:
    return next(name for name in package.types if not _is_installed(name))


def _is_installed(type_name: str) -> bool:
    """Whether a type, or the service or action it is a part of, is on AMENT_PREFIX_PATH."""
    try:
        package, kind, name = qualified(type_name).split("/")
    except BagError:
        return False
    if kind in _MAKERS:
        name = name.partition("_")[0]
    return any(_is_on_path(f"{package}/{kind}/{name}{suffix}") for suffix in (f".{kind}", ".idl"))


def _is_on_path(path: str) -> bool:
    prefixes = filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep))
    return any(Path(prefix, "share", path).is_file() for prefix in prefixes)


def _is_there(package: InterfacePackage, folder: Path) -> bool:
    """Whether a folder is just this package; raises BagError if it is anything else."""
    if not os.path.lexists(folder):
        return False
    there = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    if there != package.files.keys() or any(
        (folder / name).read_bytes() != content for name, content in package.files.items()
    ):
        raise BagError(
            f"{folder} exists already with other contents; choose another folder or delete it"
        )
    return True


def _write(package: InterfacePackage, folder: Path) -> None:
    for name, content in package.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
