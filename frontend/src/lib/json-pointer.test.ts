import { expect, test } from "vitest";
import { lineOfPointer, parseJson } from "./json-pointer";

const text = `{
  "name": "a \\"b\\" { [",
  "stages": [
    { "name": "one", "tags": [1, 2] },
    {
      "name": "two",
      "a/b": { "~": true }
    }
  ],
  "last": 1
}`;

test.each([
  ["", 1],
  ["/name", 2],
  ["/stages", 3],
  ["/stages/0", 4],
  ["/stages/0/tags/1", 4],
  ["/stages/1", 5],
  ["/stages/1/name", 6],
  ["/stages/1/a~1b", 7],
  ["/stages/1/a~1b/~0", 7],
  ["/last", 10],
  ["/stages/1/missing", 5],
  ["/nowhere/at/all", 1],
])("%s begins on line %d", (pointer, line) => {
  expect(lineOfPointer(text, pointer)).toBe(line);
});

test("a text that is no JSON says on which line", () => {
  expect(parseJson('{\n  "a": 1,\n  oops\n}')).toMatchObject({ ok: false, line: 3 });
  expect(parseJson('{\n  "a": 1\n')).toMatchObject({ ok: false, line: 3 });
});
