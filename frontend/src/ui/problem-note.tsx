import { toProblem } from "@/api/problem";
import { cx } from "@/lib/cx";
import { Button } from "./button";
import { Icon } from "./icon";

type Props = {
  error: unknown;
  onRetry?: (() => void) | undefined;
  /** Pointers of fields that say themselves what is wrong with them. */
  elsewhere?: string[];
  className?: string;
};

/** Says what was refused or, field by field, why; nothing while there is no error. */
export function ProblemNote({ error, onRetry, elsewhere = [], className }: Props) {
  if (!error) return null;
  const problem = toProblem(error);
  const fields = problem.fields.filter(({ pointer }) => !elsewhere.includes(pointer));
  if (problem.fields.length > 0 && fields.length === 0) return null;
  return (
    <div
      role="alert"
      className={cx(
        "flex gap-2.5 rounded-lg border border-line bg-bad-soft px-3 py-2.5 text-[13px]",
        className,
      )}
    >
      <span className="mt-0.5 text-bad">
        <Icon name="alert" />
      </span>
      <div className="min-w-0 flex-1">
        {fields.length === 0 ? (
          <p className="break-words">{problem.message}</p>
        ) : (
          <ul className="space-y-0.5">
            {fields.map((field) => (
              <li key={`${field.pointer} ${field.detail}`} className="break-words">
                <code className="font-mono text-xs">{field.pointer || "/"}</code>: {field.detail}
              </li>
            ))}
          </ul>
        )}
        {problem.requestId && <p className="mt-1 text-muted text-xs">Request {problem.requestId}</p>}
        {onRetry && (
          <Button className="mt-2" onClick={onRetry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}
