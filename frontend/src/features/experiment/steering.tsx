import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useReadOnly } from "@/api/access";
import { pauseSweep, resumeSweep, stopSweep } from "@/api/experiments";
import type { ExperimentDetail, Sweep } from "@/api/types";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { Icon } from "@/ui/icon";
import { Menu } from "@/ui/menu";
import { ProblemNote } from "@/ui/problem-note";
import { refusal, startRefusal } from "./allowed";
import { StartSweep } from "./start-sweep";

type Props = { experiment: ExperimentDetail; onSweep: (sweep: Sweep) => void };

/** For the labels of buttons whose icons are known from everywhere: narrow screens show the icon alone. */
const spacious = "max-sm:sr-only";

/** Starts, pauses, resumes and stops. */
export function Steering({ experiment: { id, sweep }, onSweep }: Props) {
  const [asking, setAsking] = useState<"start" | "stop">();
  const readOnly = useReadOnly();
  const close = () => setAsking(undefined);
  const steer = useMutation({ mutationFn: (act: () => Promise<Sweep>) => act(), onSuccess: onSweep });
  const whyNot = (action: "pause" | "resume" | "stop") => readOnly ?? refusal(sweep, action);
  const paused = sweep?.status === "paused";
  const canPause = whyNot("pause") === undefined;
  return (
    <>
      {paused ? (
        <Button
          variant="primary"
          reason={whyNot("resume")}
          busy={steer.isPending}
          onClick={() => steer.mutate(() => resumeSweep(id))}
        >
          <Icon name="play" />
          Resume
        </Button>
      ) : (
        <Button
          reason={whyNot("pause")}
          busy={steer.isPending}
          onClick={() => steer.mutate(() => pauseSweep(id))}
        >
          <Icon name="pause" />
          <span className={spacious}>Pause</span>
        </Button>
      )}
      {canPause && <PauseNow onPause={() => steer.mutate(() => pauseSweep(id, true))} />}
      <Button reason={whyNot("stop")} busy={steer.isPending} onClick={() => setAsking("stop")}>
        <Icon name="stop" />
        <span className={spacious}>Stop</span>
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
        What is finished stays. Answers that are on their way are kept, their runs are cancelled, and this
        sweep cannot go on.
      </Confirm>
      <Dialog title="That was not possible" open={steer.error !== null} onClose={() => steer.reset()}>
        <ProblemNote error={steer.error} />
      </Dialog>
    </>
  );
}

function PauseNow({ onPause }: { onPause: () => void }) {
  return (
    <Menu
      label="More ways to pause"
      trigger={<Icon name="down" />}
      entries={[
        {
          id: "now",
          label: "Pause now",
          note: "Waits only for the calls that are on their way, not for the runs.",
          onAction: onPause,
        },
      ]}
    />
  );
}
