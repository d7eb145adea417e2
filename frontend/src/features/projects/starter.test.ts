import { expect, test } from "vitest";
import type { Endpoint } from "@/api/types";
import { starterDocument } from "./starter";

const price = (output: number) => ({ input_per_million: 1, output_per_million: output });

test.each([
  ["simulated", { "sim-embed": price(0), "sim-large": price(10) }, "sim-small"],
  ["openai", { "embed-3": price(0), "gpt-4o": price(10) }, "gpt-4o"],
  ["openai", { "embed-3": price(0) }, "embed-3"],
  ["openai", {}, "MODEL"],
])("a starter on %s with %o asks %s", (kind, prices, model) => {
  const endpoint = { label: "e", kind, prices } as unknown as Endpoint;
  expect(JSON.parse(starterDocument([endpoint])).pipeline_stages[0].model).toBe(model);
});
