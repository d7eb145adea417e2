import { getRouteApi } from "@tanstack/react-router";
import type { ExperimentDetail } from "@/api/types";
import { inline } from "@/lib/format";

const route = getRouteApi("/app/experiments/$experimentId");

/** The values that runs must have, each as `NAME=VALUE`, as the server is asked. */
export type ValueFilter = string[] | undefined;

/** `NAME=VALUE`, as it stands in the address. */
export function readValue(text: string | undefined): ValueFilter {
  return text && text.indexOf("=") > 0 ? [text] : undefined;
}

const spelled = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

const maxLength = 40;
const cut = (text: string) => (text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text);

/** Shows runs with one value of a dimension only, out of those that a dimension lists. */
export function ValueSelect({ experiment, label }: { experiment: ExperimentDetail; label: string }) {
  const { value } = route.useSearch();
  const navigate = route.useNavigate();
  const choose = (next: string) =>
    void navigate({
      search: (old) => ({ ...old, value: next || undefined }),
      replace: true,
      resetScroll: false,
    });
  const choices = Object.entries(experiment.parameter_space ?? {}).flatMap(([name, { values }]) =>
    values && values.length > 1 ? [{ name, values }] : [],
  );
  if (choices.length === 0 && !value) return null;
  const known = choices.some(({ name, values }) =>
    values.some((each) => `${name}=${spelled(each)}` === value),
  );
  return (
    <select
      aria-label={label}
      value={value ?? ""}
      onChange={(event) => choose(event.currentTarget.value)}
      className="h-7 max-w-56 rounded-md border border-line-strong bg-surface px-1.5 text-xs"
    >
      <option value="">All values</option>
      {value && !known && <option value={value}>{cut(value)}</option>}
      {choices.map(({ name, values }) => (
        <optgroup key={name} label={name}>
          {values.map((each) => (
            <option key={spelled(each)} value={`${name}=${spelled(each)}`}>
              {name}: {cut(inline(each))}
            </option>
          ))}
        </optgroup>
      ))}
    </select>
  );
}
