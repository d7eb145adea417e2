import type { RunDetail } from "@/api/types";
import { block } from "@/lib/format";
import { card, Section } from "@/ui/page";
import { TextBlock } from "@/ui/text-block";

/** The run's values, and behind them all settings that were in effect. */
export function RunConfiguration({ run }: { run: RunDetail }) {
  const values = Object.entries(run.config.values);
  return (
    <Section title="Configuration">
      <div className={`${card} flex flex-col gap-3 p-3.5 text-[13px]`}>
        {values.length === 0 && <p className="text-muted">The stages' default values.</p>}
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-5 gap-y-1">
          {values.map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd className="whitespace-pre-wrap break-words">{block(value)}</dd>
            </div>
          ))}
          <div className="contents">
            <dt className="text-muted">Config hash</dt>
            <dd className="break-all font-mono text-muted text-xs leading-5">{run.config_hash}</dd>
          </div>
        </dl>
        <details>
          <summary className="mb-2 w-fit text-muted">Effective stage settings</summary>
          <TextBlock label="Stages" text={block(run.config.stages)} />
        </details>
      </div>
    </Section>
  );
}
