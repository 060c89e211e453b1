"""A node of a Ray cluster is killed while it makes shards; needs Ray and half a minute."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from building import CONFIG, contents

from datagen.build import build

pytest.importorskip("ray", reason="Ray is not installed (extra 'cluster')")
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("fake")]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of this machine, of two nodes with one processor each; this process is connected to the first."""
    import ray
    from ray.cluster_utils import Cluster

    here = Path(__file__).parent
    monkeypatch.setenv("PYTHONPATH", f"{here}:{here.parents[1]}")  # tasks import the fake family
    monkeypatch.setenv("FAKE_SECONDS", "0.02")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        ray.init(address=started.address, log_to_driver=False, logging_level="error")
        yield started
    finally:
        ray.shutdown()
        started.shutdown()


def test_a_killed_node_costs_nothing(tmp_path: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    node = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    target = tmp_path / "set"
    reports: list[Any] = []
    thread = threading.Thread(target=lambda: reports.append(build(CONFIG, target, 2, "ray")))
    thread.start()
    deadline = time.monotonic() + 120
    while len(list(target.glob("*.array_record"))) < 6:
        assert time.monotonic() < deadline and thread.is_alive(), "no shards appeared"
        time.sleep(0.02)
    cluster.remove_node(node, allow_graceful=False)
    thread.join(timeout=180)
    assert not thread.is_alive()
    assert reports and reports[0].made == {"pages": 400}
    monkeypatch.setenv("FAKE_SECONDS", "0")
    build(CONFIG, tmp_path / "local", 1)
    assert contents(target) == contents(tmp_path / "local")
