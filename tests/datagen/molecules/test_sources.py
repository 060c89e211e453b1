import dataclasses
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from datagen.molecules import readers, sources
from datagen.molecules.chemistry import compose
from datagen.molecules.readers import Entry, read
from datagen.molecules.settings import STANDARD
from datagen.molecules.sources import BLOCK, MoleculeSource, prepare_source, source_digest
from dsocr_jax.errors import UserError

ASPIRIN, TOLUENE = "CC(=O)Oc1ccccc1C(=O)O", "Cc1ccccc1"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "source"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    data = content.encode() if isinstance(content, str) else content
    file.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return file


def smiles(file: Path, column: str | None = None) -> list[str | None]:
    return [entry.smiles for entry in read(str(file), column)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.smi", "CCO ethanol\nCCN\tamine with blanks\n"),
        ("a.smi", "CCO\r\n\r\nCCN\r\n"),
        ("a.smi", "\ufeffCCO\n# a comment\n\nCCN"),
        ("a.smi.gz", "CCO\nCCN\n"),
        ("CID-SMILES", "702\tCCO\n6341\tCCN\n"),
        ("CID-SMILES.gz", "702\tCCO\n6341\tCCN\n"),
        ("a.csv", 'name,SMILES\n"ethanol, pure",CCO\namine,CCN\n'),
        ("a.csv", "name,smiles,canonical_smiles\r\na,C,CCO\r\nb,N,CCN\r\n"),
        ("a.tsv.gz", "smiles\tname\nCCO\tx\nCCN\ty\n"),
    ],
)
def test_files_as_people_have_them(tmp_path: Path, name: str, content: str):
    assert smiles(write(tmp_path, name, content)) == ["CCO", "CCN"]


def test_a_column_can_be_named(tmp_path: Path):
    file = write(tmp_path, "a.csv", "smiles,Product\nC,CCO\n")
    assert smiles(file, "product") == ["CCO"]
    with pytest.raises(UserError, match="no column 'educt'"):
        smiles(file, "educt")


def test_a_table_without_smiles_says_what_it_has(tmp_path: Path):
    with pytest.raises(UserError, match="it has: name, weight"):
        smiles(write(tmp_path, "a.csv", "name,weight\nx,3\n"))


def test_lines_without_use_are_reported_and_the_rest_is_read(tmp_path: Path):
    long = b"C" * (3 * readers.MAX_LINE) + b"\n"
    file = write(tmp_path, "a.smi", b"CCO\n" + long + b"\xff\xfe\n" + b"77\t\nCCN\n")
    assert list(read(str(file))) == [
        Entry(1, "CCO"),
        Entry(2, None, "line too long or not text"),
        Entry(3, None, "line too long or not text"),
        Entry(4, None, "no SMILES in the line"),
        Entry(5, "CCN"),
    ]


def test_a_broken_gzip_file_is_named(tmp_path: Path):
    whole = gzip.compress(b"CCO\n" * 5000)
    file = write(tmp_path, "a.smi", whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"a\.smi: not a whole gzip file"):
        smiles(file)


def test_the_packaged_source_is_found_without_importing_it():
    file, column = readers.locate("chemicals")
    assert file.is_file() and column == 4
    first = next(read("chemicals"))
    assert first.smiles


def test_molecules_are_canonical_distinct_and_counted(tmp_path: Path, out: Path):
    bad = "C(C\nC1CC\nc1cc1\nnonsense!\n*CCCCCC\n"
    first = write(tmp_path, "a.smi", f"{ASPIRIN}\nOC(=O)c1ccccc1OC(C)=O\n{bad}CC\n")
    second = write(tmp_path, "b.csv", f"smiles\n{TOLUENE}\nc1ccccc1C\n{'C' * 61}\n")
    card = prepare_source([first, second], out)
    lines = list(MoleculeSource(out))
    assert sorted(lines) == sorted([ASPIRIN, TOLUENE])
    assert (card.entries, card.molecules, card.duplicates) == (11, 2, 2)
    assert card.skipped == {"not a molecule": 5, "too few or too many atoms": 2}
    assert "a.smi:3: not a molecule: C(C" in card.examples
    assert json.loads((out / sources.CARD).read_text())["molecules"] == 2
    assert sorted(path.name for path in out.iterdir()) == sorted([sources.LINES, sources.OFFSETS, sources.CARD])


