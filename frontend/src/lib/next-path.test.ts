import { expect, test } from "vitest";
import { nextPath } from "./next-path";

test.each([
  ["/experiments/1?tab=configuration", "/experiments/1?tab=configuration"],
  [undefined, "/projects"],
  ["", "/projects"],
  ["https://elsewhere.example", "/projects"],
  ["//elsewhere.example", "/projects"],
  ["/\\elsewhere.example", "/projects"],
  ["/login?next=/login", "/projects"],
])("after signing in, %s leads to %s", (next, path) => {
  expect(nextPath(next)).toBe(path);
});
