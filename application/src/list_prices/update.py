"""Writes genai-prices.json from the Python package genai-prices: pip install genai-prices, then
python update.py RELEASE_DAY > genai-prices.json

Kept: providers, the addresses and names that they are recognised by, and prices in US dollars for a million tokens.
Left out: models that are billed by anything but tokens, prices of past days and of hours of the day.
"""

import datetime
import importlib.metadata
import json
import sys

from genai_prices import types
from genai_prices.data import providers

TOKENS = {"input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cache_read", "cache_write_mtok": "cache_write"}
# Charged for what calls of this product do not ask for: tools, sound, pictures.
OTHER = ("web_", "storage_", "input_audio", "output_audio", "cache_audio", "input_image", "output_image", "cache_image",
         "input_video", "output_video", "cache_video", "cache_write_1h", "cache_write_5m", "input_text", "output_text",
         "maps_", "file_", "tool_")


def clause(match):
    if isinstance(match, types.ClauseOr):
        return {"any": [clause(one) for one in match.or_]}
    if isinstance(match, types.ClauseAnd):
        return {"all": [clause(one) for one in match.and_]}
    (name, text), = vars(match).items()
    if name == "regex" and text.startswith("^(?!") and text.endswith(")"):
        # Rust's regular expressions cannot look ahead.
        return {"not": {"regex": "^" + text.removeprefix("^(?!").removesuffix(")")}}
    return {name: text if name == "regex" else text.lower()}


def current(prices, day):
    if isinstance(prices, types.ModelPrice):
        return prices
    active = [one.prices for one in prices
              if one.constraint is None
              or isinstance(one.constraint, types.StartDateConstraint) and one.constraint.start_date <= day]
    return active[-1] if active else None


def price(model, day):
    found = current(model.prices, day)
    parts = {name: part for name, part in vars(found).items() if part is not None} if found else {}
    unknown = [name for name in parts if name not in TOKENS and not name.startswith(OTHER)]
    if unknown or "input_mtok" not in parts:
        return None
    base, tiers = {}, {}
    for name, part in parts.items():
        if name not in TOKENS:
            continue
        if isinstance(part, types.TieredPrices):
            base[TOKENS[name]] = str(part.base)
            for tier in part.tiers:
                tiers.setdefault(tier.start, {})[TOKENS[name]] = str(tier.price)
        else:
            base[TOKENS[name]] = str(part)
    base.setdefault("output", "0")
    if tiers:
        base["tiers"] = [{"above": start, **tiers[start]} for start in sorted(tiers)]
    return base


def main():
    day = datetime.date.fromisoformat(sys.argv[1])
    written = []
    for provider in providers:
        models = [{"match": clause(model.match), **found}
                  for model in provider.models if (found := price(model, day)) is not None]
        written.append({"id": provider.id, "name": provider.name, "address": provider.api_pattern,
                        "also": provider.fallback_model_providers or [], "models": models})
    version = importlib.metadata.version("genai-prices")
    head = {"source": f"genai-prices {version}", "day": day.isoformat()}
    print(json.dumps(head)[:-1] + ', "providers": [')
    print(",\n".join(json.dumps(one, separators=(",", ":"), ensure_ascii=False) for one in written))
    print("]}")


main()
