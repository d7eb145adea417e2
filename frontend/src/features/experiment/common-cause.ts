import type { ExperimentDetail, Run, RunError } from "@/api/types";

export type Cause = { error: RunError; count: number };

/** The error that most of these runs failed with; of equally frequent ones the first. */
export function commonCause(runs: Pick<Run, "error">[]): Cause | undefined {
  const causes = new Map<string, Cause>();
  for (const { error } of runs) {
    if (!error) continue;
    const key = `${error.kind} ${error.message}`;
    const known = causes.get(key);
    causes.set(key, known ? { ...known, count: known.count + 1 } : { error, count: 1 });
  }
  return [...causes.values()].reduce<Cause | undefined>(
    (most, cause) => (most && most.count >= cause.count ? most : cause),
    undefined,
  );
}

/** The endpoint that a stage calls, unless the sweep varies it. */
export function endpointOf(experiment: ExperimentDetail, stage: string | undefined): string | undefined {
  const varied = Object.values(experiment.parameter_space).some(
    ({ target }) => target === `${stage}.endpoint`,
  );
  const found = experiment.pipeline_stages.find(({ name }) => name === stage);
  return varied ? undefined : found?.endpoint;
}
