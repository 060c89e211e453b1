"""Pages of text: made-up prose, set in columns and drawn; the label is the text in reading order."""

from datagen.family import Family
from datagen.pages.render import render
from datagen.pages.settings import SETTINGS
from datagen.pages.text import compose

FAMILY = Family("pages", "free", compose, render, SETTINGS)
