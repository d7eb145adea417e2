import { queryOptions } from "@tanstack/react-query";
import { answerOf, client } from "./client";
import { keepToken, token } from "./session";
import type { Credentials, PasswordChange, Session } from "./types";

export const setupQuery = queryOptions({
  queryKey: ["setup"],
  queryFn: ({ signal }) => answerOf(client.GET("/auth/setup", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

export const meQuery = () =>
  queryOptions({
    queryKey: ["me", token()],
    queryFn: ({ signal }) => answerOf(client.GET("/auth/me", { signal })),
    staleTime: 60_000,
  });

async function enter(session: Promise<Session>): Promise<void> {
  keepToken((await session).token);
}

export const logIn = (body: Credentials) => enter(answerOf(client.POST("/auth/login", { body })));
export const setUp = (body: Credentials) => enter(answerOf(client.POST("/auth/setup", { body })));
export const changePassword = (body: PasswordChange) =>
  enter(answerOf(client.PUT("/auth/password", { body })));
export const logInOnce = (code: string) =>
  enter(answerOf(client.POST("/auth/once", { headers: { Authorization: `Bearer ${code}` } })));
