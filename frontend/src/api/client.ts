import createClient, { type Middleware } from "openapi-fetch";
import { toProblem } from "./problem";
import type { paths } from "./schema";
import { expire, token } from "./session";

/** These answer 401 for a wrong password, which ends no session. */
const publicPaths = ["/auth/login", "/auth/setup", "/auth/once"];

const bearer: Middleware = {
  onRequest({ request }) {
    const value = token();
    if (value && !request.headers.has("Authorization"))
      request.headers.set("Authorization", `Bearer ${value}`);
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && !publicPaths.includes(schemaPath)) expire();
  },
};

export const client = createClient<paths>({
  baseUrl: new URL("/api/v1", window.location.origin).href,
  fetch: (request) => globalThis.fetch(request),
});
client.use(bearer);

type Answer<T> = { data?: T; error?: unknown; response: Response };

async function settle<T>(request: Promise<Answer<T>>): Promise<Answer<T>> {
  const answer = await request.catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw toProblem(error);
  });
  if (!answer.response.ok) throw toProblem(answer.error, answer.response.status);
  return answer;
}

/** What a request answered; throws an `ApiProblem` when it was refused. */
export async function answerOf<T>(request: Promise<Answer<T>>): Promise<T> {
  return (await settle(request)).data as T;
}

/** For requests that answer nothing. */
export async function done(request: Promise<Answer<unknown>>): Promise<void> {
  await settle(request);
}
