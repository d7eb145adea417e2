import { cycleTheme, type Theme, useTheme } from "@/lib/theme";
import { Icon, type IconName } from "./icon";

const looks: Record<Theme, { icon: IconName; label: string }> = {
  system: { icon: "system", label: "Theme: system. Switch to light." },
  light: { icon: "sun", label: "Theme: light. Switch to dark." },
  dark: { icon: "moon", label: "Theme: dark. Switch to system." },
};

export function ThemeToggle() {
  const { icon, label } = looks[useTheme()];
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className="rounded-md p-2 text-muted hover:bg-sunken hover:text-text"
      onClick={cycleTheme}
    >
      <Icon name={icon} />
    </button>
  );
}
