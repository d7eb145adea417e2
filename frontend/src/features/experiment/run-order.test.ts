import { expect, test } from "vitest";
import { nextSort, readSort, type Sort } from "./run-order";

const byRank: Sort = { by: "score", descending: true };

test.each([
  [undefined, byRank],
  ["score", { by: "score", descending: false }],
  ["-scores.x", { by: "scores.x", descending: true }],
])("the address %s", (text, sort) => {
  expect(readSort(text, byRank)).toEqual(sort);
});

test.each([
  [undefined, "scores.x", "-scores.x"],
  ["-scores.x", "scores.x", "scores.x"],
  ["scores.x", "scores.x", "-scores.x"],
  ["-scores.x", "score", undefined],
  [undefined, "score", "score"],
  [undefined, "cost_estimate", "cost_estimate"],
  ["cost_estimate", "cost_estimate", "-cost_estimate"],
  [undefined, "values.tone", "values.tone"],
])("from %s a click on %s leads to %s", (sort, by, next) => {
  expect(nextSort(readSort(sort, byRank), by, byRank)).toBe(next);
});