def chains(count: int) -> list[str]:
    """Return distinct molecules."""
    made = [f"C{'C' * a}OC{'C' * b}N{'C' * c}" for a in range(12) for b in range(12) for c in range(4, 12)]
    return made[:count]


@pytest.mark.parametrize("count", [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_every_line_can_be_had(tmp_path: Path, out: Path, count: int):
    file = write(tmp_path, "a.smi", "\n".join(chains(count)))
    prepare_source([file], out)
    source = MoleculeSource(out)
    assert len(source) == len(set(chains(count)))
    assert [source[n] for n in range(len(source))] == (out / sources.LINES).read_text().split("\n")[:-1]
    for index in (-1, len(source)):
        with pytest.raises(IndexError):
            source[index]


def test_workers_change_nothing(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sources, "CHUNK", 7)
    file = write(tmp_path, "a.smi", "\n".join([*chains(40), "broken(", *chains(20)]))
    one = prepare_source([file], out)
    two = prepare_source([file], tmp_path / "again", workers=2)
    assert one == two and one.duplicates == 20


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "nothing in it"), ("\n\r\n#\n", "nothing in it"), ("CC\nxyz\n", "1 too few or too many atoms, 1 not a")],
)
def test_nothing_of_use_leaves_nothing_behind(tmp_path: Path, out: Path, content: str, message: str):
    with pytest.raises(UserError, match=message):
        prepare_source([write(tmp_path, "a.smi", content)], out)
    assert [path.name for path in tmp_path.iterdir()] == ["a.smi"]


def test_an_interrupted_preparation_leaves_no_source(tmp_path: Path, out: Path):
    whole = gzip.compress("\n".join(chains(500)).encode())
    with pytest.raises(UserError, match="gzip"):
        prepare_source([write(tmp_path, "a.smi", whole[:-40])], out)
    assert not out.exists()


def test_folders_in_use_are_not_touched(tmp_path: Path, out: Path):
    out.mkdir()
    kept = write(out, "kept.txt", "mine")
    with pytest.raises(UserError, match="exists already"):
        prepare_source([write(tmp_path, "a.smi", ASPIRIN)], out)
    assert kept.read_text() == "mine"


def test_missing_files_are_named_before_anything_is_written(tmp_path: Path, out: Path):
    with pytest.raises(UserError, match="there is no such file"):
        prepare_source([tmp_path / "none.smi"], out)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["card", "lines", "offsets", "format"])
def test_a_damaged_source_is_refused(tmp_path: Path, out: Path, damage: str):
    prepare_source([write(tmp_path, "a.smi", "\n".join(chains(100)))], out)
    if damage == "card":
        (out / sources.CARD).write_text("{")
    elif damage == "format":
        (out / sources.CARD).write_text(json.dumps({"format": 99}))
    else:
        file = out / (sources.LINES if damage == "lines" else sources.OFFSETS)
        file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(UserError, match="source"):
        MoleculeSource(out)


def test_compose_takes_molecules_of_the_source(tmp_path: Path, out: Path):
    prepare_source([write(tmp_path, "a.smi", f"{ASPIRIN}\nC[C@H](N)C(=O)O\n{TOLUENE}\n")], out)
    settings = dataclasses.replace(STANDARD, source=str(out), flat=0.5)
    made = [compose(np.random.default_rng(seed), settings) for seed in range(40)]
    assert {content.smiles for content in made} == {ASPIRIN, TOLUENE, "C[C@H](N)C(=O)O", "CC(N)C(=O)O"}
    assert {content.key for content in made} == {ASPIRIN, TOLUENE, "CC(N)C(=O)O"}
    assert {content.source for content in made} == {"a.smi"}
    again = [compose(np.random.default_rng(seed), settings) for seed in range(40)]
    assert [c.smiles for c in again] == [c.smiles for c in made]


def test_the_digest_follows_the_content(tmp_path: Path, out: Path):
    prepare_source([write(tmp_path, "a.smi", ASPIRIN)], out)
    prepare_source([write(tmp_path, "b.smi", ASPIRIN)], tmp_path / "same")
    prepare_source([write(tmp_path, "c.smi", TOLUENE)], tmp_path / "other")
    assert source_digest(out) == source_digest(tmp_path / "same") != source_digest(tmp_path / "other")
