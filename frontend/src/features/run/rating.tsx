import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ToggleButton, ToggleButtonGroup } from "react-aria-components";
import { experimentKey } from "@/api/experiments";
import { rateRun, runKey } from "@/api/runs";
import type { RatingRequest, RunDetail } from "@/api/types";
import { cx } from "@/lib/cx";
import { plural } from "@/lib/format";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { Icon, type IconName } from "@/ui/icon";
import { ProblemNote } from "@/ui/problem-note";

type Choice = { id: string; label: string; icon: IconName; value: Pick<RatingRequest, "thumb" | "stars"> };
type Subject = {
  run: RunDetail;
  /** Without one, all samples of the run are meant. */
  sample?: number;
};
type Props = Subject & { help?: string };

const choices: Choice[] = [
  { id: "up", label: "Thumb up", icon: "thumbUp", value: { thumb: "up" } },
  { id: "down", label: "Thumb down", icon: "thumbDown", value: { thumb: "down" } },
  ...[1, 2, 3, 4, 5].map((stars): Choice => {
    return { id: `${stars}`, label: plural(stars, "star"), icon: "star", value: { stars } };
  }),
];

/** What the user thinks of an output: a thumb or stars, which are stored at once, and then a comment. */
export function Rating({ run, sample, help }: Props) {
  const [comment, setComment] = useState("");
  const { saved, shown, saving, save } = useRating({ run, ...(sample !== undefined && { sample }) });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (saved) save(saved, comment);
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-2 text-[13px]">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="font-medium">Your rating</span>
        <Choices
          label={`Your rating of ${sample === undefined ? "the run" : `sample ${sample}`}`}
          chosen={shown}
          onChoose={(choice) => save(choice, comment)}
        />
        <span role="status" className="text-muted text-xs">
          {saving.isPending ? "Saving" : saving.isSuccess ? "Saved" : ""}
        </span>
      </div>
      {help && <p className="text-muted text-xs">{help}</p>}
      <ProblemNote error={saving.error} />
      {saved && (
        <div className="flex flex-wrap items-end gap-2">
          <div className="min-w-0 max-w-prose flex-1">
            <TextField
              label="Comment (optional)"
              value={comment}
              onChange={(event) => setComment(event.currentTarget.value)}
              className="pointer-coarse:h-[44px]"
            />
          </div>
          <Button type="submit" busy={saving.isPending} className="pointer-coarse:h-[44px]">
            Save comment
          </Button>
        </div>
      )}
    </form>
  );
}

/** Stores ratings one after the other; what was refused is not shown as chosen. */
function useRating({ run, sample }: Subject) {
  const cache = useQueryClient();
  const [saved, setSaved] = useState<Choice>();
  const saving = useMutation({
    scope: { id: `rating of ${run.id}` },
    mutationFn: ({ choice, comment }: { choice: Choice; comment: string }) =>
      rateRun(run.id, {
        ...choice.value,
        ...(sample !== undefined && { sample_index: sample }),
        ...(comment && { comment }),
      }),
    onSuccess: async (_, { choice }) => {
      setSaved(choice);
      await Promise.all([
        cache.invalidateQueries({ queryKey: runKey(run.id) }),
        cache.invalidateQueries({ queryKey: experimentKey(run.experiment_id) }),
      ]);
    },
  });
  const save = (choice: Choice, comment: string) => saving.mutate({ choice, comment: comment.trim() });
  return { saved, shown: saving.isPending ? saving.variables.choice : saved, saving, save };
}

type ChoicesProps = { label: string; chosen: Choice | undefined; onChoose: (choice: Choice) => void };

function Choices({ label, chosen, onChoose }: ChoicesProps) {
  const stars = chosen?.value.stars ?? 0;
  return (
    <ToggleButtonGroup
      aria-label={label}
      selectedKeys={chosen ? [chosen.id] : []}
      onSelectionChange={(keys) => {
        const choice = choices.find(({ id }) => keys.has(id));
        if (choice) onChoose(choice);
      }}
      disallowEmptySelection
      className="flex flex-wrap"
    >
      {choices.map(({ id, label, icon, value }) => {
        const solid = value.stars === undefined ? id === chosen?.id : value.stars <= stars;
        return (
          <ToggleButton
            key={id}
            id={id}
            aria-label={label}
            className={cx(
              "inline-flex size-8 items-center justify-center rounded-md hover:bg-sunken pointer-coarse:size-[44px]",
              solid ? "text-accent" : "text-muted",
            )}
          >
            <Icon name={icon} size={17} solid={solid} />
          </ToggleButton>
        );
      })}
    </ToggleButtonGroup>
  );
}
