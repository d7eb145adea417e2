import type { EndpointDraft } from "@/api/types";

export type Kind = EndpointDraft["kind"];

export const kinds: Record<Kind, string> = {
  openai: "OpenAI-compatible",
  anthropic: "Anthropic",
  simulated: "Built-in simulation",
};

/** The base URL of each kind, as an example; the simulation has none. */
export const urls: Partial<Record<Kind, string>> = {
  openai: "http://127.0.0.1:8000/v1",
  anthropic: "https://api.anthropic.com/v1",
};

export const isKind = (text: string): text is Kind => text in kinds;
