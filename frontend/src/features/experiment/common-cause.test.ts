import { expect, test } from "vitest";
import { commonCause } from "./common-cause";

const failed = (message: string) => ({ error: { kind: "endpoint", message } });

test.each([
  [["a", "b", "b"], "b", 2],
  [["a", "b"], "a", 1],
])("of the errors %j the most frequent is %s", (messages, message, count) => {
  expect(commonCause(messages.map(failed))).toEqual({ error: { kind: "endpoint", message }, count });
});

test("runs without an error have no cause", () => {
  expect(commonCause([{}])).toBeUndefined();
});
