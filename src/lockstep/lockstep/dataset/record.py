"""One entry of a dataset: a value under a key, with its times."""

from __future__ import annotations

from typing import Any, NamedTuple

from .form import Encoded


class Record(NamedTuple):
    """A value with its log time and publish time in ns.

    Sources may hand out values that are still Encoded.
    """

    key: str
    stamp_ns: int
    publish_ns: int
    value: Any

    def decoded(self) -> Record:
        """The same with a value that is not Encoded."""
        if isinstance(self.value, Encoded):
            return self._replace(value=self.value.form.decode(self.value.data))
        return self
