from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax.profiler import ProfileData

from dsocr_jax.errors import UserError
from tests.train import tiny
from train.config import TrainConfig
from train.profile import (
    COLLECTIVES,
    COPIES,
    IDLE,
    OTHER,
    QUIET,
    Profiler,
    direction,
    part_of,
    profile_run,
    profile_table,
    sum_up,
)
from train.xplane import Operation, operations, read_text


@pytest.mark.parametrize(
    ("name", "source", "part"),
    [
        ("dot.1", "jit(step)/jvp(sam)/while/body/attention/dot_general", "encoder (SAM)"),
        ("fusion.2", "jit(step)/transpose(jvp(attention))/mul", "attention"),
        ("fusion.2", "jit(step)/jvp()/while/body/checkpoint/experts/ragged_dot", "experts"),
        ("fusion.2", "jit(step)/transpose(jvp())/while/body/rematted_computation/shared/dot_general", "shared experts"),
        ("fusion.2", "jit(step)/vmap(jvp(router))/dot_general", "router"),
        ("fusion.2", "jit(step)/head/dot_general", "head and loss"),
        ("fusion.2", "jit(step)/optimizer/jit(clip)/max", "optimizer"),
        ("fusion.2", "jit(step)/add", OTHER),
        ("fusion.2", "", OTHER),
        ("all-reduce-start.3", "jit(step)/transpose(jvp(attention))/dot_general", COLLECTIVES),
        ("ncclDevKernel_AllGather_RING_LL", "", COLLECTIVES),
        ("ppermute.3", "jit(step)/experts/ppermute", COLLECTIVES),
        ("psum", "jit(step)/psum", COLLECTIVES),
        ("reduce_scatter.7", "", COLLECTIVES),
        ("MemcpyH2D", "", COPIES),
    ],
)
def test_the_outermost_named_scope_decides(name: str, source: str, part: str) -> None:
    assert part_of(name, source) == part


def test_directions() -> None:
    assert direction("jit(step)/jvp(sam)/dot_general") == "forward"
    assert direction("jit(step)/transpose(jvp(sam))/dot_general") == "backward"
    assert direction("jit(step)/transpose(jvp(sam))/rematted_computation/dot_general") == "again"


def ran(part: str, start: float, seconds: float, device: str = "a", lane: str = "1") -> Operation:
    return Operation(device, lane, "x", f"jit(step)/{part}/dot", start, seconds, seconds)


def test_devices_are_averaged_and_idle_time_is_when_no_stream_runs() -> None:
    found = [
        ran("sam", 0.0, 1.0),
        ran("head", 0.5, 1.0, lane="2"),  # ends at 1.5
        ran("sam", 2.0, 1.0),
        ran("sam", 0.0, 4.0, device="b"),
    ]
    rows = {row.part: row.seconds for row in sum_up(found)}
    assert rows == {"encoder (SAM)": 3.0, "head and loss": 0.5, IDLE: 0.25}


def gpu_trace(folder: Path) -> Path:
    """A trace as a GPU's looks: streams of kernels, and no events around them."""
    text = """
    planes { name: "/host:CPU" lines { name: "python" events { metadata_id: 1 duration_ps: 9000000000000 } }
      event_metadata { key: 1 value { id: 1 name: "waiting" } } }
    planes {
      name: "/device:GPU:0"
      lines { name: "Stream #7(Compute)"
        events { metadata_id: 1 offset_ps: 0 duration_ps: 2000000000000
          stats { metadata_id: 1 str_value: "while.3::fusion.1" } stats { metadata_id: 2 str_value: "jit_step" } }
        events { metadata_id: 2 offset_ps: 3000000000000 duration_ps: 1000000000000 }
        events { metadata_id: 3 offset_ps: 4000000000000 duration_ps: 500000000000 } }
      lines { name: "Source code" events { metadata_id: 1 duration_ps: 7000000000000 } }
      event_metadata { key: 1 value { id: 1 name: "a_kernel_of_a_library" } }
      event_metadata { key: 2 value { id: 2 name: "loop_add_fusion_12" } }
      event_metadata { key: 3 value { id: 3 name: "MemcpyD2D" } }
      stat_metadata { key: 1 value { id: 1 name: "hlo_op" } }
      stat_metadata { key: 2 value { id: 2 name: "hlo_module" } }
    }"""
    (folder / "a.xplane.pb").write_bytes(ProfileData.text_proto_to_serialized_xspace(text))
    return folder


HLO_TEXT = """HloModule jit_step, is_scheduled=true
ENTRY main {
  %fusion.1 = f32[2]{0} fusion(%a), kind=kCustom, calls=%c, metadata={op_name="jit(step)/jvp(clip)/dot" stack_frame_id=9}
  ROOT loop_add_fusion.12 = f32[2]{0} fusion(a), kind=kLoop, calls=c, metadata={op_type="add" op_name="jit(step)/optimizer/add"}
}
"""  # noqa: E501


def test_kernels_of_a_gpu_are_found_by_instruction_or_by_their_own_name(tmp_path: Path) -> None:
    table = profile_table(gpu_trace(tmp_path), HLO_TEXT)
    assert table == [("encoder (CLIP)", 2.0), ("optimizer", 1.0), (COPIES, 0.5), (IDLE, 1.0)]


