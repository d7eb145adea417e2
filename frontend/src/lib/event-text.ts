import type { Event } from "@/api/types";
import { cost, count, inline, score, valuesLine } from "./format";

export type EventTone = "good" | "warn" | "bad" | "info" | "violet" | "quiet";

type Data = Event["data"];
type Look = { label: string; tone: EventTone; text?: (data: Data) => string | undefined };

const number = (value: unknown) => (typeof value === "number" ? value : undefined);
const object = (value: unknown) => (typeof value === "object" && value !== null ? (value as Data) : {});

const values = (data: Data) => valuesLine(object(data.values ?? data.config));

function summary(data: Data): string | undefined {
  const { runs, best_score } = object(data.summary);
  const best = number(best_score);
  const parts = [
    number(runs) !== undefined && `${count(number(runs))} runs`,
    best !== undefined && `best ${score(best)}`,
  ];
  return parts.filter(Boolean).join(", ") || undefined;
}

function spent(data: Data): string {
  const money = number(data.cost);
  return `${count(number(data.token_count))} tokens${money === undefined ? "" : `, ${cost(money)}`}`;
}

const scored = (data: Data) => `${inline(data.scorer_name)} ${score(number(data.value))}`;
const said = (name: string) => (data: Data) => (data[name] === undefined ? undefined : inline(data[name]));
const failure = (data: Data) => inline(object(data.error).message ?? data.error);

/** How each type of event is told, in the order in which a filter lists them. */
const looks: Record<string, Look> = {
  "experiment.started": { label: "Sweep started", tone: "info" },
  "experiment.completed": { label: "Sweep completed", tone: "good", text: summary },
  "experiment.paused": { label: "Sweep paused", tone: "warn", text: said("reason") },
  "experiment.resumed": { label: "Sweep resumed", tone: "info" },
  "experiment.stopped": { label: "Sweep stopped", tone: "quiet" },
  "experiment.forked": { label: "Experiment forked", tone: "quiet", text: said("reason") },
  "experiment.redirected": { label: "Sweep redirected", tone: "info", text: said("reason") },
  "experiment.rescored": { label: "Runs scored again", tone: "quiet", text: said("reason") },
  new_best_found: {
    label: "New best",
    tone: "good",
    text: (data) => `${score(number(data.score))} with ${values(data) || "the stages' own values"}`,
  },
  "run.started": { label: "Run started", tone: "quiet", text: values },
  "run.completed": { label: "Run completed", tone: "info", text: (data) => score(number(data.score)) },
  "run.failed": { label: "Run failed", tone: "bad", text: failure },
  "run.pruned": {
    label: "Run pruned",
    tone: "warn",
    text: (data) => `after ${count(number(data.n))} samples`,
  },
  "run.approved": { label: "Run approved", tone: "good" },
  "run.rejected": { label: "Run rejected", tone: "warn" },
  "run.restored": { label: "Run restored", tone: "quiet" },
  "stage.completed": {
    label: "Stage completed",
    tone: "quiet",
    text: (data) => `${inline(data.stage)}, ${count(number(data.samples_done))} samples`,
  },
  "score.added": { label: "Score added", tone: "info", text: scored },
  "cache.hit": {
    label: "From the cache",
    tone: "violet",
    text: (data) => `${count(number(data.hits))} answers`,
  },
  "budget.exhausted": { label: "Budget used up", tone: "warn", text: spent },
  human_needed: { label: "A person is needed", tone: "warn", text: said("reason") },
  human_answered: { label: "A person answered", tone: "info", text: said("answer") },
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
  const look = looks[type];
  const run = data.run_id ?? data.best_run_id;
  return {
    label: look?.label ?? type,
    tone: look?.tone ?? "quiet",
    detail: look?.text?.(data),
    runId: typeof run === "string" ? run : undefined,
  };
}
