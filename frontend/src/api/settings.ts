import { queryOptions } from "@tanstack/react-query";
import { answerOf, client } from "./client";
import type { Settings } from "./types";

export const settingsQuery = queryOptions({
  queryKey: ["settings"],
  queryFn: ({ signal }) => answerOf(client.GET("/admin/settings", { signal })),
});

export const replaceSettings = (body: Settings) => answerOf(client.PUT("/admin/settings", { body }));
