import { useMutation } from "@tanstack/react-query";
import { exportText } from "@/api/experiments";
import type { ExportFormat } from "@/api/types";
import { Dialog } from "./dialog";
import { Icon } from "./icon";
import { Menu } from "./menu";
import { ProblemNote } from "./problem-note";
import { TextDialog } from "./text-dialog";

type Props = { experimentId: string; name: string; runId?: string };

type Look = { label: string; note: string; file: (stem: string) => string };

const formats: Record<ExportFormat, Look> = {
  best: { label: "JSON", note: "Configuration for an application", file: (stem) => `${stem}.json` },
  env: { label: ".env", note: "Environment variables", file: (stem) => `${stem}.env` },
  yaml: { label: "YAML", note: "Configuration file", file: (stem) => `${stem}.yaml` },
  runs: { label: "All runs", note: "CSV table", file: (stem) => `${stem}-runs.csv` },
  report: { label: "Report", note: "Markdown summary", file: (stem) => `${stem}.md` },
};

const ofOneRun: ExportFormat[] = ["best", "env", "yaml", "report"];
const ofExperiment: ExportFormat[] = [...ofOneRun, "runs"];

function stemOf(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+|-+$/g, "") || "promptlooper";
}

/** Hands over the best configuration, or that of one run. */
export function ExportMenu({ experimentId, name, runId }: Props) {
  const exporting = useMutation({
    mutationFn: async (format: ExportFormat) => ({
      look: formats[format],
      text: await exportText(experimentId, format, runId),
    }),
  });
  const close = () => exporting.reset();
  const { data, error } = exporting;
  const what = runId ? "run" : "best configuration";
  return (
    <>
      <Menu
        label={`Export the ${what}`}
        trigger={
          <>
            <Icon name="export" />
            Export
          </>
        }
        entries={(runId ? ofOneRun : ofExperiment).map((format) => ({
          id: format,
          label: formats[format].label,
          note: formats[format].note,
          onAction: () => exporting.mutate(format),
        }))}
      />
      {data && (
        <TextDialog
          title={`Export the ${what}: ${data.look.label}`}
          fileName={data.look.file(stemOf(name))}
          text={data.text}
          open
          onClose={close}
        />
      )}
      <Dialog title="Export" open={error !== null} onClose={close}>
        <ProblemNote error={error} />
      </Dialog>
    </>
  );
}
