import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useReadOnly } from "@/api/access";
import { pauseSweep, resumeSweep, stopSweep } from "@/api/experiments";
import type { ExperimentDetail, Sweep } from "@/api/types";
import { plural } from "@/lib/format";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { Icon } from "@/ui/icon";
import { Menu } from "@/ui/menu";
import { ProblemNote } from "@/ui/problem-note";
import { refusal, startRefusal } from "./allowed";
import { isOutOfBudget } from "./budget";
import { RaiseBudget } from "./raise-budget";
import { StartSweep } from "./start-sweep";

type Props = { experiment: ExperimentDetail; onSweep: (sweep: Sweep) => void };

/** For the labels of buttons with well-known icons: narrow screens show the icon alone. */
const labelOnWide = "max-sm:sr-only";

/** Starts, pauses, resumes and stops. */
export function Steering({ experiment: { id, sweep }, onSweep }: Props) {
  const [asking, setAsking] = useState<"start" | "stop" | "raise">();
  const readOnly = useReadOnly();
  const close = () => setAsking(undefined);
  const steer = useMutation({ mutationFn: (act: () => Promise<Sweep>) => act(), onSuccess: onSweep });
  const whyNot = (action: "pause" | "resume" | "stop") => readOnly ?? refusal(sweep, action);
  const paused = sweep?.status === "paused";
  const canPause = whyNot("pause") === undefined;
  return (
    <>
      {isOutOfBudget(sweep) && (
        <Button variant="primary" reason={whyNot("resume")} onClick={() => setAsking("raise")}>
          <Icon name="play" />
          Raise budget…
        </Button>
      )}
      {paused && !isOutOfBudget(sweep) && (
        <Button
          variant="primary"
          reason={whyNot("resume")}
          busy={steer.isPending}
          onClick={() => steer.mutate(() => resumeSweep(id))}
        >
          <Icon name="play" />
          Resume
        </Button>
      )}
      {!paused && (
        <Button
          reason={whyNot("pause")}
          busy={steer.isPending}
          onClick={() => steer.mutate(() => pauseSweep(id))}
        >
          <Icon name="pause" />
          <span className={labelOnWide}>Pause</span>
        </Button>
      )}
      {canPause && <PauseNow onPause={() => steer.mutate(() => pauseSweep(id, true))} />}
      <Button reason={whyNot("stop")} busy={steer.isPending} onClick={() => setAsking("stop")}>
        <Icon name="stop" />
        <span className={labelOnWide}>Stop</span>
      </Button>
      <Button
        variant={sweep?.status === "running" || paused ? "plain" : "primary"}
        reason={readOnly ?? startRefusal(sweep)}
        onClick={() => setAsking("start")}
      >
        <Icon name="play" />
        Start sweep
      </Button>
      <Dialog title="Start a sweep" open={asking === "start"} onClose={close}>
        <StartSweep experimentId={id} onStarted={onSweep} onClose={close} />
      </Dialog>
      <Confirm
        title="Stop this sweep"
        action="Stop sweep"
        open={asking === "stop"}
        onClose={close}
        onConfirm={() => stopSweep(id).then(onSweep)}
      >
        {stopConsequences(sweep)}
      </Confirm>
      {sweep && (
        <Dialog title="Raise the budget" open={asking === "raise"} onClose={close}>
          <RaiseBudget sweep={sweep} onSweep={onSweep} onClose={close} />
        </Dialog>
      )}
      <Dialog title="The sweep was not changed" open={steer.error !== null} onClose={() => steer.reset()}>
        <ProblemNote error={steer.error} />
      </Dialog>
    </>
  );
}

function stopConsequences(sweep: Sweep | undefined): string {
  const running = sweep?.progress.running ?? 0;
  const cancelled = `${plural(running, "running run")} will be cancelled (answers already received stay in the cache). `;
  return `Finished runs are kept. ${running > 0 ? cancelled : ""}A stopped sweep cannot be resumed.`;
}

function PauseNow({ onPause }: { onPause: () => void }) {
  return (
    <Menu
      label="Pause options"
      trigger={<Icon name="down" />}
      entries={[
        {
          id: "now",
          label: "Pause now",
          note: "Waits for the calls in flight only. Runs are continued on resume.",
          onAction: onPause,
        },
      ]}
    />
  );
}
