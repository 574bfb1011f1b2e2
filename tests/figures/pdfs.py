"""What a PDF holds: the fonts that its pages use, read out of the file object by object."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass

from fontTools.ttLib import TTFont


@dataclass(frozen=True)
class PdfFont:
    """A font that a page uses.

    Attributes:
        name: Without the six letters of a subset.
        kind: ``Type0``, ``TrueType``, ``Type3``, ...
        program: The embedded TrueType program; None = it is not in the file.
        signs: What its letters are when they are searched for or copied.
    """

    name: str
    kind: str
    program: TTFont | None
    signs: frozenset[str]


def fonts_in(pdf: bytes) -> list[PdfFont]:
    """The fonts of all pages of a PDF as matplotlib writes it."""
    parts = {int(n): body for n, body in re.findall(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", pdf, re.S)}
    found = []
    for page in [body for body in parts.values() if re.search(rb"/Type /Page\b", body)]:
        table = _follow(parts, _follow(parts, page, b"Resources"), b"Font")
        found += [_font(parts, parts[int(n)]) for n in re.findall(rb"/\S+ (\d+) 0 R", table)]
    return found


def _font(parts: dict[int, bytes], body: bytes) -> PdfFont:
    own = _follow(parts, body, b"DescendantFonts") or body
    program = _follow(parts, _follow(parts, own, b"FontDescriptor"), b"FontFile2")
    name = re.search(rb"/BaseFont /(?:[A-Z]{6}\+)?(\S+)", body)
    return PdfFont(
        name=name[1].decode() if name else "",
        kind=_must(rb"/Subtype /(\w+)", body).decode(),
        program=TTFont(io.BytesIO(_stream(program))) if program else None,
        signs=_signs(_stream(_follow(parts, body, b"ToUnicode"))) if b"/ToUnicode" in body else frozenset(),
    )


def _signs(cmap: bytes) -> frozenset[str]:
    """The signs of a ToUnicode table: UTF-16 in the brackets of its ranges."""
    codes = [code for held in re.findall(rb"\[([^\]]*)\]", cmap) for code in re.findall(rb"<([0-9a-fA-F]+)>", held)]
    return frozenset(bytes.fromhex(code.decode()).decode("utf-16-be") for code in codes)


def _follow(parts: dict[int, bytes], body: bytes, key: bytes) -> bytes:
    found = re.search(rb"/" + key + rb" \[? ?(\d+) 0 R", body)
    return parts[int(found[1])] if found else b""


def _stream(body: bytes) -> bytes:
    held = _must(rb"stream\r?\n(.*)\r?\nendstream", body)
    return zlib.decompress(held) if b"/FlateDecode" in body else held


def _must(pattern: bytes, body: bytes) -> bytes:
    found = re.search(pattern, body, re.S)
    assert found, pattern
    return found[1]
