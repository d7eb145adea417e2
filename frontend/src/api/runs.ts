import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answerOf, client } from "./client";
import type { RunView } from "./experiments";
import { fullPage } from "./pages";
import type { RatingRequest } from "./types";

const at = (id: string) => ({ params: { path: { id } } });

export const runKey = (id: string) => ["runs", id] as const;
export const experimentRunsKey = (experimentId: string) => ["experiments", experimentId, "runs"] as const;

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: runKey(id),
    queryFn: ({ signal }) => answerOf(client.GET("/runs/{id}", { ...at(id), signal })),
  });

export const experimentRunsQuery = (experimentId: string, view: RunView) =>
  infiniteQueryOptions({
    queryKey: [...experimentRunsKey(experimentId), view],
    queryFn: ({ signal, pageParam }) =>
      fullPage({ limit: 50, ...(pageParam && { cursor: pageParam }) }, (page) => {
        const params = { path: { id: experimentId }, query: { ...view, ...page } };
        return answerOf(client.GET("/experiments/{id}/runs", { params, signal }));
      }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

/** The first failed runs of a sweep: enough to see what they have in common. */
export const failedRunsQuery = (experimentId: string, sweepId: string) =>
  queryOptions({
    queryKey: [...experimentRunsKey(experimentId), "failed", sweepId],
    queryFn: async ({ signal }) => {
      const query = { sweep_id: sweepId, status: "failed" as const, limit: 100 };
      const params = { path: { id: experimentId }, query };
      return (await answerOf(client.GET("/experiments/{id}/runs", { params, signal }))).items;
    },
  });

export const runSamplesQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: [...runKey(id), "samples"],
    queryFn: ({ signal, pageParam }) => {
      const query = pageParam ? { limit: 20, cursor: pageParam } : { limit: 20 };
      return answerOf(client.GET("/runs/{id}/samples", { params: { path: { id }, query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

/** Rates a sample of a run that has ended, or all of its samples. */
export const rateRun = (id: string, body: RatingRequest) =>
  answerOf(client.POST("/runs/{id}/score", { ...at(id), body }));
