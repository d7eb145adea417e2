import type { Problem, ProblemField } from "./types";

/** A request that was refused, or that never got an answer (status 0). */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: ProblemField[];
  readonly requestId: string | undefined;

  constructor(problem: Partial<Problem>) {
    super(problem.detail || problem.title || "The server returned no error message.");
    this.name = "ApiProblem";
    this.status = problem.status ?? 0;
    this.code = problem.code ?? "unknown";
    this.fields = problem.errors ?? [];
    this.requestId = problem.request_id;
  }
}

const unreachable: Partial<Problem> = {
  code: "unreachable",
  detail: "The server cannot be reached. Check that it is running and try again.",
};

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && ("detail" in value || "title" in value);
}

/** Any thrown or answered value as an `ApiProblem`. */
export function toProblem(error: unknown, status = 0): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (isProblem(error)) return new ApiProblem(error);
  if (error instanceof TypeError) return new ApiProblem(unreachable);
  if (error instanceof Error)
    return new ApiProblem({ code: "internal", detail: `Unexpected error in the page: ${error.message}` });
  const text = typeof error === "string" && error ? error : undefined;
  return new ApiProblem({ status, detail: text ?? `The server responded with status ${status}.` });
}

/** What is wrong with one field of a request. */
export function problemAt(error: unknown, pointer: string): string | undefined {
  return fieldsOf(error).find((field) => field.pointer === pointer)?.detail;
}

/** What is wrong with single fields of a document, whether it was sent bare or wrapped for a preview. */
export function fieldsOf(error: unknown): ProblemField[] {
  if (!error) return [];
  return toProblem(error).fields.map((field) => ({
    ...field,
    pointer: field.pointer.replace(/^\/document(?=\/|$)/, ""),
  }));
}
