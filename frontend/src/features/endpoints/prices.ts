import type { EndpointDraft } from "@/api/types";

export type Prices = NonNullable<EndpointDraft["prices"]>;

type Parsed = { prices: Prices; problem?: undefined } | { problem: string };

/** Prices as text, one model per line: name, input price, output price (USD per 1M tokens). */
export function pricesText(prices: Prices): string {
  const lines = Object.entries(prices).map(
    ([model, price]) => `${model} ${price.input_per_million} ${price.output_per_million}`,
  );
  return lines.join("\n");
}

/** The prices in such a text, or what is wrong with it. */
export function parsePrices(text: string): Parsed {
  const prices: Prices = {};
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const [model, ...numbers] = line.trim().split(/\s+/);
    const [input, output] = numbers.map(Number);
    const right = numbers.length === 2 && numbers.every((each) => /^\d+(\.\d+)?$/.test(each));
    if (!model || !right || input === undefined || output === undefined) {
      return {
        problem: `Line ${index + 1}: expected a model name and two prices, such as: gpt-4o-mini 0.15 0.6`,
      };
    }
    prices[model] = { input_per_million: input, output_per_million: output };
  }
  return { prices };
}
