import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { problemAt } from "@/api/problem";
import { replaceSettings, settingsQuery } from "@/api/settings";
import type { Settings } from "@/api/types";
import { formText } from "@/lib/form-text";
import { Button } from "@/ui/button";
import { Select, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem-note";

/** The default models, with what each is used for. */
const models = [
  ["default_model", "Default model", "Used by llm stages that name no model."],
  ["default_judge_model", "Default judge model", "Used by judges that name no model."],
  [
    "default_embedding_model",
    "Default embedding model",
    "Used by retrieve stages, and by scorers that compare embeddings, that name no model.",
  ],
] as const;

const names = ["default_endpoint", ...models.map(([name]) => name)];

/** The settings as entered; an empty field is no default. */
function settingsOf(form: FormData): Settings {
  const entered = names.flatMap((name) => {
    const text = formText(form, name).trim();
    return text ? [[name, text]] : [];
  });
  return { allow_guest_access: form.has("allow_guest_access"), ...Object.fromEntries(entered) };
}

type Props = { settings: Settings; labels: string[] };

/** Shows and replaces the settings. */
export function SettingsForm({ settings, labels }: Props) {
  const cache = useQueryClient();
  const saving = useMutation({
    mutationFn: replaceSettings,
    onSuccess: (saved) => cache.setQueryData(settingsQuery.queryKey, saved),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    saving.mutate(settingsOf(new FormData(event.currentTarget)));
  };
  const problem = (name: string) => problemAt(saving.error, `/${name}`);
  return (
    <form onSubmit={submit} onChange={() => saving.reset()} className="flex flex-col gap-3">
      <label className="flex items-center gap-2 text-[13px]">
        <input type="checkbox" name="allow_guest_access" defaultChecked={settings.allow_guest_access} />
        Guests may see everything but secrets, without logging in
      </label>
      <Select
        label="Default endpoint"
        name="default_endpoint"
        help="Used by stages and scorers that name no endpoint."
        defaultValue={settings.default_endpoint ?? ""}
        problem={problem("default_endpoint")}
      >
        <option value="">None</option>
        {labels.map((label) => (
          <option key={label}>{label}</option>
        ))}
      </Select>
      {models.map(([name, label, help]) => (
        <TextField
          key={name}
          label={label}
          name={name}
          help={help}
          autoComplete="off"
          spellCheck={false}
          defaultValue={settings[name]}
          problem={problem(name)}
        />
      ))}
      <ProblemNote error={saving.error} elsewhere={names.map((name) => `/${name}`)} />
      <div className="flex items-center gap-3">
        <Button type="submit" variant="primary" busy={saving.isPending}>
          Save
        </Button>
        {saving.isSuccess && (
          <p role="status" className="text-[13px] text-good">
            Saved. Runs that exist keep their endpoints and models.
          </p>
        )}
      </div>
    </form>
  );
}
