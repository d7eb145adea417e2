import { cx } from "@/lib/cx";

type Props = { label: string; text: string; tone?: "plain" | "bad"; aside?: string };

/** What a model or a person wrote, exactly as text; long ones scroll. */
export function TextBlock({ label, text, tone = "plain", aside }: Props) {
  return (
    <figure className={cx("min-w-0 rounded-md border border-line", tone === "bad" ? "bg-bad-soft" : "bg-bg")}>
      <figcaption className="flex justify-between gap-2 border-line border-b px-2.5 py-1 text-muted text-xs">
        <span className="min-w-0 break-words">{label}</span>
        {aside && <span className="num">{aside}</span>}
      </figcaption>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse
        tabIndex={0}
        className="max-h-80 overflow-auto whitespace-pre-wrap break-words px-2.5 py-2 font-mono text-xs leading-5"
      >
        {text || <span className="text-muted">(empty)</span>}
      </pre>
    </figure>
  );
}
