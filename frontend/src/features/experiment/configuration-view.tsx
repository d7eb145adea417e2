import type { Dimension, ExperimentDetail, ScoringEntry } from "@/api/types";
import { block, count, inline, percent } from "@/lib/format";
import { Section } from "@/ui/page";
import { Empty } from "@/ui/states";
import { Table } from "@/ui/table";
import { TextBlock } from "@/ui/text-block";
import { documentOf } from "./document-of";
import { StageCard } from "./stage-card";

/** The document, laid out for reading. */
export function ConfigurationView({ experiment }: { experiment: ExperimentDetail }) {
  const {
    description,
    pipeline_stages: stages,
    parameter_space: space,
    scoring_config: scoring,
  } = experiment;
  return (
    <div className="flex flex-col gap-6">
      {description && <p className="max-w-3xl break-words text-muted">{description}</p>}
      <Facts experiment={experiment} />
      <Section title="Stages">
        <ol className="grid gap-3 lg:grid-cols-2">
          {stages.map((stage, index) => (
            <StageCard key={stage.name} stage={stage} position={index + 1} />
          ))}
        </ol>
      </Section>
      <Section title="Parameter space">
        <Space space={space} />
      </Section>
      <Section title="Scoring">
        <Scoring entries={scoring} />
      </Section>
      <details>
        <summary className="mb-2 w-fit font-semibold text-[13px]">JSON document without samples</summary>
        <TextBlock label="Document" text={block(documentOf(experiment))} />
      </details>
    </div>
  );
}

function Facts({ experiment: { sample_data: samples, repeats, holdout } }: { experiment: ExperimentDetail }) {
  const facts: [string, string][] = [
    ["Samples", count(samples.count)],
    ["Repeats", count(repeats)],
    ["Holdout", holdout > 0 ? percent(holdout) : "none"],
  ];
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-2">
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt className="text-muted text-xs">{label}</dt>
          <dd className="num font-medium">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function rangeOf({ values, low, high, step, log }: Dimension): string {
  if (values) return values.map(inline).join(" | ");
  const range = `${inline(low)} to ${inline(high)}`;
  return range + (step === undefined ? "" : `, step ${step}`) + (log ? ", logarithmic" : "");
}

function conditionOf({ when }: Dimension): string {
  return Object.entries(when ?? {})
    .map(([name, value]) => `${name} = ${inline(value)}`)
    .join(" and ");
}

function Space({ space }: { space: Record<string, Dimension> }) {
  const dimensions = Object.entries(space);
  if (dimensions.length === 0) return <Empty title="No parameters vary: there is a single configuration." />;
  return (
    <Table label="Parameter space">
      <thead>
        <tr>
          <th scope="col">Dimension</th>
          <th scope="col">Target</th>
          <th scope="col">Type</th>
          <th scope="col">Values</th>
          <th scope="col">Condition</th>
        </tr>
      </thead>
      <tbody>
        {dimensions.map(([name, dimension]) => (
          <tr key={name}>
            <td className="font-medium">{name}</td>
            <td className="font-mono text-xs">{dimension.target ?? `params.${name}`}</td>
            <td>{dimension.type}</td>
            <td>
              <span className="block min-w-64 max-w-lg whitespace-pre-wrap break-words">
                {rangeOf(dimension)}
              </span>
            </td>
            <td>{conditionOf(dimension) || <span className="text-muted">–</span>}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

/** What an entry judges, its options, and what becomes of its value. */
function settingsOf({ extract, options, negate, pass_at }: ScoringEntry): string {
  const settings = {
    ...(extract && { extract }),
    ...options,
    ...(negate && { negate }),
    ...(pass_at !== undefined && { pass_at }),
  };
  return Object.keys(settings).length > 0 ? inline(settings) : "–";
}

function Scoring({ entries }: { entries: ScoringEntry[] }) {
  if (entries.length === 0) return <Empty title="No scorers configured." />;
  return (
    <Table label="Scoring">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Scorer</th>
          <th scope="col" className="text-right">
            Weight
          </th>
          <th scope="col">Stage</th>
          <th scope="col">Options</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.name ?? entry.scorer}>
            <td className="font-medium">{entry.name ?? entry.scorer}</td>
            <td>{entry.scorer}</td>
            <td className="num text-right">{entry.weight ?? 1}</td>
            <td>{entry.stage ?? "last"}</td>
            <td>
              <span className="block min-w-48 max-w-lg whitespace-pre-wrap break-words font-mono text-xs">
                {settingsOf(entry)}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
