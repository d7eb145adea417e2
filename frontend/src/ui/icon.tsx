const paths = {
  close: "M4 4l8 8M12 4l-8 8",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.2v9.6l8-4.8z",
  stop: "M4 4h8v8H4z",
  down: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  plus: "M8 3v10M3 8h10",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z",
  system: "M2 3h12v8H2zM6 14h4M8 11v3",
  user: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2.5 14a5.5 5.5 0 0 1 11 0",
  export: "M8 10V2M5 5l3-3 3 3M3 9v4h10V9",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  check: "M3 8.5l3.5 3.5L13 5",
  alert: "M8 2l6.5 11.5h-13zM8 6.5v3M8 11.5h.01",
  trophy: "M5 2h6v4a3 3 0 0 1-6 0zM5 3H2.5c0 2.5 1 3.5 2.5 3.5M11 3h2.5c0 2.5-1 3.5-2.5 3.5M8 9v3M5 14h6",
  thumbUp:
    "M5 7.2 7.6 2c1 0 1.8.8 1.8 1.8v2.6h3.3c.8 0 1.4.7 1.2 1.5l-.9 4.6c-.1.6-.6 1-1.2 1H5zM5 7.2H2.2v6.3H5",
  thumbDown:
    "M5 8.8 7.6 14c1 0 1.8-.8 1.8-1.8V9.6h3.3c.8 0 1.4-.7 1.2-1.5L13 3.5c-.1-.6-.6-1-1.2-1H5zM5 8.8H2.2V2.5H5",
  star: "M8 1.8l1.9 3.9 4.3.6-3.1 3 .7 4.3L8 11.6l-3.8 2 .7-4.3-3.1-3 4.3-.6z",
} as const;

export type IconName = keyof typeof paths;

type Props = { name: IconName; size?: number; solid?: boolean };

/** A decorative icon: what it means is said beside it. */
export function Icon({ name, size = 15, solid = false }: Props) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill={solid ? "currentColor" : "none"}
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      className="shrink-0"
    >
      <path d={paths[name]} />
    </svg>
  );
}
