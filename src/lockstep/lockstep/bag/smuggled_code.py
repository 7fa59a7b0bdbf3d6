"""What in a definition would become code of its own where rosidl generates C,
C++ and Python from it.

rosidl trusts what it is given. It puts comments into C comments, which a comment can end; it
resolves escapes in comments and strings, twice; and it takes the default of a number, if IDL gives
it as a string, for an expression.
"""

from __future__ import annotations

import re

# Ends of comments, escapes that can spell them or a quotation mark,
# and a trigraph that is a backslash.
_IN_TEXT = re.compile(r"\*/|\?\?/|\\[xuUN0-7\\]")
_STRING = r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)'  # one that never ends goes to the end
_IDL_TOKEN = re.compile(rf"({_STRING})|/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)
_IDL_STRING = re.compile(_STRING, re.DOTALL)
_IDL_STRINGS = re.compile(rf"{_STRING}(?:\s*L?{_STRING})*", re.DOTALL)
_NUMBERED = re.compile(r'"(\d+)"')
_VERBATIM = re.compile(r"@\s*verbatim\s*\([^()]*\)")
_IN_VERBATIM = re.compile(r'\*/|\?\?/|\\[^"n]')
# No call, no quotation, no end of a statement: as an expression it does nothing.
_HARMLESS = re.compile(r"\(?[\w .,:+/%^°-]*\)?")


def smuggled_code(text: str, encoding: str) -> str:
    """What in a definition ("ros2msg" or "ros2idl") could bring code into what is built from it;
    "" if nothing.
    """
    if encoding == "ros2msg":
        match = _IN_TEXT.search(text)
        return match[0] if match else ""
    strings: list[str] = []

    def number(found: re.Match[str]) -> str:
        # Strings that follow each other are one to rosidl.
        strings.append("".join(one[1:-1] for one in _IDL_STRING.findall(found[0])))
        return f'"{len(strings) - 1}"'

    text = _IDL_STRINGS.sub(number, _IDL_TOKEN.sub(lambda token: token[1] or " ", text))
    comments = {int(index) for part in _VERBATIM.findall(text) for index in _NUMBERED.findall(part)}
    for index, string in enumerate(strings):
        if index in comments and (match := _IN_VERBATIM.search(string)):
            return match[0]
        if index not in comments and not _HARMLESS.fullmatch(string):
            return string
    # A quotation mark as a character would begin a string here that is none to rosidl.
    match = re.search(r"['\\]", text)
    return match[0] if match else ""
