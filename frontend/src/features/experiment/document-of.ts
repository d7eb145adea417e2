import type { ExperimentDetail } from "@/api/types";

/**
 * An experiment as its document: without what the server adds, and without the samples, of which a detail
 * carries only the first. A change that does not name them keeps them.
 */
export function documentOf(experiment: ExperimentDetail) {
  const { name, description, documents, pipeline_stages, scoring_config, parameter_space, repeats, holdout } =
    experiment;
  return {
    name,
    ...(description !== undefined && { description }),
    ...(documents.length > 0 && { documents }),
    pipeline_stages,
    scoring_config,
    parameter_space,
    repeats,
    holdout,
  };
}
