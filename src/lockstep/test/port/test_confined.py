"""Nothing that a verify.yaml names leads out of an agent's workspace."""

import pytest
from lockstep.errors import PortError
from lockstep.port.confined import Workspace


@pytest.mark.parametrize("bag", ["link/*.mcap", "l*k/*", "**/*.mcap", "bag", "bag/*"])
def test_a_bag_behind_a_link_is_refused_however_it_is_named(tmp_path, bag):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.mcap").touch()
    folder = tmp_path / "workspace"
    (folder / "bag").mkdir(parents=True)
    (folder / "link").symlink_to(outside)
    (folder / "bag/linked.mcap").symlink_to(outside / "secret.mcap")
    (folder / "verify.yaml").write_text(
        'implementations: {a: {component: "a:A"}, b: {component: "b:B"}}\n'
        f'reference: a\ninputs: {{bag: "{bag}", topics: {{x: /x}}}}\n'
    )
    with pytest.raises(PortError, match="leads out of the workspace"):
        Workspace(folder).verification("verify.yaml")
