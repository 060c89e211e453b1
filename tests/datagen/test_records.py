import contextlib
import io

import hypothesis.extra.numpy as hnp
import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from datagen import records
from datagen.sample import Sample
from dsocr_jax.errors import UserError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
samples = st.builds(
    Sample,
    image=hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))),
    prompt=st.text(),
    label=st.text(),
    kind=st.sampled_from(["charts", "pages"]),
    meta=st.dictionaries(st.text(), json_values, max_size=4),
    id=st.integers(0, 2**40),
    seed=st.integers(0, 2**63),
)

SAMPLE = Sample(np.full((4, 6), 9, np.uint8), "<image>\nFree OCR.", "words", "pages", {"font": "x"}, 3, 8)


def altered(**changes: object) -> bytes:
    return msgpack.packb({**msgpack.unpackb(records.encode(SAMPLE)), **changes})


@settings(max_examples=80, deadline=None)
@given(samples)
def test_decode_returns_what_was_encoded(sample: Sample) -> None:
    record = records.decode(records.encode(sample))
    assert np.array_equal(record.array(), sample.image)
    for name in ("prompt", "label", "kind", "meta", "id", "seed"):
        assert getattr(record, name) == getattr(sample, name)
    assert (record.height, record.width) == sample.image.shape[:2]


def test_fields_are_those_of_the_format() -> None:
    expected = ["image", "format", "width", "height", "prompt", "label", "kind", "meta", "id", "seed"]
    assert list(msgpack.unpackb(records.encode(SAMPLE))) == expected


def test_gray_pictures_are_read_as_rgb() -> None:
    assert records.decode(records.encode(SAMPLE)).pil().mode == "RGB"


def test_jpeg_is_read() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (6, 4), (10, 200, 30)).save(stream, "JPEG")
    record = records.decode(altered(image=stream.getvalue(), format="jpeg"))
    assert record.array()[2, 2].tolist() == pytest.approx([10, 200, 30], abs=4)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a record"),
        (b"\xc1", "not a record"),
        (msgpack.packb([1, 2]), "holds list"),
        (msgpack.packb({"label": "x"}), "holds label"),
        (altered(extra=1), "extra"),
        (altered(width="6"), "width must be int, not str"),
        (altered(id=True), "id must be int, not bool"),
        (altered(format="tiff"), "unknown picture format"),
        (altered(width=0), "a picture of 0x4"),
        (altered(width=10**9), "a picture of 1000000000x4"),
    ],
)
def test_other_bytes_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        records.decode(data)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_records_raise_only_user_errors(data: st.DataObject) -> None:
    damaged = bytearray(records.encode(SAMPLE))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(UserError):
        records.decode(bytes(damaged)).pil()


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(UserError, match=r"the picture is \(6, 4\), its record says \(7, 4\)"):
        records.decode(altered(width=7)).pil()


def test_a_picture_cut_short_is_refused() -> None:
    image = msgpack.unpackb(records.encode(SAMPLE))["image"]
    with pytest.raises(UserError, match="cannot be decoded"):
        records.decode(altered(image=image[:45])).pil()


@pytest.mark.parametrize("meta", [{"size": (1, 2)}, {"size": np.float64(1)}, {"size": {1, 2}}])
def test_meta_must_survive_json(meta: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        records.encode(Sample(SAMPLE.image, "", "", "pages", meta, 0, 0))
