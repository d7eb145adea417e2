import { expect, test } from "vitest";
import { row } from "@/testing/samples";
import { nextSort, ordered, readSort } from "./leaderboard-order";

const scored = (rank: number, value: number | undefined) =>
  row(rank, { scores: value === undefined ? {} : { x: value } });
const rows = [scored(3, 0.5), scored(1, undefined), scored(2, 0.9), scored(4, 0.5)];

test.each([
  [undefined, [1, 2, 3, 4]],
  ["-score", [1, 2, 3, 4]],
  ["score", [4, 3, 2, 1]],
  ["-scores.x", [2, 3, 4, 1]],
  ["scores.x", [3, 4, 2, 1]],
  ["-scores.unknown", [1, 2, 3, 4]],
  ["nonsense", [1, 2, 3, 4]],
])("sorted by %s", (sort, expected) => {
  expect(ordered(rows, readSort(sort)).map(({ rank }) => rank)).toEqual(expected);
});

test.each([
  [undefined, "scores.x", "-scores.x"],
  ["-scores.x", "scores.x", "scores.x"],
  ["scores.x", "scores.x", "-scores.x"],
  ["-scores.x", "score", undefined],
  [undefined, "score", "score"],
])("from %s a click on %s leads to %s", (sort, by, next) => {
  expect(nextSort(readSort(sort), by)).toBe(next);
});
