import { useCallback, useLayoutEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { BestPoint } from "@/api/live/messages";
import { plural, score } from "@/lib/format";
import { useShownTheme } from "@/lib/theme";
import { type ChartData, chartData, scoreRange, tickLabel, timeRange } from "./chart-data";

type Props = {
  series: BestPoint[];
  until: string | undefined;
  /** What to say while there is no score. */
  empty: string;
};

/** The best score as it rose. */
export default function BestChart({ series, until, empty }: Props) {
  const theme = useShownTheme();
  const data = useMemo(() => chartData(series, until), [series, until]);
  const best = series.at(-1)?.[1];
  if (best === undefined) {
    return <p className="flex h-full items-center justify-center text-muted">{empty}</p>;
  }
  const summary = `Best score so far: ${score(best)} after ${plural(series.length, "improvement")}`;
  return (
    <div role="img" aria-label={summary} className="size-full">
      <Plot key={theme} data={data} />
    </div>
  );
}

/** Draws on a canvas, made anew with each theme because a canvas knows no style sheet. */
function Plot({ data }: { data: ChartData }) {
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(data);
  const mount = useCallback((box: HTMLDivElement) => {
    const chart = new uPlot(options(box), latest.current, box);
    const resizes = new ResizeObserver(() => chart.setSize(sizeOf(box)));
    resizes.observe(box);
    plot.current = chart;
    return () => {
      resizes.disconnect();
      chart.destroy();
      plot.current = undefined;
    };
  }, []);
  useLayoutEffect(() => {
    latest.current = data;
    plot.current?.setData(data);
  }, [data]);
  return <div ref={mount} className="size-full overflow-hidden" />;
}

function sizeOf(box: HTMLElement): { width: number; height: number } {
  return { width: Math.max(120, box.clientWidth), height: Math.max(80, box.clientHeight) };
}

/** A colour of the style sheet as a plain value, which a canvas needs; `styles.css` registers those that are asked for. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}

function options(box: HTMLElement): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: colour("--muted"),
    font: `12px ${getComputedStyle(box).fontFamily}`,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1, size: 4 },
  };
  return {
    ...sizeOf(box),
    legend: { show: false },
    cursor: { show: false },
    padding: [10, 28, 0, 4],
    scales: {
      x: { range: (_, low, high) => timeRange(low, high) },
      y: { range: (_, low, high) => scoreRange(low, high) },
    },
    axes: [
      {
        ...axis,
        size: 30,
        space: 72,
        values: (_, ticks, __, ___, step) => ticks.map((at) => tickLabel(at, step)),
      },
      { ...axis, size: 48, space: 34, values: (_, ticks) => ticks.map((value) => value.toFixed(2)) },
    ],
    series: [
      {},
      {
        stroke: colour("--accent"),
        width: 2,
        fill: colour("--accent-soft"),
        paths: uPlot.paths.stepped?.({ align: 1 }),
        points: { show: true, size: 5, fill: colour("--accent"), stroke: colour("--accent") },
      },
    ],
  };
}
