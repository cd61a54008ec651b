"""The arguments of timm's Mixup, as those of a Mixer. README's table "Coming from timm" is the same in words."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

SCOPES = {"batch": "batch", "pair": "pair", "elem": "sample"}


def options_of(mixup_alpha: float, cutmix_alpha: float, cutmix_minmax: Any, prob: float, switch_prob: float, mode: str,
               correct_lam: bool, label_smoothing: float, num_classes: int) -> dict[str, Any]:
    """What a Mixer takes for them."""
    if cutmix_minmax is not None:
        raise ValueError(f"cutmix_minmax is {cutmix_minmax!r}, for which fmixd has no request; leave it out (timm then "
                         "draws the box by cutmix_alpha)")
    if mode not in SCOPES:
        why = "for which fmixd has no request" if mode == "half" else "which timm does not have"
        raise ValueError(f"mode is {mode!r}, {why}; it must be one of {', '.join(SCOPES)}")
    for name, value in ("prob", prob), ("switch_prob", switch_prob):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is {value}; it must be from 0 to 1")
    return {**_methods({"mixup": mixup_alpha, "cutmix": cutmix_alpha}, Fraction(str(switch_prob))), "prob": prob,
            "scope": SCOPES[mode], "pairing": "flip", "correct": correct_lam, "smoothing": label_smoothing,
            "classes": num_classes}


def _methods(alphas: dict[str, float], switched: Fraction) -> dict[str, Any]:
    """The methods that are drawn at all, their alphas and weights."""
    if switched in (0, 1) and min(alphas.values()) > 0:
        del alphas["mixup" if switched else "cutmix"]
    found = [name for name, alpha in alphas.items() if alpha > 0]
    if not found:
        raise ValueError("mixup_alpha and cutmix_alpha are 0; one of them must be above 0")
    if len(found) == 1:
        return {"method": found[0], "alpha": alphas[found[0]]}
    share = switched.limit_denominator(2**16)
    weights = {} if switched == Fraction(1, 2) else {
        "weights": [share.denominator - share.numerator, share.numerator]}
    return {"method": found, "alpha": [alphas[name] for name in found], "switch": "sample", **weights}
