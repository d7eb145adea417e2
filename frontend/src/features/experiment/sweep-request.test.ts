import { expect, test } from "vitest";
import { emptyForm, fieldProblem, requestOf } from "./sweep-request";

test("an empty form is a plain grid", () => {
  expect(requestOf(emptyForm)).toEqual({ kind: "grid" });
});

test("only what was filled in is asked for", () => {
  const form = {
    ...emptyForm,
    kind: "random" as const,
    seed: "0",
    max_runs: " 20 ",
    max_cost: "0.5",
    shuffle: true,
  };
  expect(requestOf(form)).toEqual({ kind: "random", seed: 0, max_runs: 20, max_cost: 0.5 });
});

test("a grid can be shuffled", () => {
  expect(requestOf({ ...emptyForm, shuffle: true })).toEqual({ kind: "grid", strategy: { shuffle: true } });
});

test.each([
  ["seed", "-1"],
  ["max_runs", "0"],
  ["max_runs", "ten"],
  ["max_tokens", "1.5"],
  ["max_cost", "0"],
  ["max_cost", "0.0"],
  ["max_cost", "1e3"],
] as const)("%s cannot be %s", (field, text) => {
  const form = { ...emptyForm, [field]: text };
  expect(fieldProblem(form, field)).toBeDefined();
  expect(requestOf(form)).toBeUndefined();
});
