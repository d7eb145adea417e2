import { useRef } from "react";
import type { ProblemField } from "@/api/types";
import { lineOfPointer, parseJson } from "@/lib/json-pointer";
import { Icon } from "./icon";

type Props = {
  label: string;
  text: string;
  onChange: (text: string) => void;
  /** What the server found wrong in the text as it is. */
  fields: ProblemField[];
};

type Note = { key: string; line: number; pointer?: string; detail: string };

/** A JSON document as text, with what is wrong in it, line by line. */
export function DocumentEditor({ label, text, onChange, fields }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const notes = notesOf(text, fields);
  return (
    <div className="flex flex-col gap-2">
      <textarea
        ref={area}
        aria-label={label}
        aria-invalid={notes.length > 0 || undefined}
        value={text}
        onChange={(event) => onChange(event.currentTarget.value)}
        spellCheck={false}
        wrap="off"
        rows={20}
        className="w-full resize-y rounded-md border border-line-strong bg-bg p-3 font-mono text-xs leading-5 aria-invalid:border-bad"
      />
      {notes.length > 0 && <Notes notes={notes} onGo={(line) => selectLine(area.current, line)} />}
    </div>
  );
}

function notesOf(text: string, fields: ProblemField[]): Note[] {
  const parsed = parseJson(text);
  if (!parsed.ok) return [{ key: "json", line: parsed.line, detail: parsed.message }];
  return fields.map(({ pointer, detail }) => ({
    key: `${pointer} ${detail}`,
    line: lineOfPointer(text, pointer),
    pointer,
    detail,
  }));
}

function Notes({ notes, onGo }: { notes: Note[]; onGo: (line: number) => void }) {
  return (
    <ul
      role="alert"
      aria-label="Problems"
      className="rounded-md border border-line bg-bad-soft py-1 text-[13px]"
    >
      {notes.map(({ key, line, pointer, detail }) => (
        <li key={key}>
          <button
            type="button"
            onClick={() => onGo(line)}
            className="flex w-full items-start gap-2 px-2.5 py-1 text-left hover:underline"
          >
            <span className="mt-0.5 text-bad">
              <Icon name="alert" size={13} />
            </span>
            <span className="min-w-0 break-words">
              <span className="num text-muted">Line {line}</span>{" "}
              {pointer && <code className="font-mono text-xs">{pointer}</code>} {detail}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function selectLine(area: HTMLTextAreaElement | null, line: number): void {
  if (!area) return;
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  area.scrollTop = Math.max(0, (area.scrollHeight / lines.length) * (line - 4));
}
