"""Models of pictures (or sounds) and text, and their towers alone."""

from typing import Any

import transformers as hf
from torch import Tensor

from tests.adapter_lib.zoo.decoders import GPT2_LIKE, LLAMA_LIKE
from tests.adapter_lib.zoo.encoders import BERT_LIKE, ROBERTA_LIKE
from tests.adapter_lib.zoo.feeds import (
    ended,
    image,
    image_and_text,
    image_to_text,
    long_spectrogram,
    sound_and_text,
    tokens,
)
from tests.adapter_lib.zoo.tiny_model import WIDTH, Feed, TinyModel
from tests.adapter_lib.zoo.vision import VIT_LIKE

CLIP_TEXT = BERT_LIKE | {"eos_token_id": 2, "bos_token_id": 1, "projection_dim": 16}
CLIP_VISION = VIT_LIKE | {"projection_dim": 16}


# The placeholder of a picture's patches in a text.
PICTURE = 99
# Five patches and the class; a decoder reads the patches only.
PATCHES = 4
ROBERTA_TEXT = ROBERTA_LIKE | {"project_dim": 16}
BLIP_TEXT = BERT_LIKE | {
    "bos_token_id": 1,
    "sep_token_id": 2,
    "eos_token_id": 2,
    "encoder_hidden_size": WIDTH,
}
CLAP_TEXT = ROBERTA_LIKE | {"projection_dim": 16}
CLAP_AUDIO = {
    "window_size": 4,
    "num_mel_bins": 8,
    "spec_size": 32,
    "hidden_size": WIDTH,
    "patch_size": 4,
    "patch_stride": [4, 4],
    "num_hidden_layers": 4,
    "depths": [2, 2],
    "num_attention_heads": [2, 4],
    "patch_embeds_hidden_size": 16,
    "mlp_ratio": 1.5,
    "projection_dim": 16,
}

# CLIP's two towers under other names.
_CLIPS = {
    "clip": "CLIP",
    "metaclip_2": "MetaClip2",
    "siglip": "Siglip",
    "clipseg": "CLIPSeg",
    "chinese_clip": "ChineseCLIP",
    "altclip": "AltCLIP",
}
_TEXTS = {
    "chinese_clip": BERT_LIKE,
    "altclip": ROBERTA_TEXT,
    "siglip": CLIP_TEXT | {"projection_size": WIDTH},
}


def _two_towers(name: str) -> tuple[TinyModel, ...]:
    """A model of pictures and text, and its two towers alone."""
    prefix, text = _CLIPS[name], _TEXTS.get(name, CLIP_TEXT)

    def both() -> Any:
        return getattr(hf, f"{prefix}Config")(text_config=text, vision_config=CLIP_VISION, projection_dim=16)

    def text_alone() -> Any:
        return getattr(hf, f"{prefix}TextConfig")(**text)

    def vision_alone() -> Any:
        return getattr(hf, f"{prefix}VisionConfig")(**CLIP_VISION)

    projected = name in ("clip", "metaclip_2")
    return (
        TinyModel(name, "multimodal", both, ended(image_and_text), f"{prefix}Model"),
        TinyModel(
            f"{name}-text",
            "encoder",
            text_alone,
            ended(tokens),
            f"{prefix}TextModel",
            f"{prefix}TextModelWithProjection" if projected else None,
        ),
        TinyModel(
            f"{name}-vision",
            "vision",
            vision_alone,
            image,
            f"{prefix}VisionModel",
            f"{prefix}VisionModelWithProjection" if projected else None,
        ),
    )


def _alone(name: str, kind: str, prefix: str, sizes: dict[str, Any], feed: Feed) -> TinyModel:
    """One tower of a model as a model of its own."""
    return TinyModel(name, kind, lambda: getattr(hf, f"{prefix}Config")(**sizes), feed, f"{prefix}Model")


def _blip() -> Any:
    return hf.BlipConfig(text_config=BLIP_TEXT, vision_config=CLIP_VISION, projection_dim=16)


def _clap() -> Any:
    return hf.ClapConfig(text_config=CLAP_TEXT, audio_config=CLAP_AUDIO, projection_dim=16)


def _llava() -> Any:
    return hf.LlavaConfig(
        text_config=hf.LlamaConfig(**LLAMA_LIKE),
        vision_config=hf.CLIPVisionConfig(**CLIP_VISION),
        image_token_id=PICTURE,
    )


def _paligemma() -> Any:
    return hf.PaliGemmaConfig(
        text_config=hf.GemmaConfig(**LLAMA_LIKE, head_dim=8),
        vision_config=hf.SiglipVisionConfig(**CLIP_VISION, vision_use_head=False),
        projection_dim=WIDTH,
        image_token_id=PICTURE,
    )


def _gemma3() -> Any:
    return hf.Gemma3Config(
        text_config=hf.Gemma3TextConfig(**LLAMA_LIKE, head_dim=8),
        vision_config=hf.SiglipVisionConfig(**CLIP_VISION, vision_use_head=False),
        mm_tokens_per_image=PATCHES,
        image_token_id=PICTURE,
        boi_token_id=3,
        eoi_token_id=4,
    )


def _picture_to_text() -> Any:
    decoder = hf.GPT2Config(**GPT2_LIKE, is_decoder=True, add_cross_attention=True)
    return hf.VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        hf.ViTConfig(**VIT_LIKE), decoder, pad_token_id=0, decoder_start_token_id=1
    )


def _dual() -> Any:
    return hf.VisionTextDualEncoderConfig.from_vision_text_configs(
        hf.ViTConfig(**VIT_LIKE), hf.BertConfig(**BERT_LIKE), projection_dim=16
    )


def illustrated_text(config: Any, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
    """A picture per row and 7 tokens that begin (behind padding) with its patches."""
    given = image_and_text(config, rows, "left")
    ids = given["input_ids"]
    ids[:, -PATCHES:] = PICTURE
    return given


MULTIMODAL = (
    *(tiny for name in _CLIPS for tiny in _two_towers(name)),
    TinyModel("blip", "multimodal", _blip, image_and_text, "BlipModel", "BlipForConditionalGeneration"),
    _alone("blip-text", "encoder", "BlipText", BLIP_TEXT, tokens),
    _alone("blip-vision", "vision", "BlipVision", CLIP_VISION, image),
    _alone("clap-text", "encoder", "ClapText", CLAP_TEXT, tokens),
    _alone("clap-audio", "audio", "ClapAudio", CLAP_AUDIO, long_spectrogram),
    TinyModel("clap", "multimodal", _clap, sound_and_text, "ClapModel"),
    TinyModel("llava", "multimodal", _llava, illustrated_text, "LlavaModel", "LlavaForConditionalGeneration"),
    TinyModel(
        "paligemma",
        "multimodal",
        _paligemma,
        illustrated_text,
        "PaliGemmaModel",
        "PaliGemmaForConditionalGeneration",
    ),
    TinyModel(
        "gemma3", "multimodal", _gemma3, illustrated_text, "Gemma3Model", "Gemma3ForConditionalGeneration"
    ),
    TinyModel(
        "vision-encoder-decoder", "multimodal", _picture_to_text, image_to_text, "VisionEncoderDecoderModel"
    ),
    TinyModel("vision-text-dual-encoder", "multimodal", _dual, image_and_text, "VisionTextDualEncoderModel"),
)
