"""Which domain a run takes."""

from __future__ import annotations

import pytest
from lockstep.run import domain
from lockstep.run.participants import ports_of


def test_a_domain_where_another_user_has_left_ports_is_the_last_to_be_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = range(1, 91)
    monkeypatch.setattr(domain, "closed_ports", lambda: [ports_of(d)[10] for d in others])
    with domain.isolated_domain() as environment:
        assert int(environment["ROS_DOMAIN_ID"]) not in others
    monkeypatch.setattr(domain, "closed_ports", lambda: [ports_of(d)[10] for d in range(1, 101)])
    with domain.isolated_domain() as environment:
        assert int(environment["ROS_DOMAIN_ID"]) in range(1, 101)
