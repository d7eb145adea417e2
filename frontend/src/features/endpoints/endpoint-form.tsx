import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { createEndpoint, endpointsQuery, replaceEndpoint } from "@/api/endpoints";
import { problemAt } from "@/api/problem";
import type { Endpoint, EndpointDraft } from "@/api/types";
import { formText } from "@/lib/form-text";
import { Button } from "@/ui/button";
import { CancelButton, DialogActions } from "@/ui/dialog";
import { Select, TextArea, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem-note";
import { isKind, type Kind, kinds, urls } from "./kinds";
import { type Prices, parsePrices, pricesText } from "./prices";

const limitNames = ["concurrency", "requests_per_minute", "tokens_per_minute"] as const;

/** The endpoint as entered; settings that the form does not show stay as they are. */
function draftOf(kind: Kind, form: FormData, prices: Prices, known: Endpoint | undefined): EndpointDraft {
  const text = (name: string) => formText(form, name).trim();
  const [url, key] = [text("url"), text("api_key")];
  const limits = limitNames.flatMap((name) => (text(name) ? [[name, Number(text(name))]] : []));
  const { max_tokens_field, max_output_tokens, timeout_s } = known ?? {};
  // Another kind has its own protocol and its own header for the key.
  const { api, auth } = known?.kind === kind ? known : {};
  return {
    ...(known && { max_tokens_field, max_output_tokens, timeout_s }),
    ...(api && { api }),
    ...(auth && { auth }),
    label: text("label"),
    kind,
    ...(url && { url }),
    ...(key && { api_key: key }),
    ...(limits.length > 0 && { limits: Object.fromEntries(limits) }),
    prices,
  };
}

/** Where the prices of models that are not listed come from. */
function pricesHelp(endpoint: Endpoint | undefined): string {
  const list = endpoint?.list_prices;
  const others = list
    ? `Other models have ${list.provider}'s list prices of ${list.date}.`
    : "Needed to show cost and to use cost budgets, unless the URL is a known provider's, whose list prices are used.";
  return `One model per line: name, input price, output price (USD per 1M tokens), then, if different, cached input and cache writes. ${others}`;
}

type Props = { endpoint?: Endpoint; onClose: () => void };

/** Adds or edits a model server. */
export function EndpointForm({ endpoint, onClose }: Props) {
  const [kind, setKind] = useState<Kind>(endpoint?.kind ?? "openai");
  const [priced, setPriced] = useState(() => pricesText(endpoint?.prices ?? {}));
  const parsed = parsePrices(priced, endpoint?.prices);
  const cache = useQueryClient();
  const saving = useMutation({
    mutationFn: (draft: EndpointDraft) =>
      endpoint ? replaceEndpoint(endpoint.id, draft) : createEndpoint(draft),
    onSuccess: () => {
      onClose();
      return cache.invalidateQueries({ queryKey: endpointsQuery.queryKey });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (parsed.problem !== undefined) return;
    saving.mutate(draftOf(kind, new FormData(event.currentTarget), parsed.prices, endpoint));
  };
  const choose = (text: string) => {
    if (isKind(text)) setKind(text);
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <TextField
        label="Label"
        name="label"
        help="Experiments refer to the endpoint by this label."
        defaultValue={endpoint?.label}
        problem={problemAt(saving.error, "/label")}
        required
      />
      <Select label="Kind" value={kind} onChange={(event) => choose(event.currentTarget.value)}>
        {Object.entries(kinds).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </Select>
      {urls[kind] !== undefined && (
        <>
          <TextField
            label="URL"
            name="url"
            type="url"
            placeholder={urls[kind]}
            defaultValue={endpoint?.url}
            problem={problemAt(saving.error, "/url")}
            required
          />
          <TextField
            label="API key"
            name="api_key"
            type="password"
            autoComplete="off"
            help={
              endpoint?.has_key
                ? "Leave empty to keep the stored key. For another host or port, enter the key again."
                : "Stored encrypted; you will not see it again."
            }
          />
        </>
      )}
      <TextField
        label="Max concurrent calls"
        name="concurrency"
        type="number"
        min={1}
        placeholder="8"
        defaultValue={endpoint?.limits.concurrency}
      />
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          label="Requests per minute"
          name="requests_per_minute"
          type="number"
          min={1}
          placeholder="No limit"
          defaultValue={endpoint?.limits.requests_per_minute}
        />
        <TextField
          label="Tokens per minute"
          name="tokens_per_minute"
          type="number"
          min={1}
          placeholder="No limit"
          defaultValue={endpoint?.limits.tokens_per_minute}
        />
      </div>
      <TextArea
        label="Prices"
        rows={2}
        spellCheck={false}
        placeholder="gpt-4o-mini 0.15 0.6"
        help={pricesHelp(endpoint)}
        problem={parsed.problem}
        value={priced}
        onChange={(event) => setPriced(event.currentTarget.value)}
      />
      <ProblemNote error={saving.error} elsewhere={["/label", "/url"]} />
      <DialogActions>
        <CancelButton />
        <Button
          type="submit"
          variant="primary"
          reason={parsed.problem && "Check the prices."}
          busy={saving.isPending}
        >
          {endpoint ? "Save" : "Add endpoint"}
        </Button>
      </DialogActions>
    </form>
  );
}
