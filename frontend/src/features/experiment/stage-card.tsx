import type { Stage } from "@/api/types";
import { block, inline } from "@/lib/format";
import { Messages } from "@/ui/messages";
import { card } from "@/ui/page";
import { TextBlock } from "@/ui/text-block";

/** Texts that deserve a block of their own. */
const texts = ["system", "prompt", "query", "body"];

/** A stage: its texts as blocks, its settings as a list. */
export function StageCard({ stage, position }: { stage: Stage; position: number }) {
  const { name, kind, messages, ...rest } = stage;
  const fields: Record<string, unknown> = rest;
  const settings = Object.entries(fields).filter(([field]) => !texts.includes(field));
  return (
    <li className={`${card} flex min-w-0 flex-col gap-2.5 p-3.5`}>
      <h3 className="font-semibold text-[13px]">
        {position}. {name} <span className="ml-1 font-normal text-muted">{kind}</span>
      </h3>
      {settings.length > 0 && (
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-0.5 text-[13px]">
          {settings.map(([field, value]) => (
            <div key={field} className="contents">
              <dt className="text-muted">{field}</dt>
              <dd className="break-words">{inline(value)}</dd>
            </div>
          ))}
        </dl>
      )}
      {fields.system !== undefined && <TextBlock label="system" text={block(fields.system)} />}
      {messages !== undefined && <Messages messages={messages} />}
      {texts
        .filter((field) => field !== "system" && fields[field] !== undefined)
        .map((field) => (
          <TextBlock key={field} label={field} text={block(fields[field])} />
        ))}
    </li>
  );
}
