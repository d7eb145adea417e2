import { useState } from "react";
import { Button, buttonClass } from "./button";
import { Dialog, DialogActions } from "./dialog";
import { Icon } from "./icon";

type Props = { title: string; fileName: string; text: string; open: boolean; onClose: () => void };

/** A text to take along: shown, copied or downloaded. */
export function TextDialog({ title, fileName, text, open, onClose }: Props) {
  return (
    <Dialog title={title} open={open} onClose={onClose} wide>
      <textarea
        aria-label={title}
        readOnly
        value={text}
        rows={18}
        spellCheck={false}
        className="w-full resize-y rounded-md border border-line bg-bg p-3 font-mono text-xs leading-5"
      />
      <DialogActions>
        <CopyButton text={text} />
        <a
          className={buttonClass("primary")}
          download={fileName}
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`}
        >
          <Icon name="export" />
          Download {fileName}
        </a>
      </DialogActions>
    </Dialog>
  );
}

type Outcome = "idle" | "copied" | "refused";

const copyLabels: Record<Outcome, string> = {
  idle: "Copy",
  copied: "Copied",
  refused: "Copy failed: select the text and copy it",
};

export function CopyButton({ text }: { text: string }) {
  const [outcome, setOutcome] = useState<Outcome>("idle");
  const copy = async () => {
    // Browsers offer the clipboard only to pages served over HTTPS or from this machine.
    const copied = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    setOutcome(copied ? "copied" : "refused");
  };
  return (
    <Button onClick={() => void copy()}>
      <Icon name={outcome === "copied" ? "check" : "copy"} />
      <span aria-live="polite">{copyLabels[outcome]}</span>
    </Button>
  );
}
