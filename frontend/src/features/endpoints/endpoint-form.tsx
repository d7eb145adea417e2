import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { createEndpoint, endpointsQuery } from "@/api/endpoints";
import { problemAt } from "@/api/problem";
import type { EndpointDraft } from "@/api/types";
import { Button } from "@/ui/button";
import { DialogActions } from "@/ui/dialog";
import { Select, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem-note";

type Kind = EndpointDraft["kind"];

const kinds: Record<Kind, string> = {
  openai: "Speaks OpenAI's protocol",
  simulated: "Built-in simulation",
};

const isKind = (text: string): text is Kind => text in kinds;

function draftOf(kind: Kind, form: FormData): EndpointDraft {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const [url, key, calls] = [text("url"), text("api_key"), text("concurrency")];
  return {
    label: text("label"),
    kind,
    ...(url && { url }),
    ...(key && { api_key: key }),
    ...(calls && { limits: { concurrency: Number(calls) } }),
  };
}

/** Adds a model server. */
export function EndpointForm({ onClose }: { onClose: () => void }) {
  const [kind, setKind] = useState<Kind>("openai");
  const cache = useQueryClient();
  const adding = useMutation({
    mutationFn: createEndpoint,
    onSuccess: () => {
      onClose();
      return cache.invalidateQueries({ queryKey: endpointsQuery.queryKey });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    adding.mutate(draftOf(kind, new FormData(event.currentTarget)));
  };
  const choose = (text: string) => {
    if (isKind(text)) setKind(text);
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <TextField
        label="Label"
        name="label"
        help="The name that experiments call it by."
        problem={problemAt(adding.error, "/label")}
        required
      />
      <Select label="Kind" value={kind} onChange={(event) => choose(event.currentTarget.value)}>
        {Object.entries(kinds).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </Select>
      {kind === "openai" && (
        <>
          <TextField
            label="URL"
            name="url"
            type="url"
            placeholder="http://127.0.0.1:8000/v1"
            problem={problemAt(adding.error, "/url")}
            required
          />
          <TextField
            label="API key"
            name="api_key"
            type="password"
            autoComplete="off"
            help="Never shown again."
          />
        </>
      )}
      <TextField label="Calls at once" name="concurrency" type="number" min={1} placeholder="8" />
      <ProblemNote error={adding.error} elsewhere={["/label", "/url"]} />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" busy={adding.isPending}>
          Add endpoint
        </Button>
      </DialogActions>
    </form>
  );
}
