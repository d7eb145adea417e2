import { expect, test } from "vitest";
import { remarksOf } from "./score-remarks";

const nothing = { sentences: [], comments: [], facts: [] };

test.each([
  [
    { reason: "It is right.", score: 4 },
    { sentences: ["It is right."], facts: ["Grade 4"] },
  ],
  [{ criteria: { clarity: 4, tone: 2 } }, { facts: ["clarity 4", "tone 2"] }],
  [{ label: "fair" }, { facts: ["Label: fair"] }],
  [
    { pass: false, reason: "Too long." },
    { sentences: ["Too long."], facts: ["Not passed"] },
  ],
  [
    { raters: 2, comments: ["good", "too short"] },
    { comments: ["good", "too short"], facts: ["2 raters"] },
  ],
  [
    { comment: "from the linter", rule: "E501" },
    { comments: ["from the linter"], facts: ["rule: E501"] },
  ],
  [{ cosine: 0.91234 }, { facts: ["Cosine 0.912"] }],
  [{ latency_ms: 1840 }, { facts: ["1.8 s"] }],
  [{ cost: 0.00042 }, { facts: ["$0.000420"] }],
  [{ missing: ["refund", "date"] }, { facts: ["Missing: refund, date"] }],
  [{ error: "the output is empty" }, { sentences: ["the output is empty"] }],
  [
    { checks: [{ value: 0.5, missing: ["a"] }, { value: 1 }] },
    { facts: ["Check 1: 0.5, Missing: a", "Check 2: 1"] },
  ],
])("the details %j are said in words", (metadata, said) => {
  expect(remarksOf(metadata)).toEqual({ ...nothing, ...said });
});

test("details of services that use these names otherwise are shown as they are", () => {
  const metadata = {
    score: "high",
    label: ["a"],
    pass: "yes",
    criteria: [1],
    checks: "none",
    raters: null,
    toString: 1,
  };
  expect(remarksOf(metadata).facts).toEqual([
    "score: high",
    'label: ["a"]',
    "pass: yes",
    "criteria: [1]",
    "checks: none",
    "raters: null",
    "toString: 1",
  ]);
});
