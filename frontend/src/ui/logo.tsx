/** The mark: a loop that closes in on its centre. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 24 24" width={size} height={size} className="shrink-0">
      <rect width="24" height="24" rx="6" fill="var(--accent)" />
      <g fill="none" stroke="var(--on-accent)" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round">
        <path d="M17.2 9.2A6 6 0 1 0 18 12" />
        <path d="M17.8 5.6v3.8H14" />
      </g>
      <circle cx="12" cy="12" r="1.9" fill="var(--on-accent)" />
    </svg>
  );
}
