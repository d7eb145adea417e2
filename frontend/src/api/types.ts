// The one place that names schemas of the generated client.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Problem = Schemas["Problem"];
export type ProblemField = NonNullable<Problem["errors"]>[number];
export type Settings = Schemas["Settings"];
export type SetupState = Schemas["SetupState"];
export type Credentials = Schemas["Credentials"];
export type PasswordChange = Schemas["PasswordChange"];
export type Session = Schemas["Session"];
export type Me = Schemas["Me"];
export type Project = Schemas["Project"];
export type ProjectDetail = Schemas["ProjectDetail"];
export type ProjectDraft = Schemas["ProjectDraft"];
export type FailureGroup = Schemas["FailureGroup"];
export type ExperimentSummary = Schemas["ExperimentSummary"];
export type ExperimentDetail = Schemas["ExperimentDetail"];
export type ExperimentDraft = Schemas["ExperimentDraft"];
export type ExperimentStatus = ExperimentDetail["status"];
export type Stage = ExperimentDetail["pipeline_stages"][number];
export type ScoringEntry = ExperimentDetail["scoring_config"][number];
export type Dimension = ExperimentDetail["parameter_space"][string];
export type Preview = Schemas["Preview"];
export type SweepRequest = Schemas["SweepRequest"];
export type ResumeRequest = Schemas["ResumeRequest"];
export type SweepAction = Sweep["allowed"][number];
export type DryRun = Schemas["DryRun"];
export type Sweep = Schemas["Sweep"];
export type SweepStatus = Sweep["status"];
export type Run = Schemas["Run"];
export type RunDetail = Schemas["RunDetail"];
export type RunError = NonNullable<Run["error"]>;
export type RunStatus = Run["status"];
export type RunSample = Schemas["RunSample"];
export type SampleScore = RunSample["scores"][number];
export type RatingRequest = Schemas["RatingRequest"];
export type StageResult = RunSample["stages"][number];
export type ScoreSummary = Run["scores"][string];
export type LeaderboardRow = Schemas["LeaderboardRow"];
export type Event = Schemas["Event"];
export type EndpointTest = Schemas["EndpointTest"];
export type Endpoint = Schemas["Endpoint"];

export type EndpointDraft = Schemas["EndpointDraft"];

export type ExportFormat = "best" | "env" | "yaml" | "report" | "runs";
