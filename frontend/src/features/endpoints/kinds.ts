import type { EndpointDraft } from "@/api/types";

export type Kind = EndpointDraft["kind"];

export const kinds: Record<Kind, string> = {
  openai: "OpenAI-compatible",
  simulated: "Built-in simulation",
};

export const isKind = (text: string): text is Kind => text in kinds;
