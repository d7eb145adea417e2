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

test.each(["small", "small 1", "small 1 x", "small -1 2", "small 1 2 3", "small 1 2e400"])(
  "%s is no price",
  (line) => {
    expect(parsePrices(`ok 1 2\n${line}`).problem).toMatch(/^Line 2: /);
  },
);
