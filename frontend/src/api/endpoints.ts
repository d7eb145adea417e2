import { queryOptions } from "@tanstack/react-query";
import { answerOf, client, done } from "./client";
import type { EndpointDraft } from "./types";

export const endpointsQuery = queryOptions({
  queryKey: ["endpoints"],
  queryFn: async ({ signal }) => (await answerOf(client.GET("/endpoints", { signal }))).items,
});

const at = (id: string) => ({ params: { path: { id } } });

export const testEndpoint = (id: string) => answerOf(client.POST("/endpoints/{id}/test", at(id)));

export const createEndpoint = (body: EndpointDraft) => answerOf(client.POST("/endpoints", { body }));
export const replaceEndpoint = (id: string, body: EndpointDraft) =>
  answerOf(client.PUT("/endpoints/{id}", { ...at(id), body }));
export const deleteEndpoint = (id: string) => done(client.DELETE("/endpoints/{id}", at(id)));
