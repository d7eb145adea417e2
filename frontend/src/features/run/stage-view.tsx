import type { StageResult } from "@/api/types";
import { block, cost, count, milliseconds } from "@/lib/format";
import { Messages } from "@/ui/messages";
import { TextBlock } from "@/ui/text-block";

const flagTexts: Record<string, string> = {
  truncated: "The output was truncated at max_tokens",
  refused: "The model or the server refused to answer",
  no_output: "The answer is empty: a reasoning model may have spent max_tokens on thinking, so raise it",
  context_cut: "The server cut the prompt to its context: shorten it, or raise the server's context length",
  tokens_estimated: "The endpoint reported no token counts; they are estimated",
  lossy_text: "Invalid UTF-8 in the response was replaced",
};

/** One stage of one sample: what was sent, and what came back. */
export function StageView({ result }: { result: StageResult }) {
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      <StageHead result={result} />
      {result.prompt_sent !== undefined && <Messages messages={result.prompt_sent} />}
      {result.reasoning && (
        <details>
          <summary className="cursor-pointer text-muted text-xs">Reasoning</summary>
          <TextBlock label="Reasoning" text={block(result.reasoning)} />
        </details>
      )}
      {isToBeShown(result) && result.response_raw !== undefined && (
        <TextBlock label="Response" text={block(result.response_raw)} aside={result.finish_reason} />
      )}
      {result.error && (
        <TextBlock label="Error" text={result.error.message} aside={result.error.kind} tone="bad" />
      )}
    </div>
  );
}

/** An answer is shown beside an error too, which may be about it; an empty one says nothing then. */
function isToBeShown({ error, response_raw: response }: StageResult): boolean {
  return error === undefined || response !== "";
}

function StageHead({ result }: { result: StageResult }) {
  const model = result.model_returned ?? result.model_used;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-[13px]">
      <h3 className="font-semibold">{result.stage}</h3>
      {model && <span className="text-muted">{model}</span>}
      <span className="num text-muted text-xs">
        {model && `${count(result.tokens_in)} in, ${count(result.tokens_out)} out, `}
        {milliseconds(result.latency_ms)}
        {result.cost !== undefined && (
          <span title={costSource(result)}>
            {", "}
            {cost(result.cost)}
          </span>
        )}
      </span>
      {result.cached && <Mark text="cached" title="Answered from the cache" className="text-violet" />}
      {result.flags.map((flag) => (
        <Mark
          key={flag}
          text={flag.replaceAll("_", " ")}
          title={flagTexts[flag] ?? ""}
          className="text-warn"
        />
      ))}
    </div>
  );
}

/** Where a cost is known from. */
function costSource({ cost_source: source, price_date: date }: StageResult): string | undefined {
  switch (source) {
    case "stated":
      return "Stated by the server";
    case "endpoint":
      return "By the endpoint's price";
    case "list":
      return `By the provider's list price of ${date ?? "an unknown day"}`;
    default:
      return undefined;
  }
}

function Mark({ text, title, className }: { text: string; title: string; className: string }) {
  return (
    <span title={title} className={`rounded-full border border-line px-1.5 font-medium text-xs ${className}`}>
      {text}
    </span>
  );
}
