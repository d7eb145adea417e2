import { queryOptions } from "@tanstack/react-query";
import { answerOf, client } from "./client";
import type { EndpointDraft } from "./types";

export const endpointsQuery = queryOptions({
  queryKey: ["endpoints"],
  queryFn: async ({ signal }) => (await answerOf(client.GET("/endpoints", { signal }))).items,
});

export const testEndpoint = (id: string) =>
  answerOf(client.POST("/endpoints/{id}/test", { params: { path: { id } } }));

export const createEndpoint = (body: EndpointDraft) => answerOf(client.POST("/endpoints", { body }));
