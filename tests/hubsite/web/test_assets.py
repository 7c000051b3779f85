"""What the pages load comes from this site and is what it says."""

import hashlib
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

ASSETS = Path(__file__).resolve().parents[3] / "hubsite" / "web" / "assets"


def test_htmx_is_the_published_file() -> None:
    (script,) = (ASSETS / "vendor").glob("htmx-*.min.js")
    licence = (ASSETS / "vendor" / "htmx-LICENSE.txt").read_text()
    assert hashlib.sha256(script.read_bytes()).hexdigest() in licence
    assert "Zero-Clause BSD" in licence


def test_every_asset_a_page_names_is_there(client: Client, db: None) -> None:
    html = client.get("/").content.decode()
    named = re.findall(r'(?:src|href)="/static/([^"]+)"', html)
    assert len(named) >= 9
    assert [name for name in named if finders.find(name) is None] == []


def test_nothing_is_loaded_from_elsewhere(client: Client, db: None) -> None:
    html = client.get("/").content.decode()
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', html)
    for sheet in (ASSETS / "css").glob("*.css"):
        assert "url(" not in sheet.read_text()
    assert "style=" not in html


@pytest.mark.parametrize("path", ["/robots.txt", "/favicon.ico"])
def test_small_files(client: Client, path: str) -> None:
    assert client.get(path).status_code in (200, 301)


_LIGHT_DARK = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
_TEXTS = ("ink", "ink-2", "ink-3", "accent", "good", "warn", "bad")
_GROUNDS = ("paper", "raised", "sunken")


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("text", _TEXTS)
@pytest.mark.parametrize("ground", _GROUNDS)
def test_text_can_be_read(mode: int, text: str, ground: str) -> None:
    css = (ASSETS / "css" / "tokens.css").read_text()
    colours = {name: (light, dark)[mode] for name, light, dark in _LIGHT_DARK.findall(css)}
    assert _contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("mode", [0, 1])
def test_hues_stand_out_from_the_ground(mode: int) -> None:
    css = (ASSETS / "css" / "tokens.css").read_text()
    paper = {name: (light, dark)[mode] for name, light, dark in _LIGHT_DARK.findall(css)}["paper"]
    hues = re.findall(r"--hue: light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", css)
    assert len(hues) == 6
    for pair in hues:
        assert _contrast(pair[mode], paper) >= 2.9
