import io

from PIL import Image

from datagen.geometry.bench import bench_cases


def test_every_case_makes_another_picture_at_each_call():
    for make in bench_cases().values():
        first, second = make(), make()
        assert isinstance(first, bytes) and isinstance(second, bytes) and first != second
        assert Image.open(io.BytesIO(first)).format == "PNG"
