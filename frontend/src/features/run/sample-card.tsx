import type { ReactNode } from "react";
import type { RunSample } from "@/api/types";
import { block, inline, score } from "@/lib/format";
import { Icon } from "@/ui/icon";
import { card } from "@/ui/page";
import { TextBlock } from "@/ui/text-block";
import { SampleScores } from "./sample-scores";
import { StageView } from "./stage-view";

type Props = { sample: RunSample; open: boolean; rating: ReactNode };

/** One sample on its way through the stages, how its answer was scored, and how it is rated where it has one. */
export function SampleCard({ sample, open, rating }: Props) {
  const { sample_index: index, repeat, input, reference, references, stages, scores } = sample;
  const failed = stages.some((stage) => stage.error !== undefined);
  return (
    <details open={open} className={`${card} group min-w-0`}>
      <summary className="flex items-center gap-3 px-3 py-2.5 text-[13px]">
        <span className="-mr-1 text-muted group-open:rotate-90">
          <Icon name="right" size={13} />
        </span>
        <span className="num shrink-0 font-medium">
          Sample {index}
          {repeat > 1 && <span className="text-muted"> · repeat {repeat}</span>}
        </span>
        <span className="min-w-0 flex-1 truncate text-muted">{inline(input)}</span>
        {failed && <span className="font-medium text-bad text-xs">failed</span>}
        <span className="num shrink-0 font-semibold">{score(sample.score)}</span>
      </summary>
      <div className="flex flex-col gap-3 border-line border-t p-3.5">
        <div className="grid gap-3 md:grid-cols-2">
          <TextBlock label="Input" text={block(input)} />
          {reference !== undefined && <TextBlock label="Reference" text={block(reference)} />}
          {references && references.length > 0 && (
            <TextBlock label="Accepted answers" text={references.map(block).join("\n")} />
          )}
        </div>
        {stages.map((stage) => (
          <StageView key={stage.stage_index} result={stage} />
        ))}
        {scores.length > 0 && <SampleScores scores={scores} />}
        {!failed && rating}
      </div>
    </details>
  );
}
