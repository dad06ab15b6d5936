"""Which numbers a run computes with: bfloat16 where that is faster, else full precision."""

import torch

from ..backend.devices import autocast_dtype


def choose_precision(wish: str, device: str, gains: bool) -> torch.dtype | None:
    """Give the type to compute in, None for full precision.

    Parameters
    ----------
    wish
        `auto`, `full` or `bfloat16`.
    gains
        Whether the network is faster in bfloat16 on a processor that has units for it.
    """
    if wish == "full":
        return None
    if wish == "bfloat16":
        return torch.bfloat16
    if device == "cpu":
        return torch.bfloat16 if gains and processor_has_bfloat16() else None
    return autocast_dtype(device)


def processor_has_bfloat16() -> bool:
    """Tell whether this processor multiplies bfloat16 natively (AVX-512 BF16 or AMX)."""
    ask = getattr(torch.cpu, "get_capabilities", None)
    if ask is None:
        return False
    found = ask()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))