def test_kernels_launched_together_run_side_by_side(tmp_path: Path) -> None:
    text = """
    planes { name: "/device:GPU:0" lines { name: "Stream #7(Compute)"
      events { metadata_id: 1 offset_ps: 0 duration_ps: 5000000 }
      events { metadata_id: 1 offset_ps: 1000000 duration_ps: 2000000 }
      events { metadata_id: 1 offset_ps: 4000000 duration_ps: 3000000 } }
      event_metadata { key: 1 value { id: 1 name: "kernel" } } }"""
    file = tmp_path / "a.xplane.pb"
    file.write_bytes(ProfileData.text_proto_to_serialized_xspace(text))
    assert [round(one.seconds * 1e6) for one in operations(file)] == [5, 2, 3]


def test_text_of_several_programs() -> None:
    found = read_text(HLO_TEXT + HLO_TEXT.replace("jit_step", "jit_other"))
    assert set(found) == {"jit_step", "jit_other"}
    assert found["jit_other"]["fusion.1"] == "jit(step)/jvp(clip)/dot"


def test_time_inside_an_operation_is_not_counted_twice(tmp_path: Path) -> None:
    text = """
    planes { name: "/host:CPU"
      lines { name: "thread"
        events { metadata_id: 1 offset_ps: 0 duration_ps: 10000000 stats { metadata_id: 1 str_value: "while.1" } }
        events { metadata_id: 2 offset_ps: 1000000 duration_ps: 4000000 stats { metadata_id: 1 str_value: "dot.1" } }
        events { metadata_id: 3 offset_ps: 2000000 duration_ps: 1000000 }
        events { metadata_id: 2 offset_ps: 6000000 duration_ps: 3000000 stats { metadata_id: 1 str_value: "dot.1" } } }
      event_metadata { key: 1 value { id: 1 name: "while.1" } }
      event_metadata { key: 2 value { id: 2 name: "dot.1" } }
      event_metadata { key: 3 value { id: 3 name: "not of a program" } }
      stat_metadata { key: 1 value { id: 1 name: "hlo_op" } } }"""
    file = tmp_path / "a.xplane.pb"
    file.write_bytes(ProfileData.text_proto_to_serialized_xspace(text))
    assert [(one.name, round(one.seconds * 1e6)) for one in operations(file)] == [
        ("while.1", 3),
        ("dot.1", 4),
        ("dot.1", 3),
    ]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """Steps of a small program with named scopes, two of them traced."""

    @jax.jit
    def step(w: jax.Array) -> jax.Array:
        def loss(w: jax.Array) -> jax.Array:
            def layer(x: jax.Array, w: jax.Array) -> tuple[jax.Array, None]:
                with jax.named_scope("attention"):
                    return jnp.tanh(x @ w), None

            x, _ = jax.lax.scan(jax.checkpoint(layer), jnp.ones((64, 64)), w)
            with jax.named_scope("head"):
                return jnp.sum((x @ x) ** 2)

        gradient = jax.grad(loss)(w)
        with jax.named_scope("optimizer"):
            return w - 1e-3 * gradient

    folder = tmp_path_factory.mktemp("traced")
    config = tiny.tiny_config(folder, out=folder, profile=2)
    profiler = Profiler(config)
    state = jnp.ones((4, 64, 64))
    for _ in range(QUIET + 5):
        profiler.turn(state)
        state = step(state)
    assert not profiler._tracing
    return config


def test_the_profiler_traces_so_many_steps_and_writes_the_table(traced: TrainConfig) -> None:
    table = (traced.out / "profile" / "table.txt").read_text()
    assert "mean of 2" in table
    assert "attention" in table
    found = operations(next((traced.out / "profile").glob("**/*.xplane.pb")))
    # Four layers, forward, again and backward, in two steps.
    assert sum("attention/dot_general" in one.source and "jvp" in one.source for one in found) >= 2 * 4 * 2


def test_the_parts_of_a_program_are_found(traced: TrainConfig) -> None:
    rows = {row.part: row for row in sum_up(operations(next(traced.out.glob("**/*.xplane.pb"))))}
    assert {"attention", "head and loss", "optimizer", IDLE} <= set(rows)
    assert rows["attention"].forward > 0
    assert rows["attention"].backward > 0
    assert rows["attention"].again > 0
    assert rows["optimizer"].backward == 0


def test_one_call_is_traced_without_a_run() -> None:
    @jax.jit
    def work(x: jax.Array) -> jax.Array:
        with jax.named_scope("experts"):
            return jnp.tanh(x @ x)

    x = jnp.ones((128, 128))
    work(x).block_until_ready()
    rows = {row.part: row.seconds for row in profile_run(lambda: work(x))}
    assert rows["experts"] > 0


def test_a_folder_without_a_trace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no trace"):
        profile_table(tmp_path)


def test_a_run_that_ends_before_the_trace_leaves_none(tmp_path: Path) -> None:
    profiler = Profiler(tiny.tiny_config(tmp_path, out=tmp_path, profile=2))
    profiler.turn()
    profiler.close()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_breaks_within_the_trace_leaves_the_trace_alone(tmp_path: Path) -> None:
    config = tiny.tiny_config(tmp_path, out=tmp_path, profile=9)
    with pytest.raises(ValueError, match="broken"), Profiler(config) as profiler:
        for _ in range(QUIET + 3):
            profiler.turn(jnp.ones(2))
        raise ValueError("broken")
    assert list(tmp_path.glob("profile/**/*.xplane.pb"))
    assert not (tmp_path / "profile" / "table.txt").exists()
