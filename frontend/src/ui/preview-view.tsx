import type { Preview } from "@/api/types";
import { block } from "@/lib/format";
import { Messages } from "./messages";
import { TextBlock } from "./text-block";

/** What the first sample's calls would look like. */
export function PreviewView({ preview }: { preview: Preview }) {
  return (
    <section aria-label="Preview" className="flex flex-col gap-3">
      {preview.warnings.length > 0 && (
        <ul className="rounded-md border border-line bg-warn-soft px-3 py-2 text-[13px]">
          {preview.warnings.map((warning) => (
            <li key={block(warning)}>{block(warning)}</li>
          ))}
        </ul>
      )}
      {preview.stages.map(({ stage, model, messages, request, output }) => (
        <div key={stage} className="flex flex-col gap-1.5">
          <h3 className="font-medium text-[13px]">
            {stage} <span className="font-normal text-muted">{model}</span>
          </h3>
          {(messages ?? request) !== undefined && <Messages messages={messages ?? request} />}
          {output !== undefined && <TextBlock label="Output" text={block(output)} />}
        </div>
      ))}
    </section>
  );
}
