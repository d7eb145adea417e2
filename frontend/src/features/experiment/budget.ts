import type { ResumeRequest, Sweep } from "@/api/types";
import { cost, count } from "@/lib/format";

export type BudgetField = "max_tokens" | "max_cost";

/** A limit of a sweep that pauses it, and what is spent of it. */
export type Budget = { field: BudgetField; spent: number; limit: number };

/** What counts against a token budget: calls whose outcome is unknown do too. */
export const spentTokens = (sweep: Sweep) => sweep.tokens_in + sweep.tokens_out + sweep.tokens_unknown;

/** The budgets of a sweep, the most used first. */
export function budgetsOf(sweep: Sweep): Budget[] {
  const { max_tokens, max_cost } = sweep.limits;
  const budgets: Budget[] = [];
  if (max_tokens !== undefined) {
    budgets.push({ field: "max_tokens", spent: spentTokens(sweep), limit: max_tokens });
  }
  if (max_cost !== undefined) budgets.push({ field: "max_cost", spent: sweep.cost ?? 0, limit: max_cost });
  return budgets.sort((a, b) => b.spent / b.limit - a.spent / a.limit);
}

/** "138 of 250 tokens", "$0.42 of $1.00". */
export function budgetText({ field, spent, limit }: Budget): string {
  if (field === "max_cost") return `${cost(spent)} of ${cost(limit)}`;
  return `${count(spent)} of ${count(limit)} tokens`;
}

/** Whether the sweep waits for a larger budget. */
export function isOutOfBudget(sweep: Sweep | undefined): sweep is Sweep {
  return sweep?.status === "paused" && sweep.pause_reason === "budget" && budgetsOf(sweep).length > 0;
}

/** The limits as first suggested: twice the one that is used up most, the others as they are. */
export function suggestedLimits(budgets: Budget[]): Record<string, string> {
  const suggested = budgets.map(({ field, limit }, index) => [field, text(index === 0 ? 2 * limit : limit)]);
  return Object.fromEntries(suggested);
}

const text = (value: number) => String(Number(value.toPrecision(12)));

/** The request that raises what was changed. */
export function raisedLimits(budgets: Budget[], typed: Record<string, string>): ResumeRequest {
  const changed = budgets
    .map(({ field, limit }) => ({ field, limit, value: Number(typed[field]) }))
    .filter(({ limit, value }) => value !== limit);
  return Object.fromEntries(changed.map(({ field, value }) => [field, value]));
}
