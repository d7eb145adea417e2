import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answerOf, client, done } from "./client";
import { everyPage, fullPage } from "./pages";
import type {
  DryRun,
  ExperimentDraft,
  ExportFormat,
  ResumeRequest,
  RunStatus,
  Sweep,
  SweepRequest,
} from "./types";

const at = (id: string) => ({ params: { path: { id } } });

export const experimentKey = (id: string) => ["experiments", id] as const;
export const leaderboardKey = (id: string) => ["experiments", id, "leaderboard"] as const;

export const sweepsKey = (id: string) => ["experiments", id, "sweeps"] as const;

export const projectExperimentsQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["projects", projectId, "experiments"],
    queryFn: ({ signal }) =>
      everyPage((page) =>
        answerOf(
          client.GET("/experiments", { params: { query: { project_id: projectId, ...page } }, signal }),
        ),
      ),
  });

/** The newest experiments of all projects. */
export const newestExperimentsQuery = queryOptions({
  queryKey: ["experiments"],
  queryFn: async ({ signal }) =>
    (await answerOf(client.GET("/experiments", { params: { query: { limit: 500 } }, signal }))).items,
});

export const experimentQuery = (id: string) =>
  queryOptions({
    queryKey: experimentKey(id),
    queryFn: ({ signal }) => answerOf(client.GET("/experiments/{id}", { ...at(id), signal })),
  });

/** How runs are sorted and which of them are wanted, as the server is asked. */
export type RunView = { sort?: string; status?: RunStatus; values?: string[] };

export const leaderboardQuery = (id: string, view: RunView) =>
  infiniteQueryOptions({
    queryKey: [...leaderboardKey(id), view],
    queryFn: ({ signal, pageParam }) =>
      fullPage({ limit: 100, ...(pageParam && { cursor: pageParam }) }, (page) => {
        const params = { path: { id }, query: { ...view, ...page } };
        return answerOf(client.GET("/experiments/{id}/leaderboard", { params, signal }));
      }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

export const sweepsQuery = (id: string) =>
  queryOptions({
    queryKey: sweepsKey(id),
    queryFn: ({ signal }) =>
      everyPage((query) =>
        answerOf(client.GET("/experiments/{id}/sweeps", { params: { path: { id }, query }, signal })),
      ),
  });

export const failuresKey = (id: string) => ["experiments", id, "failures"] as const;

/** Why samples and runs of a sweep failed, the most frequent reason first. */
export const failuresQuery = (id: string, sweepId: string) =>
  queryOptions({
    queryKey: [...failuresKey(id), sweepId],
    queryFn: async ({ signal }) => {
      const params = { path: { id }, query: { sweep_id: sweepId } };
      return (await answerOf(client.GET("/experiments/{id}/failures", { params, signal }))).items;
    },
  });

export const createExperiment = (body: ExperimentDraft) => answerOf(client.POST("/experiments", { body }));
export const replaceExperiment = (id: string, body: ExperimentDraft) =>
  answerOf(client.PUT("/experiments/{id}", { ...at(id), body }));
export const deleteExperiment = (id: string) => done(client.DELETE("/experiments/{id}", at(id)));
export const previewExperiment = (document: ExperimentDraft) =>
  answerOf(client.POST("/experiments/preview", { body: { document } }));

export const startSweep = async (id: string, body: SweepRequest) =>
  (await answerOf(client.POST("/experiments/{id}/sweep", { ...at(id), body }))) as Sweep;

export const dryRunQuery = (id: string, body: SweepRequest) =>
  queryOptions({
    queryKey: ["experiments", id, "dry-run", body],
    queryFn: async ({ signal }) => {
      await pause(250, signal);
      const request = { ...at(id), body: { ...body, dry_run: true }, signal };
      return (await answerOf(client.POST("/experiments/{id}/sweep", request))) as DryRun;
    },
    retry: false,
    gcTime: 0,
  });

/** Lets whoever types finish: a key that changes meanwhile aborts the wait. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

export const pauseSweep = (id: string, now = false) =>
  answerOf(client.POST("/experiments/{id}/pause", { ...at(id), body: { now } }));
export const resumeSweep = (id: string, limits: ResumeRequest = {}) =>
  answerOf(client.POST("/experiments/{id}/resume", { ...at(id), body: limits }));
export const stopSweep = (id: string) => answerOf(client.POST("/experiments/{id}/stop", at(id)));

/** The export as text, exactly as a program would load it. */
export function exportText(id: string, format: ExportFormat, runId?: string): Promise<string> {
  const params = { path: { id }, query: runId ? { run_id: runId } : {} };
  const path = `/experiments/{id}/export/${format}` as const;
  return answerOf<string>(client.GET(path, { params, parseAs: "text" }));
}
