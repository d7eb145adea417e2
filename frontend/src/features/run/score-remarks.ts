import type { SampleScore } from "@/api/types";
import { cost, inline, milliseconds, plural, score } from "@/lib/format";

type Metadata = NonNullable<SampleScore["metadata"]>;

/** What a scorer said of an output, in words. */
export type Remarks = {
  /** Whole sentences: the reason of a judge, or why an output is worth nothing. */
  sentences: string[];
  /** What people or programs wrote beside their ratings. */
  comments: string[];
  /** Figures and short words. */
  facts: string[];
};

/** A fact in words; nothing where the value is not of the kind that the scorer of that name gives. */
type Wording = (value: unknown) => string | string[] | undefined;

const isObject = (value: unknown): value is Metadata =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const ofNumber =
  (word: (value: number) => string): Wording =>
  (value) =>
    typeof value === "number" ? word(value) : undefined;

const ofList =
  (title: string): Wording =>
  (value) =>
    Array.isArray(value) ? `${title}: ${value.map(inline).join(", ")}` : undefined;

/** By name; names that are not here come from services. */
const wordings = new Map<string, Wording>(
  Object.entries({
    score: ofNumber((value) => `Grade ${value}`),
    label: (value) => (typeof value === "string" ? `Label: ${value}` : undefined),
    pass: (value) => (typeof value === "boolean" ? (value ? "Passed" : "Not passed") : undefined),
    criteria: (value) =>
      isObject(value) ? Object.entries(value).map(([name, grade]) => `${name} ${inline(grade)}`) : undefined,
    raters: ofNumber((value) => plural(value, "rater")),
    cosine: ofNumber((value) => `Cosine ${score(value)}`),
    latency_ms: ofNumber(milliseconds),
    cost: ofNumber(cost),
    length: ofNumber((value) => `Length ${value}`),
    missing: ofList("Missing"),
    forbidden: ofList("Forbidden"),
    value: ofNumber((value) => `Own value ${score(value)}`),
    checks: (value) =>
      Array.isArray(value) && value.every(isObject)
        ? value.map((check, index) => `Check ${index + 1}: ${checkText(check)}`)
        : undefined,
  }),
);

/** One of several checks that share a name. */
function checkText({ value, ...details }: Metadata): string {
  const { sentences, comments, facts } = remarksOf(details);
  return [inline(value), ...sentences, ...comments, ...facts].join(", ");
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(inline) : value === undefined ? [] : [inline(value)];

export function remarksOf(metadata: Metadata): Remarks {
  const { reason, error, comments, comment, ...rest } = metadata;
  const facts = Object.entries(rest).flatMap(
    ([name, value]) => wordings.get(name)?.(value) ?? `${name}: ${inline(value)}`,
  );
  return {
    sentences: [...texts(reason), ...texts(error)],
    comments: [...texts(comments), ...texts(comment)],
    facts,
  };
}
