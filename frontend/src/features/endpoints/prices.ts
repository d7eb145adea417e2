import type { EndpointDraft } from "@/api/types";

export type Prices = NonNullable<EndpointDraft["prices"]>;
type Price = Prices[string];

type Parsed = { prices: Prices; problem?: undefined } | { problem: string };

const rates = [
  "input_per_million",
  "output_per_million",
  "cache_read_per_million",
  "cache_write_per_million",
] as const;

/**
 * Prices as text, one model per line: name, input price, output price, and where it has them the prices of cached input and of
 * cache writes (USD per 1M tokens).
 */
export function pricesText(prices: Prices): string {
  const lines = Object.entries(prices).map(([model, price]) => [model, ...numbersOf(price)].join(" "));
  return lines.join("\n");
}

/** A price of cache writes stands behind one of cached input, which is that of other input where there is none. */
function numbersOf(price: Price): number[] {
  const { input_per_million: input, output_per_million: output } = price;
  const { cache_read_per_million: read, cache_write_per_million: write } = price;
  if (write !== undefined) return [input, output, read ?? input, write];
  return read === undefined ? [input, output] : [input, output, read];
}

/** The prices in such a text, or what is wrong with it. Tiers and factors, which it does not show, stay as they are known. */
export function parsePrices(text: string, known: Prices = {}): Parsed {
  const prices: Prices = {};
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const [model, ...numbers] = line.trim().split(/\s+/);
    const price = priceOf(numbers);
    if (!model || !price) {
      return {
        problem: `Line ${index + 1}: expected a model name and two to four prices, such as: gpt-4o-mini 0.15 0.6`,
      };
    }
    const { tiers, factor } = known[model] ?? {};
    prices[model] = { ...price, ...(tiers && { tiers }), ...(factor !== undefined && { factor }) };
  }
  return { prices };
}

function priceOf(numbers: string[]): Price | undefined {
  const right =
    numbers.length >= 2 && numbers.length <= 4 && numbers.every((each) => /^\d+(\.\d+)?$/.test(each));
  if (!right) return undefined;
  return Object.fromEntries(numbers.map((each, place) => [rates[place], Number(each)])) as Price;
}
