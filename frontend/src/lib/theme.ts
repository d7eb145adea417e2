import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const key = "promptlooper.theme";
const listeners = new Set<() => void>();
const order: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

function chosen(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === "light" || theme === "dark" ? theme : "system";
}

const prefersDark = () => window.matchMedia("(prefers-color-scheme: dark)");

/** What is on the screen, whoever chose it. */
function shown(): "light" | "dark" {
  const theme = chosen();
  if (theme !== "system") return theme;
  return prefersDark().matches ? "dark" : "light";
}

function subscribe(listener: () => void): () => void {
  const media = prefersDark();
  listeners.add(listener);
  media.addEventListener("change", listener);
  return () => {
    listeners.delete(listener);
    media.removeEventListener("change", listener);
  };
}

export function cycleTheme(): void {
  const theme = order[chosen()];
  if (theme === "system") {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem(key);
  } else {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(key, theme);
  }
  for (const listener of listeners) listener();
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, chosen);
export const useShownTheme = () => useSyncExternalStore(subscribe, shown);
