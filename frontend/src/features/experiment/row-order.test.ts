import { expect, test } from "vitest";
import { countNew, type Entry, keepsPlaces, settle } from "./row-order";

/** "a:0.9 b:0.8" → two rows with these figures. */
const list = (text: string): Entry<string>[] =>
  text.split(" ").map((part) => {
    const [id = "", figure = ""] = part.split(":");
    return { id, row: part, figure };
  });
const ids = (entries: Entry<string>[]) => entries.map(({ id }) => id).join(" ");

test.each([
  ["a:0.9 b:0.9", "b:0.9 a:0.9", "a b", "a difference that is not displayed moves nothing"],
  ["a:0.9 b:0.8", "b:0.9 a:0.8", "b a", "a displayed one does"],
  ["a:0.9 b:0.9", "c:0.9 b:0.9 a:0.9", "a b c", "a new row with the same figure comes last"],
  ["a:0.9 b:0.8", "a:0.9 c:0.85 b:0.8", "a c b", "a new row takes its place"],
])("%s, then %s: %s, because %s", (shown, latest, expected) => {
  expect(ids(settle(list(shown), list(latest)))).toBe(expected);
});

test.each([
  ["a:1 b:1", "a:1 b:2 c:3", true],
  ["a:1 b:1", "c:1 a:1 b:1", false],
  ["a:1 b:1", "a:1", false],
])("%s, then %s: places are kept: %s", (shown, next, expected) => {
  expect(keepsPlaces(list(shown), list(next))).toBe(expected);
});

test("new and changed rows are counted", () => {
  expect(countNew(list("a:0.9 b:0.8"), list("c:0.95 a:0.9 b:0.7"))).toBe(2);
});
