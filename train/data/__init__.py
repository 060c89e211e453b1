"""The input of training: sources, the mixture, packing into rows, and where all of that stands."""

from train.data.examples import context_of, example_of
from train.data.feed import Fed, Feed
from train.data.rooms import view_room
from train.data.source import BatchSource
from train.data.sources import digest, open_sets

__all__ = ["BatchSource", "Fed", "Feed", "context_of", "digest", "example_of", "open_sets", "view_room"]
