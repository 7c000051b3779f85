"""Models of speech and sound."""

from typing import Any

import transformers as hf

from tests.adapter_lib.zoo.feeds import frames, long_wave, mel, spectrogram, wave, whole_wave
from tests.adapter_lib.zoo.seq2seq import BART_LIKE
from tests.adapter_lib.zoo.tiny_model import FFN, HEADS, VOCABULARY, WIDTH, Feed, TinyModel
from tests.adapter_lib.zoo.vision import VIT_LIKE

WHISPER = BART_LIKE | {"num_mel_bins": 8, "max_source_positions": 6, "max_target_positions": 64}
WHISPER.pop("max_position_embeddings")

WAV2VEC2 = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": HEADS,
    "intermediate_size": FFN,
    "vocab_size": VOCABULARY,
    "conv_dim": [16, 16],
    "conv_kernel": [10, 8],
    "conv_stride": [5, 4],
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
    "feat_extract_norm": "layer",
    "mask_time_prob": 0.0,
}
STABLE = {"do_stable_layer_norm": True}
AST = VIT_LIKE | {"num_mel_bins": 8, "max_length": 12, "frequency_stride": 4, "time_stride": 4}
MOONSHINE = {
    "hidden_size": WIDTH,
    "intermediate_size": FFN,
    "encoder_num_hidden_layers": 2,
    "decoder_num_hidden_layers": 2,
    "encoder_num_attention_heads": HEADS,
    "decoder_num_attention_heads": HEADS,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}
SPEECH_TO_TEXT = BART_LIKE | {
    "input_feat_per_channel": 8,
    "num_conv_layers": 1,
    "conv_kernel_sizes": [3],
    "conv_channels": 16,
    "max_source_positions": 64,
    "max_target_positions": 64,
}
SPEECH_TO_TEXT.pop("max_position_embeddings")
# The layer of wav2vec 2.0 under other names.
_WAVES = {
    "wav2vec2": "Wav2Vec2Config",
    "hubert": "HubertConfig",
    "unispeech": "UniSpeechConfig",
    "unispeech-sat": "UniSpeechSatConfig",
    "data2vec-audio": "Data2VecAudioConfig",
}


def _wave(name: str, config: str, sizes: dict[str, Any], feed: Feed = wave) -> TinyModel:
    return TinyModel(name, "audio", lambda: getattr(hf, config)(**sizes), feed, head="AutoModelForCTC")


AUDIO = (
    TinyModel(
        "whisper",
        "audio",
        lambda: hf.WhisperConfig(**WHISPER),
        mel,
        "WhisperModel",
        "WhisperForConditionalGeneration",
    ),
    TinyModel(
        "speech_to_text",
        "audio",
        lambda: hf.Speech2TextConfig(**SPEECH_TO_TEXT),
        frames,
        "Speech2TextModel",
        "Speech2TextForConditionalGeneration",
    ),
    TinyModel(
        "moonshine",
        "audio",
        lambda: hf.MoonshineConfig(**MOONSHINE),
        long_wave,
        "MoonshineModel",
        "MoonshineForConditionalGeneration",
    ),
    *(_wave(name, config, WAV2VEC2) for name, config in _WAVES.items()),
    *(_wave(f"{name}-stable", _WAVES[name], WAV2VEC2 | STABLE) for name in ("wav2vec2", "hubert")),
    # Its masks are given to PyTorch in two kinds, which PyTorch warns of.
    _wave("wavlm", "WavLMConfig", WAV2VEC2, whole_wave),
    _wave("wavlm-stable", "WavLMConfig", WAV2VEC2 | STABLE, whole_wave),
    _wave("sew", "SEWConfig", WAV2VEC2 | {"squeeze_factor": 1}),
    TinyModel(
        "audio-spectrogram-transformer",
        "audio",
        lambda: hf.ASTConfig(**AST),
        spectrogram,
        "AutoModel",
        "AutoModelForAudioClassification",
    ),
)
