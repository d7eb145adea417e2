import type { SampleScore } from "@/api/types";
import { score } from "@/lib/format";
import { remarksOf } from "./score-remarks";

/** What each scorer said of an output. */
export function SampleScores({ scores }: { scores: SampleScore[] }) {
  return (
    <ul aria-label="Scores" className="flex flex-col divide-y divide-line text-[13px]">
      {scores.map((each) => (
        <li
          key={each.scorer_name}
          className="grid grid-cols-[minmax(0,1fr)_3.5rem] gap-x-4 gap-y-1 py-2 first:pt-0 last:pb-0 sm:grid-cols-[minmax(0,11rem)_3.5rem_minmax(0,1fr)]"
        >
          <span className="break-words font-medium">{each.scorer_name}</span>
          <span className="num text-right font-semibold">{score(each.value)}</span>
          <div className="col-span-2 min-w-0 sm:col-span-1">
            {each.error === undefined ? (
              <Said metadata={each.metadata ?? {}} />
            ) : (
              <p className="max-w-prose break-words text-bad">Not scored: {each.error}</p>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}

/** Texts of models and people stay texts. */
function Said({ metadata }: { metadata: NonNullable<SampleScore["metadata"]> }) {
  const { sentences, comments, facts } = remarksOf(metadata);
  return (
    <div className="flex max-w-prose flex-col gap-1 break-words">
      {sentences.map((sentence, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: texts have no identity but their place
        <p key={index} className="whitespace-pre-line">
          {sentence}
        </p>
      ))}
      {comments.map((comment, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: texts have no identity but their place
        <blockquote key={index} className="whitespace-pre-line border-line-strong border-l-2 pl-2">
          {comment}
        </blockquote>
      ))}
      {facts.length > 0 && (
        <ul aria-label="Details" className="flex flex-wrap gap-x-3 text-muted text-xs leading-5">
          {facts.map((fact) => (
            <li key={fact} className="min-w-0 break-words">
              {fact}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
