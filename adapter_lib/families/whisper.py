"""Whisper and Speech2Text: mBART's layers over a spectrogram."""

from dataclasses import replace

from adapter_lib.families.bart import PEGASUS_TOWERS
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec

_ENCODER, _DECODER = PEGASUS_TOWERS
_AUDIO = replace(
    _ENCODER,
    role="audio",
    tokens=None,
    no_embed="convolved frames and positions are added outside of any module.",
)

for _name in ("whisper", "speech_to_text"):
    register_family(FamilySpec(_name, (_name,), (_AUDIO, _DECODER)))
