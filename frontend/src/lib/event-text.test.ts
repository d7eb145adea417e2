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

test("a rescoring is told with its progress, and with its end", () => {
  const progress = { label: "Rescoring runs", tone: "quiet", detail: "scored 12 of 40 runs again" };
  expect(told("experiment.rescored", { runs: 40, done: 12, finished: false })).toEqual(progress);
  const end = { label: "Runs rescored", tone: "info", detail: "scored 40 runs again" };
  expect(told("experiment.rescored", { runs: 40, done: 40, finished: true })).toEqual(end);
  expect(told("experiment.rescored", { runs: 1, done: 0, finished: true }).detail).toBe(
    "scored 0 of 1 run again",
  );
});

test("a score is told with what it is of", () => {
  const rating = { run_id: "r1", scorer_name: "human_rating", value: 0.75 };
  expect(told("score.added", { ...rating, sample_index: 3 }).detail).toBe("human_rating 0.750, sample 3");
  expect(told("score.added", { ...rating, sample_index: null }).detail).toBe(
    "human_rating 0.750, all samples",
  );
});
