import { type ComponentProps, type ReactNode, useId } from "react";
import { cx } from "@/lib/cx";

const control =
  "w-full rounded-md border border-line-strong bg-surface px-2.5 text-text aria-invalid:border-bad";

type Shared = { label: string; help?: ReactNode; problem?: string | undefined };
type Describe = { id: string; "aria-describedby": string | undefined; "aria-invalid": true | undefined };

function Labelled({
  label,
  help,
  problem,
  children,
}: Shared & { children: (describe: Describe) => ReactNode }) {
  const id = useId();
  const noteId = `${id}-note`;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-medium text-[13px]">
        {label}
      </label>
      {children({
        id,
        "aria-describedby": help || problem ? noteId : undefined,
        "aria-invalid": problem ? true : undefined,
      })}
      {(help || problem) && (
        <p id={noteId} className={cx("text-xs", problem ? "text-bad" : "text-muted")}>
          {problem ?? help}
        </p>
      )}
    </div>
  );
}

export function TextField({ label, help, problem, className, ...input }: Shared & ComponentProps<"input">) {
  return (
    <Labelled label={label} help={help} problem={problem}>
      {(describe) => <input {...input} {...describe} className={cx(control, "h-8", className)} />}
    </Labelled>
  );
}

export function TextArea({ label, help, problem, className, ...area }: Shared & ComponentProps<"textarea">) {
  return (
    <Labelled label={label} help={help} problem={problem}>
      {(describe) => <textarea {...area} {...describe} className={cx(control, "py-1.5", className)} />}
    </Labelled>
  );
}

export function Select({ label, help, problem, className, ...select }: Shared & ComponentProps<"select">) {
  return (
    <Labelled label={label} help={help} problem={problem}>
      {(describe) => <select {...select} {...describe} className={cx(control, "h-8", className)} />}
    </Labelled>
  );
}
