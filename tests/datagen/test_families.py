import pytest

from datagen import families
from dsocr_jax.errors import UserError


def test_all_means_every_kind() -> None:
    assert families.expand(["all"]) == ("charts", "molecules", "geometry", "pages")


def test_kinds_come_once_and_in_order() -> None:
    assert families.expand(["pages", "charts", "pages"]) == ("charts", "pages")


@pytest.mark.parametrize(("name", "near"), [("page", "pages"), ("Molecules", "molecules"), ("geometri", "geometry")])
def test_a_near_name_is_suggested(name: str, near: str) -> None:
    with pytest.raises(UserError, match=f"did you mean '{near}'"):
        families.expand([name])


def test_pages_are_a_family_of_all_levels() -> None:
    family = families.load("pages")
    assert (family.name, set(family.settings)) == ("pages", {"easy", "middle", "standard"})


def test_a_module_with_another_family_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(families.MODULES, "charts", "datagen.pages")
    families.load.cache_clear()
    with pytest.raises(TypeError, match="is not the family 'charts'"):
        families.load("charts")
