import { expect, test } from "vitest";
import { chartData, scoreRange, timeRange } from "./chart-data";

const at = (second: number) => `2026-04-06T12:00:0${second}Z`;
const start = Date.parse(at(0)) / 1000;

test("the line goes on at its last height until now", () => {
  expect(
    chartData(
      [
        [at(0), 0.5],
        [at(2), 0.7],
      ],
      at(5),
    ),
  ).toEqual([
    [start, start + 2, start + 5],
    [0.5, 0.7, 0.7],
  ]);
});

test("an end before the last point adds nothing", () => {
  expect(chartData([[at(3), 0.5]], at(1))).toEqual([[start + 3], [0.5]]);
  expect(chartData([], undefined)).toEqual([[], []]);
});

test("ranges stay within what scores can be, and never collapse", () => {
  expect(scoreRange(0.99, 1)).toEqual([0.97, 1]);
  expect(scoreRange(0, 0)[1]).toBeGreaterThan(0);
  expect(scoreRange(null, null)).toEqual([0, 1]);
  const [from, to] = timeRange(start, start);
  expect(to - from).toBe(10);
});
