"""Encoders of pictures."""

from typing import Any

import transformers as hf

from tests.adapter_lib.zoo.feeds import film, image, image_and_noise
from tests.adapter_lib.zoo.tiny_model import FFN, HEADS, WIDTH, TinyModel

VIT_LIKE = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": HEADS,
    "intermediate_size": FFN,
    "image_size": 8,
    "patch_size": 4,
    "num_channels": 3,
}


def _vision(
    name: str,
    config: str,
    sizes: dict[str, Any],
    head: str | None = "AutoModelForImageClassification",
    model: str = "AutoModel",
) -> TinyModel:
    return TinyModel(name, "vision", lambda: getattr(hf, config)(**sizes), image, model, head)


# ViT's configuration under other names.
_VITS = {
    "vit": "ViTConfig",
    "vit_msn": "ViTMSNConfig",
    "ijepa": "IJepaConfig",
    "dinov2": "Dinov2Config",
    "dinov2_with_registers": "Dinov2WithRegistersConfig",
}
BEIT = VIT_LIKE | {"use_relative_position_bias": True, "layer_scale_init_value": 0.5}
SWIN = {
    "image_size": 16,
    "patch_size": 2,
    "num_channels": 3,
    "embed_dim": 16,
    "depths": [2, 2],
    "num_heads": [2, 4],
    "window_size": 4,
    "mlp_ratio": 1.5,
}

VISION = (
    *(_vision(name, config, VIT_LIKE) for name, config in _VITS.items()),
    _vision("deit", "DeiTConfig", VIT_LIKE, "DeiTForImageClassification"),
    TinyModel("vit_mae", "vision", lambda: hf.ViTMAEConfig(**VIT_LIKE, mask_ratio=0.0), image_and_noise),
    _vision(
        "yolos",
        "YolosConfig",
        VIT_LIKE | {"image_size": [8, 8], "num_detection_tokens": 3},
        "AutoModelForObjectDetection",
    ),
    _vision("dinov2-gated", "Dinov2Config", VIT_LIKE | {"use_swiglu_ffn": True}),
    _vision(
        "dinov3_vit", "DINOv3ViTConfig", VIT_LIKE | {"num_register_tokens": 2, "use_gated_mlp": True}, None
    ),
    _vision("dinov3_vit-plain", "DINOv3ViTConfig", VIT_LIKE | {"num_register_tokens": 2}, None),
    _vision("beit", "BeitConfig", BEIT),
    _vision("data2vec-vision", "Data2VecVisionConfig", BEIT),
    _vision("swin", "SwinConfig", SWIN),
    TinyModel(
        "vivit",
        "vision",
        lambda: hf.VivitConfig(**VIT_LIKE, num_frames=2, tubelet_size=[2, 4, 4]),
        film,
        "AutoModel",
        "VivitForVideoClassification",
    ),
    TinyModel(
        "videomae",
        "vision",
        lambda: hf.VideoMAEConfig(**VIT_LIKE, num_frames=2, tubelet_size=2),
        film,
        "AutoModel",
        "VideoMAEForVideoClassification",
    ),
)
