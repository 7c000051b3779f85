"""Inputs of the zoo's models, by what a model reads; each is (config, rows, side) → keyword arguments."""

from typing import Any

import torch
from torch import Tensor

from tests.adapter_lib.zoo.tiny_model import VOCABULARY, Feed

LENGTH = 7
TARGET_LENGTH = 5
_PADDING = 3
# Ids below are special tokens in one family or another.
_FIRST_WORD = 5


def tokens(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """Ids of 7 tokens; row 1 has three of padding."""
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    ids = _words(rows, LENGTH, seed=3)
    mask = torch.ones_like(ids)
    if rows > 1:
        mask[1, LENGTH - _PADDING :] = 0
        if side == "left":
            mask = mask.flip(1)
    pad = getattr(text, "pad_token_id", None) or 0
    return {"input_ids": ids.masked_fill(mask == 0, pad), "attention_mask": mask}


def ended(feed: Feed) -> Feed:
    """The feed with an end-of-sequence token last in every row, for models that read a text off there."""

    def made(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
        given = feed(config, rows, side)
        text = config.get_text_config()
        end = getattr(text, "eos_token_id", None)
        if isinstance(end, int):
            last = (given["attention_mask"] * torch.arange(LENGTH)).argmax(dim=1)
            given["input_ids"][torch.arange(rows), last] = end
        return given

    return made


def text_to_text(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """A source of 7 tokens and a target of 5."""
    return tokens(config, rows, side) | {"decoder_input_ids": _words(rows, TARGET_LENGTH, seed=4)}


def image(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """One picture per row, of the size and channels that the config asks for."""
    vision = getattr(config, "vision_config", None) or config
    channels = getattr(vision, "num_channels", 3)
    size = vision.image_size
    height, width = size if isinstance(size, list | tuple) else (size, size)
    return {"pixel_values": _numbers((rows, channels, height, width), seed=5)}


def image_and_noise(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """A picture per row and the order in which its patches are read, which would be random else."""
    patches = (config.image_size // config.patch_size) ** 2
    return image(config, rows, side) | {"noise": torch.linspace(0, 1, patches).expand(rows, patches)}


def image_and_text(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """A picture and 7 tokens per row."""
    return tokens(config, rows, side) | image(config, rows, side)


def image_to_text(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """A picture per row and a target of 5 tokens."""
    return image(config.encoder, rows, side) | {"decoder_input_ids": _words(rows, TARGET_LENGTH, seed=4)}


def film(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """A few pictures per row."""
    size = config.image_size
    shape = (rows, config.num_frames, config.num_channels, size, size)
    return {"pixel_values": _numbers(shape, seed=5)}


def spectrogram(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """Frames of frequencies per row."""
    return {"input_values": _numbers((rows, config.max_length, config.num_mel_bins), seed=6)}


def frames(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """12 frames per row, the last of row 1 padding, and a target of 5 tokens."""
    mask = torch.ones(rows, 12, dtype=torch.long)
    if rows > 1:
        mask[1, 8:] = 0
    features = _numbers((rows, 12, config.input_feat_per_channel), seed=6)
    target = {"decoder_input_ids": _words(rows, TARGET_LENGTH, seed=4)}
    return {"input_features": features, "attention_mask": mask} | target


def long_wave(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """Sound as long as Moonshine's convolutions need, and a target of 5 tokens."""
    target = {"decoder_input_ids": _words(rows, TARGET_LENGTH, seed=4)}
    return {"input_values": _numbers((rows, 3000), seed=6)} | target


def long_spectrogram(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """Frames of frequencies per row, as many as CLAP cuts into a square."""
    shape = (rows, 1, config.spec_size * 4, config.num_mel_bins)
    return {"input_features": _numbers(shape, seed=6), "is_longer": torch.zeros(rows, 1, dtype=torch.bool)}


def sound_and_text(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """A spectrogram and 7 tokens per row."""
    return tokens(config, rows, side) | long_spectrogram(config.audio_config, rows, side)


def mel(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """Spectrograms as long as Whisper asks for, and a target of 5 tokens."""
    frames = 2 * config.max_source_positions
    features = _numbers((rows, config.num_mel_bins, frames), seed=6)
    return {"input_features": features, "decoder_input_ids": _words(rows, TARGET_LENGTH, seed=4)}


def whole_wave(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """400 samples of sound per row and no mask."""
    return {"input_values": _numbers((rows, 400), seed=6)}


def wave(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """400 samples of sound per row; row 1 ends in padding."""
    mask = torch.ones(rows, 400, dtype=torch.long)
    if rows > 1:
        mask[1, 300:] = 0
    return {"input_values": _numbers((rows, 400), seed=6) * mask, "attention_mask": mask}


def _words(rows: int, length: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(_FIRST_WORD, VOCABULARY, (rows, length), generator=generator)


def _numbers(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
