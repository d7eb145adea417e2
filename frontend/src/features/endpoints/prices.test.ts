import { expect, test } from "vitest";
import { parsePrices, pricesText } from "./prices";

const prices = {
  small: { input_per_million: 0.15, output_per_million: 0.6 },
  "org/large:v2": { input_per_million: 10, output_per_million: 30 },
};

test("prices read back as they are written", () => {
  expect(pricesText(prices)).toBe("small 0.15 0.6\norg/large:v2 10 30");
  expect(parsePrices(pricesText(prices))).toEqual({ prices });
  expect(parsePrices(" \n small   0.15\t0.6 \n")).toEqual({ prices: { small: prices.small } });
  expect(parsePrices("")).toEqual({ prices: {} });
});

test("prices of caches stand behind the others, and tiers stay as they are known", () => {
  const tiers = [{ above_input_tokens: 200_000, input_per_million: 6, output_per_million: 22.5 }];
  const cached = { input_per_million: 3, output_per_million: 15, cache_read_per_million: 0.3 };
  const known = { a: { ...cached, cache_write_per_million: 3.75, tiers, factor: 0.5 }, b: cached };
  expect(pricesText(known)).toBe("a 3 15 0.3 3.75\nb 3 15 0.3");
  expect(parsePrices(pricesText(known), known)).toEqual({ prices: known });
});

test.each(["small", "small 1", "small 1 x", "small -1 2", "small 1 2 3 4 5", "small 1 2e400"])(
  "%s is no price",
  (line) => {
    expect(parsePrices(`ok 1 2\n${line}`).problem).toMatch(/^Line 2: /);
  },
);
