import { QueryClient } from "@tanstack/react-query";
import { toProblem } from "@/api/problem";

const retries = 2;

/** Refusals are final; only what never reached the server, or broke there, is asked again. */
function worthRetrying(failures: number, error: Error): boolean {
  const { status } = toProblem(error);
  return failures < retries && (status === 0 || status >= 500);
}

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: { queries: { staleTime: 5000, retry: worthRetrying }, mutations: { retry: false } },
  });
}
