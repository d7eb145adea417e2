import { vi } from "vitest";
import type { Problem } from "@/api/types";

type Reply = { status?: number; body?: unknown; text?: string };
type Handler = Reply | ((request: Request) => Reply | Promise<Reply>);

/** `"GET /projects"` → what it answers. */
export type Routes = Record<string, Handler>;

export const administrator: Reply = {
  body: { kind: "user", scope: "admin", user: { id: "u1", username: "ada", is_admin: true } },
};

export const unauthorized: Reply = {
  status: 401,
  body: problem({ status: 401, code: "unauthorized", detail: "The token is not known." }),
};

export function problem(part: Partial<Problem>): Problem {
  return {
    type: "about:blank",
    title: "Refused",
    status: 422,
    detail: "The request was refused.",
    code: "invalid",
    request_id: "req-1",
    ...part,
  };
}

const defaults: Routes = {
  "GET /auth/setup": { body: { required: false, guest_access: false, version: "0.1.0" } },
  "GET /auth/me": administrator,
  "GET /endpoints": { body: { items: [] } },
};

function respond({ status = 200, body, text }: Reply): Response {
  const content = text ?? (body === undefined ? null : JSON.stringify(body));
  const type = text === undefined ? "application/json" : "text/plain";
  return new Response(content, { status, headers: { "Content-Type": type } });
}

/** Puts a server in the place of `fetch`; answers what was asked of it, oldest first. */
export function serve(routes: Routes): { requests: Request[]; bodies: (of: string) => Promise<unknown[]> } {
  const table = { ...defaults, ...routes };
  const requests: Request[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    requests.push(request.clone());
    const handler = table[nameOf(request)];
    if (!handler)
      return respond({ status: 404, body: problem({ status: 404, detail: `no ${nameOf(request)}` }) });
    return respond(typeof handler === "function" ? await handler(request) : handler);
  });
  const bodies = (of: string) =>
    Promise.all(
      requests.filter((request) => nameOf(request) === of).map((request) => request.clone().json()),
    );
  return { requests, bodies };
}

function nameOf(request: Request): string {
  return `${request.method} ${new URL(request.url).pathname.replace("/api/v1", "")}`;
}
