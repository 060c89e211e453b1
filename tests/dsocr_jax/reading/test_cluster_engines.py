"""Batch reading by real workers with the small model: processes of this machine, and actors on a Ray cluster."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.reading.asking import ReadOptions
from dsocr_jax.reading.cluster import local_crew, shard
from dsocr_jax.reading.cluster.local_crew import environments, visible_gpus
from dsocr_jax.reading.cluster.ray_crew import count_actors
from dsocr_jax.reading.cluster.run import ClusterOptions, ClusterSummary, run
from dsocr_jax.reading.cluster.shard import Job, ShardReader
from dsocr_jax.reading.documents import DocumentOptions
from tests.dsocr_jax.reading import small
from tests.dsocr_jax.reading.cluster_parts import lines, write_inputs, write_model

ROOT = Path(__file__).parents[3]
#: Seconds until a step of a run must have come; generous, since machines that test are busy.
SOON = 240


@dataclass(frozen=True)
class Setting:
    """A model, pages, and what an undisturbed run reads from them."""

    model: Path
    inputs: Path
    cache: Path
    whole: list[dict[str, Any]]

    def run(self, out: Path, **options: Any) -> ClusterSummary:
        return read(self.model, self.inputs, self.cache, out, **options)

    def check(self, out: Path) -> None:
        """Every page exactly once, with the answers of the undisturbed run."""
        found = lines(out)
        assert [(line["source"], line["page"]) for line in found] == [
            (line["source"], line["page"]) for line in self.whole
        ]
        for line, whole in zip(found, self.whole, strict=True):
            # Log-probabilities depend on the batch in their last bits, ids do not.
            assert {**line, "confidence": None} == {**whole, "confidence": None}
            assert (line["confidence"] or 0) == pytest.approx(whole["confidence"] or 0, rel=1e-3)


def read(model: Path, inputs: Path, cache: Path, out: Path, **options: Any) -> ClusterSummary:
    reading = ReadOptions("tiny", max_new_tokens=24, rows=4, threads=2)
    cluster = ClusterOptions(**{"gpus_per_actor": 0, "shard_pages": 4, "compile_cache": cache, **options})
    return run([inputs], model, out, reading, cluster=cluster)


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    folder = tmp_path_factory.mktemp("engines")
    with pytest.MonkeyPatch.context() as patch:
        # For the workers, which import this repository and should not spend their time on compiling.
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        model, cache = write_model(folder), folder / "cache"
        inputs = write_inputs(folder / "in", pictures=0, pdf_pages=2)
        for number in range(8):  # noise of one kind looks alike to a model without training
            half = Image.new("RGB", (45, 60), (255 - 30 * number, 40 * number % 256, 90 * number % 256))
            picture = small.picture(number)
            picture.paste(half, (6 * number, 0))
            picture.save(inputs / f"picture{number}.png")
        read(model, inputs, cache, folder / "out")
        whole = lines(folder / "out")
        assert len({line["text"] for line in whole}) > 4
        yield Setting(model, inputs, cache, whole)


def broken(folder: Path) -> Path:
    """A model without its parameters."""
    model = write_model(folder / "broken")
    for file in (model / "params").rglob("*"):
        if file.is_file():
            file.unlink()
    return model


class InThread:
    """A run in a thread, so that its workers can be killed meanwhile."""

    def __init__(self, work: Callable[[], ClusterSummary]):
        self.summary: ClusterSummary | None = None
        self.error: BaseException | None = None

        def run() -> None:
            try:
                self.summary = work()
            except BaseException as error:
                self.error = error

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def wait_for(self, found: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + SOON
        while not (value := found()):
            assert time.monotonic() < deadline and self.thread.is_alive(), f"nothing came ({self.error})"
            time.sleep(0.01)
        return value

    def finish(self) -> ClusterSummary:
        self.thread.join(SOON)
        assert not self.thread.is_alive()
        if self.error is not None:
            raise self.error
        assert self.summary is not None
        return self.summary


def at_work(out: Path) -> list[int]:
    """Processes that are writing a shard, by the names of half-written files."""
    names = [path.name for path in (out / "shards").glob(".*.partial")]
    return [int(found.group(1)) for name in names if (found := re.search(r"-(\d+)-[0-9a-f]{8}\.partial$", name))]


def test_a_killed_process_costs_nothing(setting: Setting, tmp_path: Path) -> None:
    out = tmp_path / "out"
    running = InThread(lambda: setting.run(out, actors=2, at_once=1))
    (victim, *_) = running.wait_for(lambda: at_work(out))
    os.kill(victim, signal.SIGKILL)
    summary = running.finish()
    assert summary.failed_shards == {}
    setting.check(out)
    assert len(list((out / "logs").iterdir())) == 3  # of the two workers, and of the substitute
    assert not list((out / "shards").glob(".*"))


def test_a_model_that_cannot_be_loaded_ends_the_run_with_its_reason(setting: Setting, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape(str(tmp_path / "broken"))):
        read(broken(tmp_path), setting.inputs, setting.cache, tmp_path / "out")
    assert (tmp_path / "out" / "plan.jsonl").exists()


def test_a_machine_that_sees_nothing_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plan.jsonl").write_text("plan")
    job = Job(
        tmp_path, "auto", ReadOptions("tiny"), DocumentOptions(), tmp_path, (tmp_path / "plan.jsonl", 4), ("/none.png",)
    )
    with pytest.raises(UserError, match=r"does not see /none\.png; sources must be reached"):
        ShardReader(job)
    monkeypatch.setattr(shard, "SEEN_WITHIN", 0)
    with pytest.raises(UserError, match=r"does not see .*plan\.jsonl as it was written; take an --out that all"):
        ShardReader(replace(job, proof=(tmp_path / "plan.jsonl", 5)))
    with pytest.raises(UserError, match=r"has jax .* instead of 0\.1; install the same versions"):
        ShardReader(replace(job, versions={**shard.versions(), "jax": "0.1"}))


def test_actors_of_ray_read_the_same(setting: Setting, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed (extra 'cluster')")
    summary = setting.run(tmp_path / "out", engine="ray", actors=1, shard_pages=6)
    assert (summary.failed_shards, summary.total.failed) == ({}, 1)
    setting.check(tmp_path / "out")


@pytest.mark.slow
def test_what_an_actor_says_to_the_user_ends_the_run(setting: Setting, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed (extra 'cluster')")
    with pytest.raises(UserError, match=re.escape(str(tmp_path / "broken"))):
        read(broken(tmp_path), setting.inputs, setting.cache, tmp_path / "out", engine="ray")


@pytest.mark.slow
def test_a_killed_node_costs_nothing(setting: Setting, tmp_path: Path) -> None:
    """Two nodes of one machine; that with the second actor dies while it reads."""
    ray = pytest.importorskip("ray", reason="Ray is not installed (extra 'cluster')")
    from ray.cluster_utils import Cluster

    out = tmp_path / "out"
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        node = cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
        cluster.wait_for_nodes()
        raylet = node.all_processes["raylet"][0].process.pid
        running = InThread(lambda: setting.run(out, engine="ray", actors=2, shard_pages=2, at_once=1))
        running.wait_for(lambda: any(parent(pid) == raylet for pid in at_work(out)))
        cluster.remove_node(node, allow_graceful=False)
        summary = running.finish()
        assert summary.failed_shards == {}
        setting.check(out)
    finally:
        ray.shutdown()
        cluster.shutdown()


def parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def test_workers_are_spread_over_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_crew, "visible_gpus", lambda: ["0", "3"])
    assert environments(None, 1) == [{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "3"}]
    assert environments(1, 1) == [{"CUDA_VISIBLE_DEVICES": "0"}]
    halves = environments(3, 0.5)
    assert [each["CUDA_VISIBLE_DEVICES"] for each in halves] == ["0", "3", "0"]
    assert {each["XLA_PYTHON_CLIENT_MEM_FRACTION"] for each in halves} == {"0.450"}
    assert environments(3, 0) == [{}, {}, {}]
    with pytest.raises(UserError, match="take at most --actors 2"):
        environments(3, 1)
    monkeypatch.setattr(local_crew, "visible_gpus", list)
    assert environments(None, 1) == [{}]


def test_gpus_are_those_that_the_environment_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,GPU-8f,")
    assert visible_gpus() == ["1", "GPU-8f"]
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert visible_gpus() == []


class FakeRay:
    def __init__(self, **resources: float):
        self.resources = resources

    def cluster_resources(self) -> dict[str, float]:
        return self.resources


def test_actors_are_as_many_as_the_gpus_hold() -> None:
    assert count_actors(FakeRay(GPU=8, CPU=64), None, 1) == 8
    assert count_actors(FakeRay(GPU=8, CPU=64), None, 0.5) == 16
    assert count_actors(FakeRay(GPU=8, CPU=64), 3, 1) == 3
    assert count_actors(FakeRay(CPU=64), None, 0) == 1
    with pytest.raises(UserError, match="has 0 GPUs, and an actor asks for 1"):
        count_actors(FakeRay(CPU=64), None, 1)
