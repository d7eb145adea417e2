import type { Event } from "@/api/types";
import { cost, count, inline, plural, score, valuesLine } from "./format";

export type EventTone = "good" | "warn" | "bad" | "info" | "violet" | "quiet";

type Data = Event["data"];
type Look = {
  label: string;
  tone: EventTone;
  text?: (data: Data) => string | undefined;
  /** How it is told instead where its data says more than its type. */
  variant?: (data: Data) => Look | undefined;
};

const number = (value: unknown) => (typeof value === "number" ? value : undefined);
const object = (value: unknown) => (typeof value === "object" && value !== null ? (value as Data) : {});

const values = (data: Data) => valuesLine(object(data.values ?? data.config));

function summary(data: Data): string | undefined {
  const { runs, best_score } = object(data.summary);
  const [total, best] = [number(runs), number(best_score)];
  const parts = [total !== undefined && plural(total, "run"), best !== undefined && `best ${score(best)}`];
  return parts.filter(Boolean).join(", ") || undefined;
}

/** A sweep whose runs all failed is told as completed, but is no success. */
function failedSweep(data: Data): Look | undefined {
  const { runs, failed } = object(data.summary);
  const total = number(runs) ?? 0;
  if (total === 0 || number(failed) !== total) return undefined;
  const text = () => (total === 1 ? "the only run failed" : `all ${plural(total, "run")} failed`);
  return { label: "Sweep failed", tone: "bad", text };
}

const amount = (value: unknown, noun: string) => plural(number(value) ?? 0, noun);

function spent(data: Data): string {
  const money = number(data.cost);
  return `${count(number(data.token_count))} tokens${money === undefined ? "" : `, ${cost(money)}`}`;
}

/** Without a sample, all samples of the run are meant. */
function scored(data: Data): string {
  const sample = number(data.sample_index);
  const where = sample === undefined ? "all samples" : `sample ${sample}`;
  return `${inline(data.scorer_name)} ${score(number(data.value))}, ${where}`;
}

/** How many of the runs have new scores so far; some may have none in the end. */
function rescored(data: Data): string | undefined {
  const [runs, done] = [number(data.runs), number(data.done)];
  if (runs === undefined || done === undefined) return undefined;
  const share = done === runs ? plural(runs, "run") : `${count(done)} of ${plural(runs, "run")}`;
  return `scored ${share} again`;
}

function runningRescoring(data: Data): Look | undefined {
  return data.finished === false ? { label: "Rescoring runs", tone: "quiet", text: rescored } : undefined;
}

const field = (name: string) => (data: Data) => (data[name] === undefined ? undefined : inline(data[name]));
const failure = (data: Data) => inline(object(data.error).message ?? data.error);

/** Who paused a sweep by hand is told anyway. */
function pauseReason(data: Data): string | undefined {
  return data.reason === "manual" ? undefined : field("reason")(data);
}

/** How each type of event is told, in the order in which a filter lists them. */
const looks: Record<string, Look> = {
  "experiment.started": { label: "Sweep started", tone: "info" },
  "experiment.completed": { label: "Sweep completed", tone: "good", text: summary, variant: failedSweep },
  "experiment.paused": { label: "Sweep paused", tone: "warn", text: pauseReason },
  "experiment.resumed": { label: "Sweep resumed", tone: "info" },
  "experiment.stopped": { label: "Sweep stopped", tone: "quiet" },
  "experiment.forked": { label: "Experiment forked", tone: "quiet", text: field("reason") },
  "experiment.redirected": { label: "Sweep redirected", tone: "info", text: field("reason") },
  "experiment.rescored": {
    label: "Runs rescored",
    tone: "info",
    text: rescored,
    variant: runningRescoring,
  },
  new_best_found: {
    label: "New best",
    tone: "good",
    text: (data) => `${score(number(data.score))} with ${values(data) || "the default values"}`,
  },
  "run.started": { label: "Run started", tone: "quiet", text: values },
  "run.completed": { label: "Run completed", tone: "info", text: (data) => score(number(data.score)) },
  "run.failed": { label: "Run failed", tone: "bad", text: failure },
  "run.pruned": {
    label: "Run pruned",
    tone: "warn",
    text: (data) => `after ${amount(data.n, "sample")}`,
  },
  "run.approved": { label: "Run approved", tone: "good" },
  "run.rejected": { label: "Run rejected", tone: "warn" },
  "run.restored": { label: "Run restored", tone: "quiet" },
  "stage.completed": {
    label: "Stage completed",
    tone: "quiet",
    text: (data) => `${inline(data.stage)}, ${amount(data.samples_done, "sample")}`,
  },
  "score.added": { label: "Score added", tone: "info", text: scored },
  "cache.hit": {
    label: "Cache hit",
    tone: "violet",
    text: (data) => amount(data.hits, "answer"),
  },
  "budget.exhausted": { label: "Budget exhausted", tone: "warn", text: spent },
  human_needed: { label: "Input needed", tone: "warn", text: field("reason") },
  human_answered: { label: "Input received", tone: "info", text: field("answer") },
};

export const eventTypes = Object.entries(looks).map(([type, { label }]) => ({ type, label }));

export type EventText = {
  label: string;
  tone: EventTone;
  detail: string | undefined;
  runId: string | undefined;
};

/** An event in words. A type that is not known yet speaks for itself. */
export function describeEvent({ type, data }: Event): EventText {
  const look = looks[type]?.variant?.(data) ?? looks[type];
  const run = data.run_id ?? data.best_run_id;
  return {
    label: look?.label ?? type,
    tone: look?.tone ?? "quiet",
    detail: look?.text?.(data),
    runId: typeof run === "string" ? run : undefined,
  };
}
