import { queryOptions } from "@tanstack/react-query";
import { answerOf, client, done } from "./client";
import { everyPage } from "./pages";
import type { ProjectDraft } from "./types";

const at = (id: string) => ({ params: { path: { id } } });

export const projectsQuery = queryOptions({
  queryKey: ["projects"],
  queryFn: ({ signal }) =>
    everyPage((query) => answerOf(client.GET("/projects", { params: { query }, signal }))),
});

export const projectQuery = (id: string) =>
  queryOptions({
    queryKey: ["projects", id],
    queryFn: ({ signal }) => answerOf(client.GET("/projects/{id}", { ...at(id), signal })),
  });

export const createProject = (body: ProjectDraft) => answerOf(client.POST("/projects", { body }));
export const replaceProject = (id: string, body: ProjectDraft) =>
  answerOf(client.PUT("/projects/{id}", { ...at(id), body }));
export const deleteProject = (id: string) => done(client.DELETE("/projects/{id}", at(id)));
