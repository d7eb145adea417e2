import { expect, test } from "vitest";
import {
  block,
  compact,
  cost,
  count,
  hitRate,
  inline,
  milliseconds,
  percent,
  score,
  seconds,
} from "./format";

test.each([
  [count(1234567), "1,234,567"],
  [count(undefined), "–"],
  [compact(9999), "9,999"],
  [compact(1234567), "1.23M"],
  [score(0.87), "0.870"],
  [score(Number.NaN), "–"],
  [percent(0.256), "25.6 %"],
  [cost(0), "$0"],
  [cost(12.3456), "$12.35"],
  [cost(0.0123), "$0.0123"],
  [cost(0.00001234), "$0.0000123"],
  [cost(0.0000001), "< $0.000001"],
  [cost(undefined), "–"],
  [milliseconds(412.4), "412 ms"],
  [milliseconds(1500), "1.5 s"],
  [milliseconds(90_000), "1 min 30 s"],
  [seconds(3725), "1 h 2 min"],
  [seconds(90_000), "1 d 1 h"],
  [hitRate(10, 30), "25.0 %"],
  [hitRate(0, 0), "–"],
  [inline("as it is"), "as it is"],
  [inline({ a: [1] }), '{"a":[1]}'],
  [inline(undefined), "–"],
  [block({ a: 1 }), '{\n  "a": 1\n}'],
  [block(undefined), ""],
])("%s is %s", (shown, expected) => {
  expect(shown).toBe(expected);
});
