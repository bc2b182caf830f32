"""Records in pictures: taken out of real and hostile ones, and put in so that nothing else changes."""

from __future__ import annotations

import json
import struct
import zlib

import pytest

from node.records import png
from node.records.baking import bake, baked_in
from node.records.intake import link_in
from protocols.errors import BadInput
from tests.shared_data import shared_path

SAMPLES = "credentials/1edtech/ob30/"
OPEN = b'<svg xmlns="http://www.w3.org/2000/svg">'
SVG = b"<!-- a <svg> in words -->\n" + OPEN.replace(b">", b' id=">">') + b'<path d="M0"/></svg>\n'
JSON = b'{"name":"a ]]> b \xc3\xa9 <&>","n":1}'
JWT = b"eyJhbGciOiJFZERTQSJ9.e30.c2ln"


def chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


HEAD = png.SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
TAIL = chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
PNG = HEAD + TAIL


def refusal(data: bytes) -> str:
    with pytest.raises(BadInput) as caught:
        baked_in(data)
    assert caught.value.hint
    return caught.value.code


@pytest.mark.parametrize("name", ["simple-json.png", "simple-json.svg"])
def test_1edtechs_pictures_hold_the_record_that_they_are_named_for(name: str) -> None:
    found = json.loads(baked_in(shared_path(SAMPLES + name).read_bytes()))
    assert found["id"] == "http://example.com/credentials/3527"
    assert "OpenBadgeCredential" in found["type"]


@pytest.mark.parametrize("document", [JSON, JWT])
@pytest.mark.parametrize("image", [PNG, SVG])
def test_what_is_baked_in_comes_out_and_the_picture_is_as_it_was(image: bytes, document: bytes) -> None:
    made = bake(image, document)
    found = baked_in(made)
    assert found == document or json.loads(found) == json.loads(document)
    start = next(at for at in range(len(image)) if made[at] != image[at])
    assert made.endswith(image[start:])


def test_a_png_has_one_record_the_last_that_was_baked() -> None:
    assert baked_in(bake(bake(PNG, JSON), JWT)) == JWT
    with pytest.raises(BadInput) as caught:
        bake(bake(SVG, JSON), JWT)
    assert caught.value.code == "badge.baked"


def test_a_compressed_text_is_read_and_one_that_never_ends_is_not() -> None:
    def compressed(text: bytes) -> bytes:
        return HEAD + chunk(b"iTXt", b"openbadgecredential\0\1\0en\0\0" + zlib.compress(text, 9)) + TAIL

    assert baked_in(compressed(JSON)) == JSON
    bomb = compressed(b"a" * (512 << 20 >> 3))
    assert len(bomb) < 100_000
    assert refusal(bomb) == "badge.too_large"


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (PNG, "badge.none"),
        (SVG, "badge.none"),
        (HEAD + 2 * chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0{}") + TAIL, "badge.several"),
        (HEAD + chunk(b"iTXt", b"openbadgecredential\0\1\0\0\0no zlib") + TAIL, "badge.image"),
        (HEAD + chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0\xff") + TAIL, "badge.image"),
        (PNG[:-4], "badge.image"),
        (PNG.replace(b"IDAT", b"IDAX"), "badge.image"),
        (HEAD, "badge.image"),
        (png.SIGNATURE + TAIL, "badge.image"),
        (HEAD + struct.pack(">I", 0xFFFFFFFF) + b"iTXt" + bytes(20), "badge.image"),
        (HEAD + chunk(b"tEXt", b"a") * 10_000 + TAIL, "badge.image"),
        (b"<html/>", "badge.image"),
        (b"<svg", "badge.image"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>', "badge.image"),
        (
            b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + OPEN + b"&x;</svg>",
            "badge.image",
        ),
        (b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g>" * 300 + b"</g>" * 300 + b"</svg>", "badge.image"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g/>" * 210_000 + b"</svg>", "badge.image"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">\xff</svg>', "badge.image"),
    ],
)
def test_what_is_no_badge_is_refused_and_says_what_to_do(image: bytes, code: str) -> None:
    assert refusal(image) == code


@pytest.mark.parametrize("image", [b"GIF89a", b"", b"{}"])
def test_other_formats_are_not_baked_into(image: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        bake(image, JSON)
    assert caught.value.code == "badge.format"


def test_the_first_element_is_found_behind_what_looks_like_it() -> None:
    image = b'<?x <svg>?><!DOCTYPE svg PUBLIC "a" "b"><s:svg xmlns:s="http://www.w3.org/2000/svg" t="/>"></s:svg>'
    made = bake(image, JWT)
    assert made.startswith(image[: image.index(b"></s:svg>") + 1])
    assert baked_in(made) == JWT
    with pytest.raises(BadInput):
        bake(b'<svg xmlns="http://www.w3.org/2000/svg"/>', JWT)


def of_badges_2(said: str) -> tuple[bytes, bytes]:
    """The same in both kinds of pictures, as Open Badges 2.0 bakes it."""
    made = HEAD + chunk(b"iTXt", b"openbadges\0\0\0\0\0" + said.encode()) + TAIL
    element = f'<openbadges:assertion xmlns:openbadges="http://openbadges.org" verify={said!r}/>'.encode()
    return made, OPEN + element + b"</svg>"


@pytest.mark.parametrize("said", ["https://college.example/assertions/1", JWT.decode()])
def test_badges_of_open_badges_2_are_found_in_pictures(said: str) -> None:
    for image in of_badges_2(said):
        assert baked_in(image) == said.encode()
        assert link_in(image) == (said if said.startswith("https") else None)
        if image.startswith(png.SIGNATURE):
            assert baked_in(bake(image, JSON)) == JSON, "of two kinds that of Open Badges 3.0"


@pytest.mark.parametrize("signed", [{}, {"jws": JWT.decode()}])
@pytest.mark.parametrize("image", [PNG, SVG])
def test_a_badge_of_open_badges_2_is_baked_as_others_look_for_it(image: bytes, signed: dict[str, str]) -> None:
    badge = {"type": "Assertion", "id": "https://college.example/1", "badge": "https://college.example/2", **signed}
    made = bake(image, json.dumps(badge).encode())
    assert b"openbadges" in made
    assert b"openbadgecredential" not in made
    found = baked_in(made)
    assert found == JWT if signed else json.loads(found) == badge
