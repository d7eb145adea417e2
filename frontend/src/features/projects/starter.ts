import type { Endpoint } from "@/api/types";

/** A chat model that an endpoint surely has: one of the simulation's, or one with a price, which embeddings have for input alone. */
function modelOf(endpoint: Endpoint | undefined): string {
  if (endpoint?.kind === "simulated") return "sim-small";
  const priced = Object.entries(endpoint?.prices ?? {});
  const chat = priced.find(([, { output_per_million: output }]) => output > 0);
  return (chat ?? priced[0])?.[0] ?? "MODEL";
}

/** A small experiment that works once its endpoint does; on the simulation where there is no other endpoint. */
export function starterDocument(endpoints: Endpoint[]): string {
  const endpoint = endpoints.find(({ kind }) => kind !== "simulated") ?? endpoints[0];
  const document = {
    name: "ticket-triage",
    description: "Which temperature and tone sort tickets best",
    sample_data: [
      { input: "My card was charged twice", reference: "billing" },
      { input: "The app crashes on start", reference: "bug" },
    ],
    pipeline_stages: [
      {
        name: "classify",
        kind: "llm",
        endpoint: endpoint?.label ?? "default",
        model: modelOf(endpoint),
        system: "You sort support tickets.",
        prompt: "Answer with one word: billing or bug. Tone: {{ params.tone }}. Ticket: {{ sample.input }}",
        parameters: { temperature: 0.2, max_tokens: 16 },
      },
    ],
    scoring_config: [
      { scorer: "exact_match", weight: 2, options: { ignore_case: true } },
      { scorer: "length", options: { unit: "words", max: 1 } },
    ],
    parameter_space: {
      temperature: { target: "classify.temperature", type: "float", low: 0.1, high: 0.9, step: 0.4 },
      tone: { type: "choice", values: ["neutral", "friendly"] },
    },
    repeats: 1,
  };
  return JSON.stringify(document, null, 2);
}
