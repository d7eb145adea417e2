import { expect, test } from "vitest";
import { describeEvent } from "./event-text";

const told = (type: string, data: Record<string, unknown>) => {
  const { label, tone, detail } = describeEvent({ seq: 1, type, at: "2026-04-06T12:00:00Z", data });
  return { label, tone, detail };
};
const completed = (summary: Record<string, unknown>) => told("experiment.completed", { summary });

test("a sweep in which every run failed is told as failed", () => {
  const failed = { label: "Sweep failed", tone: "bad" };
  expect(completed({ runs: 12, failed: 12 })).toEqual({ ...failed, detail: "all 12 runs failed" });
  expect(completed({ runs: 1, failed: 1 })).toEqual({ ...failed, detail: "the only run failed" });
});

test("a sweep with any result is told as completed", () => {
  const detail = "12 runs, best 0.900";
  expect(completed({ runs: 12, failed: 11, best_score: 0.9 })).toEqual({
    label: "Sweep completed",
    tone: "good",
    detail,
  });
  expect(completed({ runs: 1, failed: 0, best_score: 0.9 }).detail).toBe("1 run, best 0.900");
});

test("a pause is told with its reason, unless somebody made it", () => {
  expect(told("experiment.paused", { reason: "budget" }).detail).toBe("budget");
  expect(told("experiment.paused", { reason: "manual" }).detail).toBeUndefined();
});
