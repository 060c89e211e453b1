"""What a nano model learns to read first: few short names, each with one digit."""

from datagen.charts.content.dice import Dice
from datagen.charts.content.settings import ContentSettings
from datagen.charts.data import ChartData, NumberFormat, Series
from datagen.family import Rejected

#: Slices take at least this share, so that their texts fit.
MIN_SLICE = 0.2

#: Names of three letters each.
SHORT_NAMES = (
    *("Cat", "Dog", "Fox", "Owl", "Bee", "Ant", "Cow", "Pig", "Hen", "Rat", "Elk", "Bat", "Ape", "Eel", "Yak"),
    *("Tea", "Jam", "Egg", "Fig", "Nut", "Pie", "Oil", "Rye", "Ham", "Pea"),
    *("Car", "Bus", "Van", "Jet", "Cab", "Red", "Tan", "Sun", "Sky", "Sea", "Ice", "Mud"),
    *("Cup", "Hat", "Key", "Pen", "Box", "Bag", "Map", "Toy", "Bed", "Fan", "Log", "Net"),
    *("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep"),
)


def compose_easy(dice: Dice, kind: str, settings: ContentSettings) -> ChartData:
    """Return a bar chart or a pie of one unnamed series.

    Raises:
        Rejected: the slices of a pie would be too thin.
    """
    low, high = settings.slices if kind == "pie" else settings.categories
    count = dice.whole(low, high)
    names = tuple(dice.some(SHORT_NAMES, count))
    values = tuple(float(dice.whole(1, 9)) for _ in range(count))
    if kind == "pie" and min(values) / sum(values) < MIN_SLICE:
        raise Rejected("slice too thin")
    series = Series("", values, "slice" if kind == "pie" else "bar", NumberFormat())
    return ChartData(kind, "en", names, (series,))
