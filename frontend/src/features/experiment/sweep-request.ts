import type { SweepRequest } from "@/api/types";

/** The form as typed: texts, because a half-typed number is not one. */
export type SweepForm = {
  kind: "grid" | "random";
  shuffle: boolean;
  seed: string;
  max_runs: string;
  max_tokens: string;
  max_cost: string;
};

export const emptyForm: SweepForm = {
  kind: "grid",
  shuffle: false,
  seed: "",
  max_runs: "",
  max_tokens: "",
  max_cost: "",
};

type NumberField = "seed" | "max_runs" | "max_tokens" | "max_cost";

const rules: Record<NumberField, { pattern: RegExp; advice: string }> = {
  seed: { pattern: /^\d{1,15}$/, advice: "Enter a whole number." },
  max_runs: { pattern: /^[1-9]\d{0,14}$/, advice: "Enter a whole number above zero." },
  max_tokens: { pattern: /^[1-9]\d{0,14}$/, advice: "Enter a whole number above zero." },
  max_cost: {
    pattern: /^(?=.*[1-9])\d{0,9}(\.\d{1,9})?$/,
    advice: "Enter an amount in US dollars above zero.",
  },
};

const fields = Object.keys(rules) as NumberField[];

/** What is wrong with a field; an empty one is simply absent. */
export function fieldProblem(form: SweepForm, field: NumberField): string | undefined {
  const text = form[field].trim();
  return text === "" || rules[field].pattern.test(text) ? undefined : rules[field].advice;
}

/** What is wrong with a limit that has to be set. */
export function limitProblem(field: "max_tokens" | "max_cost", text: string): string | undefined {
  return rules[field].pattern.test(text.trim()) ? undefined : rules[field].advice;
}

/** The request that a form stands for; nothing while a field is wrong. */
export function requestOf(form: SweepForm): SweepRequest | undefined {
  if (fields.some((field) => fieldProblem(form, field))) return undefined;
  const request: SweepRequest = { kind: form.kind };
  for (const field of fields) {
    const text = form[field].trim();
    if (text !== "") request[field] = Number(text);
  }
  if (form.kind === "grid" && form.shuffle) request.strategy = { shuffle: true };
  return request;
}
