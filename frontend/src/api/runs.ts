import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answerOf, client } from "./client";
import type { RunStatus } from "./types";

const at = (id: string) => ({ params: { path: { id } } });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ["runs", id],
    queryFn: ({ signal }) => answerOf(client.GET("/runs/{id}", { ...at(id), signal })),
  });

export const experimentRunsQuery = (experimentId: string, status: RunStatus | undefined) =>
  infiniteQueryOptions({
    queryKey: ["experiments", experimentId, "runs", status ?? "all"],
    queryFn: ({ signal, pageParam }) => {
      const query = { limit: 50, ...(status && { status }), ...(pageParam && { cursor: pageParam }) };
      const params = { path: { id: experimentId }, query };
      return answerOf(client.GET("/experiments/{id}/runs", { params, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

export const runSamplesQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["runs", id, "samples"],
    queryFn: ({ signal, pageParam }) => {
      const query = pageParam ? { limit: 20, cursor: pageParam } : { limit: 20 };
      return answerOf(client.GET("/runs/{id}/samples", { params: { path: { id }, query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });
