import type { LiveMessage } from "@/api/live/messages";
import type { ExperimentDetail, LeaderboardRow, RunDetail, RunSample, Sweep } from "@/api/types";

export const at = "2026-04-06T12:00:00Z";

export function sweep(part: Partial<Sweep> = {}): Sweep {
  return {
    id: "s1",
    experiment_id: "e1",
    kind: "grid",
    status: "running",
    seed: 1,
    limits: {},
    progress: { total: 10, completed: 3, failed: 1, cached: 2, pruned: 0, cancelled: 0, running: 2 },
    tokens_in: 1200,
    tokens_out: 300,
    calls: 30,
    cache_hits: 10,
    calls_saved: 0,
    calls_unknown: 0,
    tokens_unknown: 0,
    allowed: ["pause", "stop"],
    started_at: at,
    eta_seconds: 90,
    ...part,
  };
}

export function experiment(part: Partial<ExperimentDetail> = {}): ExperimentDetail {
  return {
    id: "e1",
    project_id: "p1",
    name: "ticket-triage",
    status: "running",
    created_at: at,
    updated_at: at,
    runs: { pending: 0, running: 0, completed: 0, failed: 0, cached: 0, pruned: 0, cancelled: 0 },
    sample_data: { count: 40, items: [{ input: "My card was charged twice", reference: "billing" }] },
    documents: [],
    repeats: 1,
    holdout: 0,
    pipeline_stages: [{ name: "classify", kind: "llm", prompt: "Sort: {{ sample.input }}" }],
    scoring_config: [{ scorer: "exact_match" }],
    parameter_space: { tone: { type: "choice", values: ["neutral", "friendly"] } },
    ...part,
  };
}

export function row(rank: number, part: Partial<LeaderboardRow> = {}): LeaderboardRow {
  const score = 1 - rank / 10;
  return {
    rank,
    run_id: `r${rank}`,
    values: { tone: `tone-${rank}` },
    status: "completed",
    score,
    ci_low: score - 0.05,
    ci_high: score + 0.05,
    n: 20,
    n_total: 20,
    scores: { exact_match: rank / 10 },
    tokens_in: 10,
    tokens_out: 2,
    latency_ms: 120,
    ties_best: false,
    p_best: 0.1,
    ...part,
  };
}

export function run(part: Partial<RunDetail> = {}): RunDetail {
  return {
    id: "r1",
    experiment_id: "e1",
    config_hash: "a".repeat(64),
    config: { values: { tone: "friendly" }, stages: [] },
    status: "completed",
    samples: { total: 2, done: 2, failed: 0 },
    score: 0.875,
    scores: { exact_match: { value: 0.875, ci_low: 0.8, ci_high: 0.95, n: 2, failed: 0 } },
    tokens_in: 100,
    tokens_out: 20,
    paid: { tokens_in: 50, tokens_out: 10 },
    latency_ms: 420,
    flags: {},
    duration_ms: 1500,
    stage_results: { count: 0, items: [] },
    ...part,
  };
}

export function runSample(index: number, part: Partial<RunSample> = {}): RunSample {
  return {
    sample_index: index,
    repeat: 1,
    input: `input ${index}`,
    score: 1,
    stages: [
      {
        stage_index: 0,
        stage: "classify",
        sample_index: index,
        repeat: 1,
        prompt_sent: [{ role: "user", content: `Sort: input ${index}` }],
        response_raw: `answer ${index}`,
        model_used: "qwen",
        parameters: {},
        tokens_in: 12,
        tokens_out: 3,
        latency_ms: 210,
        cached: true,
        flags: ["truncated"],
      },
    ],
    scores: [{ scorer_name: "exact_match", value: 1, metadata: { reason: "equal" } }],
    ...part,
  };
}

export function event(seq: number, type: string, data: LiveMessage["data"] = {}, by?: string): LiveMessage {
  const second = String(seq % 60).padStart(2, "0");
  return { seq, type, at: `2026-04-06T12:00:${second}Z`, data, ...(by && { by }) };
}
